"""The warm-up of new tasks through the whole core, told as rule tests."""

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
      max: 20
      metrics: [{type: cpu, cores: 0.5}]
"""
TEST = """\
version: 1
rules: [web.yml]
tests:
  - name: new tasks are as busy as the old ones
    services: [{name: web, replicas: 2}]
    series:
      - {series: 'cpu{service="web"}', values: '0.5x1 1.0x20'}
    expect:
      - {at: 45s, service: web, replicas: 4}
      - {at: 75s, service: web, replicas: 4}
      - {at: 2m, service: web, at_least: 8}
"""
CHECKED = TEST.replace("replicas: 2}", "replicas: 2, start_time: 15s, start_period: 1m}")


def run(folder: Path, rule: str, test: str) -> int:
    (folder / "web.yml").write_text(rule)
    (folder / "web.test.yml").write_text(test)
    return run_rule_tests([folder])


def test_new_tasks_count_after_the_start_period_of_their_health_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second step waits until a minute after the new containers' start, not after healthy."""
    assert run(tmp_path, RULE, CHECKED) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("rule", "test"),
    [(RULE, TEST), (f"{RULE}      warm_up: 0s\n", CHECKED)],
    ids=["no health check", "a warm-up of zero wins"],
)
def test_without_a_warm_up_they_count_as_soon_as_they_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str, test: str
) -> None:
    """The second step follows the first within seconds of running."""
    more = test.replace("at: 75s, service: web, replicas: 4", "at: 75s, service: web, at_least: 8")
    more = more.replace("at: 45s, service: web, replicas: 4", "at: 45s, service: web, at_least: 4")
    assert run(tmp_path, rule, more) == 0, capsys.readouterr().out


def test_a_stated_warm_up_is_time_of_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """40 s after healthy, whatever the start period says."""
    short = CHECKED.replace("start_period: 1m", "start_period: 10m")
    assert run(tmp_path, f"{RULE}      warm_up: 40s\n", short) == 0, capsys.readouterr().out
