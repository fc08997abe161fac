"""The examples that docs/replay.md is about."""

from pathlib import Path

from monitor.replay.choose import chosen
from monitor.replay.read import read_trace
from monitor.rulefile.load import load

FOLDER = Path(__file__).parents[3] / "docs" / "examples" / "replay"


def test_the_examples_are_rules_and_traces() -> None:
    """Both rule files load together, the defaults are in both alike, and the traces are read."""
    result = load([FOLDER])
    assert result.rules is not None, result.problems
    plain = chosen([FOLDER], result.rules, "web")
    defaults = chosen([FOLDER], result.rules, "defaults")
    assert (plain.metrics, plain.scale_up, plain.scale_down) == (
        defaults.metrics,
        defaults.scale_up,
        defaults.scale_down,
    )
    text = (FOLDER.parents[1] / "replay.md").read_text()
    names = {rule.name for rule in result.rules.rules} - {"web"}
    assert all(f"| {name} |" in text for name in names)
    assert len(read_trace(FOLDER / "day.csv").times) == 1440
    assert read_trace(FOLDER / "rush.csv").step == 10
