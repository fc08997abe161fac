"""To zero and back through the whole core, told as a rule test."""

from pathlib import Path

import pytest

from monitor.cli.ruletest import run_rule_tests

RULE = """\
version: 1
rules:
  - name: jobs
    services: [jobs]
    scale:
      min: 0
      max: 5
      metrics: [{type: prometheus, name: queue, query: sum(queue), target: 10, activation: 2}]
      scale_down: {stabilization_window: 1m}
"""
TEST = """\
version: 1
rules: [jobs.yml]
tests:
  - name: a queue that empties, fills, empties and is lost sight of
    services: [{name: jobs, replicas: 1}]
    series:
      - {series: 'number{service="jobs",metric="queue"}', values: '2x12 25x8 2x16 _x8'}
    expect:
      - {at: 30s, service: jobs, replicas: 1}
      - {at: 2m50s, service: jobs, replicas: 0}
      - {at: 3m45s, service: jobs, replicas: 3}
      - {at: 9m, service: jobs, replicas: 0}
      - {at: 11m, service: jobs, replicas: 0}
"""


def test_a_service_sleeps_and_wakes_by_its_activation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At its activation it sleeps after the window, above it wakes, and no number wakes nobody."""
    (tmp_path / "jobs.yml").write_text(RULE)
    (tmp_path / "jobs.test.yml").write_text(TEST)
    assert run_rule_tests([tmp_path]) == 0, capsys.readouterr().out
