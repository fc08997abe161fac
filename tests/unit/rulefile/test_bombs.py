"""Files made to exhaust the reader."""

import tracemalloc

import pytest

from monitor.rulefile import yaml_source
from monitor.rulefile.yaml_source import MAX_NODES
from tests.unit.rulefile.helpers import parsed

MIB = 1024 * 1024
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
)
BOMBS = {
    "billion laughs": LAUGHS,
    "flow nesting": "rules: " + "[" * 100_000,
    "flow mappings": "{a: " * 100_000,
    "block nesting": "- " * 100_000,
    "indented nesting": "".join(f"{' ' * i}a:\n" for i in range(1_000)),
    "nested conditions": "version: 1\nrules:\n  - restart: {when: " + "{any: [" * 50_000,
    "many values": "rules:\n" + "- a\n" * 200_000,
    "many empty lists": "rules: [" + "[]," * 300_000 + "]",
    "many keys": "".join(f"k{i}: 1\n" for i in range(90_000)),
    "long key": "k" * 1_000_000 + ": 1\n",
    "long scalar": "version: " + "9" * 1_000_000 + "\n",
    "long name": "version: 1\nrules:\n  - name: " + "a" * 1_000_000 + "\n",
    "long share": "version: 1\nrules:\n  - {name: a, services: [a], scale: {min: 1, max: 2, "
    "metrics: [{type: cpu, target: " + "9" * 1_000_000 + "%}]}}\n",
    "long service": "version: 1\nrules:\n  - {name: a, services: ['" + "*a" * 400_000 + "']}\n",
    "ten megabytes": "# comment\n" * MIB,
    "nul bytes": "\x00" * MIB,
    "percent signs": "%" * 1_000_000,
    "quotes": "'" * 1_000_001,
    "anchors": "&" * 1_000_000,
    "question marks": "? " * 400_000,
    "document marks": "---\n" * 200_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_within_bounds(name: str) -> None:
    """A hostile file is refused with few, short problems and less than 20 MB of memory."""
    data = BOMBS[name].encode()
    tracemalloc.start()
    try:
        result = parsed(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.rules is None
    assert 1 <= len(result.problems) <= 101
    assert all(len(str(problem)) < 400 for problem in result.problems)
    assert peak < 20_000_000


@pytest.mark.parametrize("name", ["billion laughs", "flow nesting", "block nesting"])
def test_bomb_is_refused_after_few_events(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alias or a too deep level ends the reading where it stands, not at the file's end."""
    events = 0
    add = yaml_source._Builder.add

    def counted(self: yaml_source._Builder, event: object) -> None:
        nonlocal events
        events += 1
        add(self, event)

    monkeypatch.setattr(yaml_source._Builder, "add", counted)
    assert parsed(BOMBS[name]).rules is None
    assert events < 50


def test_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flat file of very many values is refused once the bound is passed."""
    (problem,) = parsed(BOMBS["many values"]).problems
    assert str(MAX_NODES) in str(problem)
