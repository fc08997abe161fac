import pytest

from monitor.control.gates import Gates
from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.reason import Reason
from monitor.model.rule import RuleMode
from tests.unit.build import decision, scale_rule

OPEN = Gates(dry_run=False, term=1)


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
    ],
)
@pytest.mark.parametrize("action", [ScaleTo(4), ForceUpdate()])
def test_a_closed_gate_takes_the_action_and_says_why(gates, rule, due, reason, action):
    """A decision held back does nothing, keeps its number and names the one reason."""
    held = gates.admit(decision(action, desired=4), rule, write_is_due=due)
    assert held.action is None
    assert (held.reason, held.desired) == (reason, 4)
    assert held.sentence.startswith("web: would ")


def test_a_calm_decision_keeps_its_own_reason():
    """A dry run or a standby says within_tolerance where it is."""
    gates = Gates(dry_run=True, term=None)
    assert gates.admit(decision(), scale_rule(), write_is_due=False) == decision()
