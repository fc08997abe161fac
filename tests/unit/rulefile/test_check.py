"""`check` and `schema`, and the rule files that are shipped."""

import json
import re
from pathlib import Path

import pytest
import yaml

from monitor.cli.check import run_check, run_schema
from monitor.rulefile.load import load
from monitor.rulefile.schema import json_schema
from tests.unit.rulefile import bad
from tests.unit.rulefile.every import EVERY
from tests.unit.rulefile.structure import violations
from tests.unit.rulefile.test_convert import CONTRACT, METRICS

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(f for f in (ROOT / "rules").glob("*.yml") if not f.name.endswith(".test.yml"))


def test_good_files_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Good files give one summarising line and exit code 0."""
    (tmp_path / "a.yml").write_text(bad.SCALE)
    (tmp_path / "b.yml").write_text(bad.RESTART.replace("name: web", "name: leak"))
    assert run_check([tmp_path]) == 0
    assert capsys.readouterr().out == "2 rules in 2 files, no problems\n"


def test_bad_files_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each problem is one line `file:line:col: message`; the exit code is 1."""
    file = tmp_path / "a.yml"
    file.write_text(bad.scale("min: 1", 'min: "1"').replace("max: 5", "maximum: 5"))
    assert run_check([file]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "3 problems in 1 file"
    assert all(re.match(rf"{re.escape(str(file))}:\d+:\d+: .+", line) for line in lines[:-1])


def test_missing_path_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that does not exist is an error."""
    assert run_check([tmp_path / "x"]) == 1
    assert "no such file" in capsys.readouterr().out


def test_warnings_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is shown as such and leaves the exit code 0."""
    assert run_check([tmp_path]) == 0
    assert capsys.readouterr().out.startswith("warning: ")


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`schema` prints JSON, and nothing else."""
    assert run_schema() == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_shipped_rules_touch_nobody_who_did_not_ask(file: Path) -> None:
    """Shipped rules load without warning and select by the product's own label alone."""
    result = load([file])
    assert result.problems == result.warnings == ()
    assert result.rules is not None
    for rule in (*result.rules.rules, *result.rules.node_rules):
        assert rule.selector.label == ("swarm-monitor.rule", file.stem)


def test_shipped_rules_load_together() -> None:
    """The folder as a whole is a valid set of rules."""
    result = load([ROOT / "rules"])
    assert result.rules is not None
    count = len(result.rules.rules) + len(result.rules.node_rules)
    assert count >= len(SHIPPED) >= 2


@pytest.mark.parametrize(
    "text",
    [CONTRACT, METRICS, bad.SCALE, bad.RESTART, EVERY, *(file.read_text() for file in SHIPPED)],
)
def test_schema_admits_good_files(text: str) -> None:
    """An editor that checks by the schema marks nothing in a good file."""
    assert violations(yaml.load(text, Loader=yaml.BaseLoader), json_schema()) == []


@pytest.mark.parametrize(
    "text",
    [
        bad.SCALING["no max"],
        bad.SCALING["target blank"],
        bad.SCALING["window typo"],
        bad.SCALING["window words"],
        bad.SCALING["window upper case"],
        bad.SCALING["metric disk"],
        bad.SCALING["metrics empty"],
        bad.SCALING["metric query for cpu"],
        bad.NUMBERS["no query"],
        bad.NUMBERS["target share"],
        bad.NUMBERS["auth relative"],
        bad.NUMBERS["network unit"],
        bad.SCHEDULES["duration number"],
        bad.SCALING["missing samples"],
        bad.RULE["services text"],
        bad.RULE["name blank"],
        bad.RULE["two things"],
        bad.RULE["nothing to do"],
        bad.RESTARTING["when unknown"],
        bad.RESTARTING["exits number"],
        bad.RESTARTING["stuck running"],
        bad.RESTARTING["action misspelt"],
        bad.REBALANCING["max skew"],
        bad.NODES["reboot"],
        bad.NODES["memory size"],
        bad.TOP["no rules"],
    ],
)
def test_schema_marks_bad_files(text: str) -> None:
    """What fields, words and spellings can tell is told by the schema too."""
    assert violations(yaml.load(text, Loader=yaml.BaseLoader), json_schema()) != []


def test_every_field_is_described() -> None:
    """Editors show a description for every field and every mapping."""
    schema = json_schema()
    for name, model in {**schema["$defs"], "file": schema}.items():
        if model["type"] == "object":
            assert model["description"], name
            assert model["additionalProperties"] is False, name
            for field, facts in model["properties"].items():
                assert facts.get("description"), f"{name}.{field}"


def test_every_pattern_of_the_schema_compiles() -> None:
    """Patterns are plain enough for every regular expression dialect editors use."""
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(json_schema()))
    assert len(patterns) > 5
    for pattern in patterns:
        re.compile(json.loads(pattern))
        assert "(?P" not in pattern
