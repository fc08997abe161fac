"""The worked example on the page of windows, by the code that decides."""

import re
from pathlib import Path

import pytest

from monitor.decide import decide
from monitor.decide.words import percent
from monitor.model.history import History
from tests.unit.decide.make import NOW, cpu, rule, view

PAGE = Path(__file__).parents[3] / "docs" / "rules" / "windows.md"


def table(columns: int) -> list[tuple[str, ...]]:
    """The rows of numbers that have so many columns."""
    rows = re.findall(r"^\| ([0-9].*) \|$", PAGE.read_text(), re.MULTILINE)
    cells = [tuple(cell.strip() for cell in row.split("|")) for row in rows]
    return [row for row in cells if len(row) == columns]


def mean(before: float, after: float, seconds: float, window: float) -> float:
    """Of load that stepped so many seconds ago."""
    return before + (after - before) * min(seconds / window, 1.0)


def proposed(share: float, rising: float | None, replicas: int) -> int:
    """What one evaluation asks for, before anything holds it back."""
    decision = decide(
        rule(most=100),
        view(replicas),
        cpu(share, replicas, rising=rising),
        History(started=True),
        NOW,
    )
    stages = {stage.name: stage.value for stage in decision.stages}
    value = stages.get("tolerance", stages["raw"])
    assert value is not None
    return int(value)


def test_the_page_has_both_tables() -> None:
    """Nothing below passes because a table is not found."""
    assert (len(table(5)), len(table(4))) == (7, 4)


@pytest.mark.parametrize("row", table(5), ids=lambda row: f"{row[0]}s")
def test_rising_load(row: tuple[str, ...]) -> None:
    """4 tasks at 40% whose load rises to 90%: each row's means and both proposals."""
    seconds = float(row[0])
    calm, fast = (mean(0.4, 0.9, seconds, window) for window in (15.0, 5.0))
    assert (percent(calm * 100), percent(fast * 100)) == row[1:3]
    assert (proposed(calm, None, 4), proposed(calm, fast, 4)) == (int(row[3]), int(row[4]))


@pytest.mark.parametrize("row", table(4), ids=lambda row: f"{row[0]}s")
def test_falling_load(row: tuple[str, ...]) -> None:
    """8 tasks at 90% whose load falls to 40%: the short window has no say."""
    seconds = float(row[0])
    calm, fast = (mean(0.9, 0.4, seconds, window) for window in (15.0, 5.0))
    assert (percent(calm * 100), percent(fast * 100)) == row[1:3]
    assert proposed(calm, fast, 8) == proposed(calm, None, 8) == int(row[3])
