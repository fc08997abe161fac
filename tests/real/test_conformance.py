"""The recordings of tests/conformance against a real Swarm of today."""

import asyncio

import pytest

from tests.conformance import recorded
from tests.conformance.play import Scenario, Transcript
from tests.conformance.real import play_real
from tests.conformance.suite import SCENARIOS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> dict[str, Transcript | Exception]:
    """All the scenarios that were chosen, on one Swarm."""
    chosen = {
        item.callspec.params["scenario"].name
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    }
    return asyncio.run(play_real([one for one in SCENARIOS if one.name in chosen]))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_a_real_swarm_does_what_was_recorded(
    scenario: Scenario, played: dict[str, Transcript | Exception]
) -> None:
    """What the model is held against is what the engine of this machine does."""
    seen = played[scenario.name]
    if isinstance(seen, Exception):
        raise seen
    different = recorded.differences(scenario.name, seen, "real")
    assert not different, different
