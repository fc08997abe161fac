from pathlib import Path

import pytest

from monitor.cli.ruletest import run_rule_tests

RULE = """\
version: 1
rules:
  - name: web
    services: [web]
    scale:
      min: 1
      max: 8
      metrics: [{type: cpu, cores: 0.5}]
"""
TEST = """\
version: 1
rules: [web.yml]
tests:
  - name: a step
    services: [{name: web, replicas: 2}]
    series:
      - {series: 'cpu_total{service="web"}', values: '0.8x1 2.0x20'}
    expect:
      - {at: 1m, service: web, replicas: REPLICAS, action: none}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.yml").write_text(RULE)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    file = folder / "web.test.yml"
    file.write_text(text)
    return file


def test_a_right_expectation_passes(folder, capsys):
    """The production code on virtual time scales to what the series asks for."""
    file = write(folder, TEST.replace("REPLICAS", "4"))
    assert run_rule_tests([folder]) == 0
    assert capsys.readouterr().out == f"ok    {file}: a step\n1 passed, 0 failed\n"


def test_a_wrong_expectation_fails_with_a_readable_difference(folder, capsys):
    """The place, the moment, expected and got, and why the rule decided as it did."""
    file = write(folder, TEST.replace("REPLICAS", "7"))
    assert run_rule_tests([file]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        f"FAIL  {file}: a step",
        f"  {file}:9: web at 60s",
        "    replicas: expected 7, got 4",
    ]
    assert lines[3].startswith("    newest decision: web stays at 4")
    assert lines[4] == "0 passed, 1 failed"


def test_the_same_test_ends_the_same_way_every_time(folder, capsys):
    """Virtual time and seeded chance: what fails here fails everywhere."""
    file = write(folder, TEST.replace("REPLICAS", "7"))
    run_rule_tests([file])
    first = capsys.readouterr().out
    run_rule_tests([file])
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("at: 1m", "at: 60", 'write "60s"'),
        (
            "service: web, replicas",
            "service: wbe, replicas",
            "no service of this test is named wbe",
        ),
        ("0.8x1 2.0x20", "0.8x1 2.0y20", "write values such as"),
        ("cpu_total{", "cpus{", "there is cpu"),
        (", replicas: REPLICAS, action: none", "", "expects nothing"),
        ("action: none", "reason: tired", "must be"),
        ("action: none", "replica: 3", "replica"),
        ("[web.yml]", "[wbe.yml]", "wbe.yml"),
        ("version: 1", "version: 2", ""),
        ("tests:", "checks:", "tests is missing"),
    ],
)
def test_a_file_that_is_wrong_is_told_by_place(folder, capsys, old, new, words):
    """`file:line:col: message`, as `check` says it, and exit 1."""
    assert old in TEST
    file = write(folder, TEST.replace(old, new, 1).replace("REPLICAS", "4"))
    assert run_rule_tests([file]) == 1
    out = capsys.readouterr().out
    assert words in out
    assert out.startswith(str(folder))


def test_nothing_to_test_is_no_success(tmp_path, capsys):
    """A wrong folder in CI must not look like passing tests."""
    assert run_rule_tests([tmp_path]) == 2
    assert "no rule tests found" in capsys.readouterr().out


def test_every_shipped_rule_has_tests_that_pass(capsys):
    """Each file in rules/ has a *.test.yml beside it."""
    rules = Path(__file__).parents[3] / "rules"
    files = {file.name for file in rules.glob("*.yml")}
    for name in sorted(name for name in files if not name.endswith(".test.yml")):
        assert name.replace(".yml", ".test.yml") in files, f"{name} has no tests"
    assert run_rule_tests([rules]) == 0
    assert "0 failed" in capsys.readouterr().out
