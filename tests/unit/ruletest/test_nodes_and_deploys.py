"""Nodes that fill up, join and go down, deploys, and tasks that fail, told as rule tests."""

from pathlib import Path

import pytest

from monitor.cli.ruletest import run_rule_tests

RULE = """\
version: 1
rules:
  - name: encoder
    services: [encoder]
    scale:
      min: 1
      max: 10
      metrics: [{type: cpu, cores: 0.5}]
"""
HEAD = """\
version: 1
rules: [encoder.yml]
tests:
"""
FULL = """\
  - name: what fits is asked for, and a node that joins takes the rest
    nodes:
      - {name: w1, cpus: 4, memory: 8GiB}
      - {name: w2, cpus: 4, memory: 8GiB, joins: 3m}
    services: [{name: encoder, replicas: 2, cpu_reservation: 1}]
    series:
      - {series: 'cpu_total{service="encoder"}', values: '0.8x1 3.6x20'}
    expect:
      - {at: 2m, service: encoder, replicas: 4, pending: 0, reason: capacity}
      - {at: 5m, service: encoder, replicas: 8, pending: 0, reason: within_tolerance}
"""
LOST = """\
  - name: tasks lost with their node are no reason to change the number
    nodes:
      - {name: w1, cpus: 2, memory: 8GiB}
      - {name: w2, cpus: 2, memory: 8GiB, leaves: 1m}
    services: [{name: encoder, replicas: 4, cpu_reservation: 1}]
    series:
      - {series: 'cpu_total{service="encoder"}', values: '1.9x60'}
    expect:
      - {at: 55s, service: encoder, replicas: 4, pending: 0}
      - {at: 12m, service: encoder, replicas: 4, pending: 2, writes: 0}
"""
DEPLOYED = """\
  - name: a deploy that says 2 replicas is put right
    services: [{name: encoder, replicas: 2, stack: shop}]
    deploys: [{at: 2m, service: encoder, replicas: 2}]
    series:
      - {series: 'cpu_total{service="encoder"}', values: '1.0x1 3.0x40'}
    expect:
      - {at: 1m50s, service: encoder, replicas: 6}
      - {at: 2m3s, service: encoder, replicas: 2, reason: rollout_in_progress}
      - {at: 4m, service: encoder, replicas: 6, action: none}
"""
BAD = """\
  - name: a bad image pauses the rollout, and the rule with it
    services: [{name: encoder, replicas: 2}]
    deploys: [{at: 1m, service: encoder, replicas: 2, fails_after: 2s}]
    series:
      - {series: 'cpu_total{service="encoder"}', values: '0.8x7 4.0x40'}
    expect:
      - {at: 50s, service: encoder, replicas: 2, reason: within_tolerance}
      - {at: 4m, service: encoder, reason: rollout_paused, replicas: 2}
"""
CRASHING = """\
  - name: tasks that fail again and again carry no load, which is no calm
    services: [{name: encoder, replicas: 4, fails_after: 25s}]
    series:
      - {series: 'cpu_total{service="encoder"}', values: '0.4x80'}
    expect:
      - {at: 15m, service: encoder, writes: 0, replicas: 4}
"""
TESTS = {"full": FULL, "lost": LOST, "deployed": DEPLOYED, "bad": BAD, "crashing": CRASHING}


def run(folder: Path, *tests: str) -> int:
    (folder / "encoder.yml").write_text(RULE)
    (folder / "encoder.test.yml").write_text(HEAD + "".join(tests))
    return run_rule_tests([folder])


@pytest.mark.parametrize("test", TESTS.values(), ids=TESTS)
def test_what_happens_to_a_swarm_can_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], test: str
) -> None:
    """Each passes as it is told, and fails once its last number is another one."""
    assert run(tmp_path, test) == 0, capsys.readouterr().out
    head, found, tail = test.rpartition("replicas: ")
    assert run(tmp_path, f"{head}{found}1{tail}") == 1


def test_tasks_that_wait_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong count of them is told as any other difference."""
    assert run(tmp_path, LOST.replace("pending: 2", "pending: 0")) == 1
    assert "pending: expected 0, got 2" in capsys.readouterr().out


def test_tasks_are_counted_by_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that run: half of them were lost with their node. A wrong count is told with both."""
    right = LOST.replace("pending: 2", "tasks_on: {w1: 2, w2: 0}")
    assert run(tmp_path, right) == 0, capsys.readouterr().out
    assert run(tmp_path, right.replace("w2: 0", "w2: 2")) == 1
    assert "tasks on w2: expected 2, got 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("test", "old", "new", "words"),
    [
        (FULL, "name: w2", "name: w1", "encoder.test.yml:7:16: tests[0].nodes[1].name: another"),
        (FULL, "joins: 3m", "joins: 3m, leaves: 2m", "leaves: must be later than joins"),
        (FULL, "pending: 0", "tasks_on: {w9: 1}", "no node of this test is named w9"),
        (FULL, "pending: 0", "tasks_on: {w1: -1}", "must be"),
        (FULL, "cpus: 4, memory: 8GiB, j", "cpus: 4, j", "memory is missing"),
        (FULL, "cpus: 4, m", "cpu: 4, m", 'did you mean "cpus"'),
        (BAD, "fails_after: 2s", "fails_after: 0s", "must be more than 0s"),
        (DEPLOYED, "2m, service: encoder", "2m, service: encodr", "no service of this test"),
        (DEPLOYED, "service: encoder, replicas: 2}]", "service: encoder}]", "replicas is missing"),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    test: str,
    old: str,
    new: str,
    words: str,
) -> None:
    """By place, as all of the file."""
    assert old in test
    assert run(tmp_path, test.replace(old, new, 1)) == 1
    assert words in capsys.readouterr().out
