"""Whole decisions in every kind of situation, as they were read and found right.

After a wanted change: `python -m tests.unit.decide.test_golden` writes them anew, and the diff of
decisions.json shows every sentence and number that changed.
"""

import json
from pathlib import Path

import pytest

from monitor.decide import Recorded, replay
from monitor.model.codec import Codec
from monitor.model.decision import Decision
from monitor.model.reason import Reason
from tests.unit.decide.edge_scenarios import edges
from tests.unit.decide.healing_scenarios import healing
from tests.unit.decide.restart_scenarios import restarts
from tests.unit.decide.scenarios import everything

FILE = Path(__file__).with_name("decisions.json")
SITUATIONS = everything() | edges() | restarts() | healing()


def told(recorded: Recorded) -> dict[str, object]:
    """The decision as plain data, less its time."""
    found = Codec().encode(replay(recorded), Decision)
    del found["time"]
    return found


@pytest.fixture(scope="module")
def known():
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_decision_is_the_known_one(name, known):
    """Action, number, reason, sentence, stages, inputs and conditions are as they were."""
    assert told(SITUATIONS[name]) == known[name]


def test_every_situation_is_known(known):
    """No situation is left over, and none is missing."""
    assert sorted(known) == sorted(SITUATIONS)


def test_every_reason_of_the_core_occurs():
    """What only control can say is the rest: so no reason is without a situation."""
    elsewhere = {
        Reason.DRY_RUN, Reason.NOT_ACTOR, Reason.IN_FLIGHT, Reason.CONFLICT, Reason.PAUSED,
        Reason.WRITE_LIMIT, Reason.RESTART_LIMIT,
    }  # fmt: skip
    of_nodes = {Reason.DRAINED, Reason.DRAIN_OVER, Reason.DRAIN_LIFTED, Reason.QUORUM}
    of_nodes.add(Reason.LAST_NODE)
    assert {replay(one).reason for one in SITUATIONS.values()} == set(Reason) - elsewhere - of_nodes


def main() -> None:
    lines = [
        f"{json.dumps(name)}: {json.dumps(told(one), sort_keys=True)}"
        for name, one in sorted(SITUATIONS.items())
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
