"""The model against what a real Swarm was seen to do (tests/conformance)."""

from pathlib import Path

import pytest

from tests.conformance import recorded
from tests.conformance.changes import CHANGES, Change
from tests.conformance.play import Scenario
from tests.conformance.simulated import difference
from tests.conformance.suite import SCENARIOS

_BY_NAME = {one.name: one for one in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_the_model_does_what_a_real_swarm_did(scenario: Scenario) -> None:
    """A client of the simulated Swarm sees what one of a real Swarm saw."""
    different = difference(scenario)
    assert not different, different


def test_every_scenario_was_recorded() -> None:
    """There are as many recordings as scenarios, under the same names."""
    assert {path.stem for path in recorded.FOLDER.glob("*.json")} == set(_BY_NAME)
    assert len(_BY_NAME) == len(SCENARIOS)


def test_the_docs_tell_of_every_scenario_and_change() -> None:
    """The tables in docs/simulate.md are those of the suite."""
    told = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text()
    for one in SCENARIOS:
        assert f"| `{one.name}` | {one.about} |" in told
    for change in CHANGES:
        caught = ", ".join(f"`{name}`" for name in change.caught_by)
        assert f"| {change.name} | {caught} |" in told


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.name)
def test_a_changed_model_is_caught(change: Change) -> None:
    """Each scenario that is named beside a deliberate change of the model notices it."""
    with change.apply():
        for name in change.caught_by:
            assert difference(_BY_NAME[name]), f"{name} does not notice that {change.name}"
    for name in change.caught_by:
        assert not difference(_BY_NAME[name]), "the change outlived its block"
