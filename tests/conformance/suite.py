"""All scenarios of the suite."""

from __future__ import annotations

from tests.conformance.play import Scenario
from tests.conformance.scenarios import (
    bad_specs,
    events,
    health,
    life,
    lists,
    nodes,
    rollbacks,
    shapes,
    tasks,
    updates,
)

SCENARIOS: tuple[Scenario, ...] = (
    *life.SCENARIOS,
    *updates.SCENARIOS,
    *rollbacks.SCENARIOS,
    *lists.SCENARIOS,
    *tasks.SCENARIOS,
    *shapes.SCENARIOS,
    *events.SCENARIOS,
    *nodes.SCENARIOS,
    *bad_specs.SCENARIOS,
    *health.SCENARIOS,
)
