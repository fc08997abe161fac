from dataclasses import replace

import pytest

from monitor.control.ceiling import NoRoom
from monitor.control.gates import Gates
from monitor.control.pauses import Pauses
from monitor.control.restarts import Turn
from monitor.model.action import ForceUpdate, RestartTask, ScaleTo
from monitor.model.now import Now
from monitor.model.pause import PauseScope
from monitor.model.reason import Reason
from monitor.model.rule import RuleMode
from tests.unit.build import decision, scale_rule

NOW = Now(100.0, 1_000_000.0)
OPEN = Gates(dry_run=False, term=1, now=NOW)
PAUSED = Pauses().having(PauseScope.RULE, "r1", 60.0, NOW, note="tests")


def test_an_open_gate_lets_the_decision_through():
    """What nothing holds back is what was decided, unchanged."""
    wanted = decision(ScaleTo(4))
    assert OPEN.admit(wanted, scale_rule(), write_is_due=False) is wanted


@pytest.mark.parametrize(
    ("gates", "rule", "due", "reason"),
    [
        (OPEN, scale_rule(mode=RuleMode.DRY_RUN), False, Reason.DRY_RUN),
        (Gates(dry_run=True, term=1), scale_rule(), False, Reason.DRY_RUN),
        (
            Gates(dry_run=False, term=None, why_not_actor="m1 acts"),
            scale_rule(),
            False,
            Reason.NOT_ACTOR,
        ),
        (OPEN, scale_rule(), True, Reason.IN_FLIGHT),
        (replace(OPEN, pauses=PAUSED), scale_rule(), False, Reason.PAUSED),
        (replace(OPEN, no_room=NoRoom(30, 110.0)), scale_rule(), False, Reason.WRITE_LIMIT),
    ],
)
@pytest.mark.parametrize("action", [ScaleTo(4), ForceUpdate()])
def test_a_closed_gate_takes_the_action_and_says_why(gates, rule, due, reason, action):
    """A decision held back does nothing, keeps its number and names the one reason."""
    held = gates.admit(decision(action, desired=4), rule, write_is_due=due)
    assert held.action is None
    assert (held.reason, held.desired) == (reason, 4)
    assert held.sentence.startswith("web: would ")
    assert held.binding == reason
    assert held.would_change


def test_a_calm_decision_keeps_its_own_reason():
    """A dry run or a standby says within_tolerance where it is."""
    gates = Gates(dry_run=True, term=None)
    assert gates.admit(decision(), scale_rule(), write_is_due=False) == decision()


def test_of_several_gates_the_first_is_named():
    """Paused, dry run, not the actor, in flight, the ceiling: each hides those after it."""
    gates = Gates(True, None, "m1 acts", NOW, PAUSED, NoRoom(30, 110.0))
    reasons = []
    for opened in ({}, {"pauses": Pauses()}, {"dry_run": False}, {"term": 1}):
        gates = replace(gates, **opened)
        reasons.append(gates.admit(decision(ScaleTo(4)), scale_rule(), write_is_due=True).reason)
    reasons.append(gates.admit(decision(ScaleTo(4)), scale_rule(), write_is_due=False).reason)
    assert reasons == ["paused", "dry_run", "not_actor", "in_flight", "write_limit"]


@pytest.mark.parametrize(
    ("action", "turn", "held"),
    [
        (RestartTask("t", "n", "c", "1"), Turn(5, under_way=4), False),
        (RestartTask("t", "n", "c", "1"), Turn(5, under_way=5), True),
        (RestartTask("t", "n", "c", "1"), Turn(5, under_way=3, ahead=2), True),
        (RestartTask("t", "n", "c", "1", move=True), Turn(1, under_way=1), True),
        (ForceUpdate(), Turn(5, under_way=2, parallel=3), False),
        (ForceUpdate(), Turn(5, under_way=3, parallel=3), True),
        (ForceUpdate(), Turn(5, parallel=50), False),
        (ForceUpdate(), Turn(5, ahead=1, parallel=50), True),
        (ScaleTo(4), Turn(1, under_way=9), False),
    ],
)
def test_restarts_wait_while_too_many_tasks_are_being_restarted(action, turn, held):
    """By how many it restarts at once, with those that waited longer; one that is larger than the
    limit goes alone. It is told how many there are, and is looked at again soon."""
    found = replace(OPEN, turn=turn).admit(decision(action), scale_rule(), write_is_due=False)
    assert (found.action is None) is held
    if held:
        assert found.reason is Reason.RESTART_LIMIT
        assert f"of at most {turn.most} tasks restarted at once" in found.sentence
        assert found.recheck_after == 2.0


def test_a_gate_that_time_opens_is_looked_at_again_then():
    """At the end of the pause, or when there is room; sooner if the decision asked for that."""
    gates = replace(OPEN, pauses=PAUSED)
    held = gates.admit(decision(ScaleTo(4)), scale_rule(), write_is_due=False)
    assert held.recheck_after == 60.0
    assert "rule r1 is paused until" in held.sentence
    assert held.sentence.endswith("Z: tests")
    held = gates.admit(decision(ScaleTo(4), recheck_after=5.0), scale_rule(), write_is_due=False)
    assert held.recheck_after == 5.0
    held = replace(OPEN, no_room=NoRoom(1, 112.0)).admit(
        decision(ScaleTo(4)), scale_rule(), write_is_due=False
    )
    assert held.recheck_after == 12.0
    assert "1 write of this minute" in held.sentence
