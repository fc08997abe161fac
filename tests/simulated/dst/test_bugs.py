"""Deliberate bugs of the agent do not escape: each breaks a promise on a stored plan, and nothing
does without it. How the plans were found: `python -m tests.simulated.dst.catch --help`."""

from pathlib import Path

import pytest

from tests.simulated.dst.bugs import LISTED
from tests.simulated.dst.catch import lived
from tests.simulated.dst.caught import Stored, stored, table
from tests.simulated.dst.run import one

DOCS = Path(__file__).parents[3] / "docs" / "simulation-tests.md"
STORED = [
    pytest.param(each, id=each.name, marks=() if each.name in LISTED else pytest.mark.thorough)
    for each in stored()
]


@pytest.mark.parametrize("found", STORED)
def test_the_bug_is_caught(found: Stored) -> None:
    """With the bug the stored plan breaks the stored promise; without it, none at all."""
    broken = lived(found.name, found.plan, rests=not found.promise)
    assert found.promise in {violation.promise for violation in broken}
    whole = one(found.plan)
    assert not whole.violations, whole.violations[:3]


def test_what_is_caught_is_told_of() -> None:
    """Of each listed bug a plan is stored; the docs tell which promise it breaks, and its seed."""
    assert set(LISTED) <= {each.name for each in stored()}
    told = DOCS.read_text()
    assert table(listed=True) in told
    assert table(listed=False) in told
