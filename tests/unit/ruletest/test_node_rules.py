"""Node rules told as rule tests: how full nodes are, and what is expected of them."""

from pathlib import Path

import pytest

from monitor.cli.ruletest import run_rule_tests

RULE = """\
version: 1
rules:
  - name: full
    nodes: ["w*"]
    node:
      when: {memory_above: 90%, for: 30s}
      action: drain
      drain_for: 2m
"""
TEST = """\
version: 1
rules: [full.yml]
tests:
  - name: t
    nodes:
      - {name: w1, cpus: 4, memory: 8GiB}
      - {name: w2, cpus: 4, memory: 8GiB}
    services: [{name: web, replicas: 2}]
    series:
      - {series: 'SERIES', values: 'VALUES'}
    expect:
      - {EXPECT}
"""


def run(folder: Path, expect: str, series: str = 'node_memory{node="w1"}', values="0.95") -> int:
    (folder / "full.yml").write_text(RULE)
    text = TEST.replace("EXPECT", expect).replace("SERIES", series).replace("VALUES", values)
    (folder / "full.test.yml").write_text(text)
    return run_rule_tests([folder])


def test_an_expectation_of_a_node_holds_or_is_told_of(tmp_path, capsys):
    """Drained once full for long enough, and only then; a wrong one shows what was there."""
    assert run(tmp_path, "at: 1m, node: w1, availability: drain, writes: 1") == 0
    assert run(tmp_path, "at: 1m, node: w2, availability: active, action: none") == 0
    assert run(tmp_path, "at: 1m, node: w1, availability: drain", values="0.85") == 1
    told = capsys.readouterr().out
    assert "full.test.yml:12: w1 at 60s" in told
    assert "availability: expected drain, got active" in told
    assert "w1 is well: no condition holds" in told


@pytest.mark.parametrize(
    ("expect", "series", "values", "words"),
    [
        ("at: 1m, availability: drain", "", "", "write either service: or node:"),
        ("at: 1m, node: w1, service: web, writes: 0", "", "", "write either service: or node:"),
        ("at: 1m, node: w1, replicas: 2", "", "", "a node has none: remove it"),
        ("at: 1m, service: web, availability: drain", "", "", "a service has none: remove it"),
        ("at: 1m, node: w9, writes: 0", "", "", "no node of this test is named w9"),
        ("at: 1m, node: w1, availability: gone", "", "", "active, pause or drain"),
        ("at: 1m, node: w1, writes: 0", 'node_disk{node="w9"}', "", "no node of this test is"),
        ("at: 1m, node: w1, writes: 0", 'node_disk{service="web"}', "", "node_disk{node="),
        ("at: 1m, node: w1, writes: 0", "", "95", "shares from 0 to 1"),
    ],
)
def test_nonsense_says_what_to_write(tmp_path, capsys, expect, series, values, words):
    """Nothing is run where a test makes no sense."""
    assert run(tmp_path, expect, series or 'node_memory{node="w1"}', values or "0.95") == 1
    told = capsys.readouterr()
    assert words in told.out + told.err
