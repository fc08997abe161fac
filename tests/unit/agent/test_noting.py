from monitor.agent.noting import Noting
from monitor.cluster.ends import Ends
from monitor.control.observer import Silent
from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.cause import Cause
from monitor.model.outcome import Outcome, OutcomeKind
from tests.unit.build import decision
from tests.unit.cluster.endings import Player, recorded


def cause_after(action, kind, *, learned=False):
    """Of the replaced task of the recorded forced update, if this was written at its version."""
    player = Player(Ends())
    first = next(step.value for step in recorded("forced") if step.kind == "service")
    noting = Noting(Silent(), player.ends)
    for step in recorded("forced"):
        player.play(step)
        if step.value is first:
            made = decision(action, service_id=first.id, version=first.version, rule="leak")
            if learned:
                noting.learned(made, None if kind is None else Outcome(kind))
            else:
                noting.wrote(made, Outcome(kind))
    return player.ends.of("forced")[-1].cause


def test_a_rules_restart_is_told_from_a_persons():
    """Also where the answer to the write was lost: the version that changed tells."""
    assert cause_after(ForceUpdate(), OutcomeKind.APPLIED) is Cause.RESTART_RULE
    assert cause_after(ForceUpdate(), OutcomeKind.UNKNOWN) is Cause.RESTART_RULE


def test_what_another_agent_did_is_told_from_a_persons():
    """As soon as its outcome is read, or nobody can tell any more what it was."""
    assert cause_after(ForceUpdate(), OutcomeKind.APPLIED, learned=True) is Cause.RESTART_RULE
    assert cause_after(ForceUpdate(), None, learned=True) is Cause.RESTART_RULE
    assert cause_after(ForceUpdate(), OutcomeKind.CONFLICT, learned=True) is Cause.UPDATE


def test_what_was_not_written_restarted_nothing():
    """Somebody else forced the update then."""
    assert cause_after(ForceUpdate(), OutcomeKind.CONFLICT) is Cause.UPDATE
    assert cause_after(ScaleTo(3), OutcomeKind.APPLIED) is Cause.UPDATE
