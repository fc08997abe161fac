"""Replicas that a deploy set back, and a person who sets them by hand."""

from dataclasses import replace

import pytest

from monitor.decide import decide, record_write, remember
from monitor.decide.notice import notice
from monitor.model.action import ScaleTo
from monitor.model.history import History, Seen
from monitor.model.reason import Reason
from monitor.model.room import Room
from monitor.model.schedule import AfterDeployReset
from monitor.model.service import UpdateState
from monitor.model.usage import Usage
from tests.unit.decide.make import (
    NOW,
    VERSION,
    calm_rule,
    cpu,
    event,
    history,
    later,
    rule,
    service,
    stage,
    view,
)

RESTORE = {"after_deploy_reset": AfterDeployReset.RESTORE}


def ours(**changes):
    """We set 10 at version 41, and saw it so."""
    plain = {"set_by_us": 10, "own_version": 41, "seen": Seen(41, 10, "t")}
    return history(**{**plain, **changes})


def deployed(replicas=2, *, template="t2", since=0.5, **changes):
    """A version that is not ours, just seen: another template and fewer replicas."""
    of = service(replicas, version=VERSION, template=template, **changes)
    return view(replicas, of=of, version_since=NOW.mono - since)


def test_restore_puts_back_what_a_deploy_reset_at_once():
    """10 became 2 with another template: 10 again, in the gap before the rollout shows."""
    decision = decide(rule(**RESTORE), deployed(), Usage(), ours(), NOW)
    assert decision.action == ScaleTo(10, during_rollout=True)
    assert decision.reason is Reason.DEPLOY_RESET
    assert "2 -> 10 replicas: a deploy reset it from 10 to 2" in decision.sentence
    assert stage(decision, "final") == 10
    assert (decision.binding, decision.recommendation) == ("deploy_reset", 10)


def test_wait_lets_the_rollout_end():
    """By default the guard holds, and afterwards load decides."""
    decision = decide(rule(), deployed(), cpu(0.5, 2), ours(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.ROLLOUT_IN_PROGRESS)
    past = remember(ours(), decision)
    done = view(2, of=service(2, version=43, template="t2", update_state=UpdateState.COMPLETED))
    assert decide(rule(), done, cpu(0.5, 2), past, later(60)).action is None
    assert decide(rule(), done, cpu(1.0, 2), past, later(60)).action == ScaleTo(4)


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        (None, True),
        (UpdateState.UPDATING, True),
        (UpdateState.COMPLETED, True),
        (UpdateState.ROLLBACK_COMPLETED, True),
        (UpdateState.PAUSED, False),
        (UpdateState.ROLLBACK_PAUSED, False),
        (UpdateState.ROLLBACK_STARTED, False),
    ],
)
def test_restore_never_writes_into_a_pause_or_a_rollback(state, acts):
    """A running or finished update is written to; what somebody must look at is not."""
    decision = decide(rule(**RESTORE), deployed(update_state=state), Usage(), ours(), NOW)
    assert (decision.reason is Reason.DEPLOY_RESET) is acts
    assert (decision.action is not None) is acts


def test_restore_waits_out_a_pause():
    """The reset is not forgotten while an update is paused, nor while the facts are old."""
    paused = decide(
        rule(**RESTORE), deployed(update_state=UpdateState.PAUSED), Usage(), ours(), NOW
    )
    past = remember(ours(), paused)
    assert past.reset
    stale = decide(rule(**RESTORE), replace(deployed(), fresh=False), Usage(), past, later(5))
    assert stale.reason is Reason.OUT_OF_SYNC
    past = remember(past, stale)
    resumed = deployed(update_state=UpdateState.UPDATING)
    assert decide(rule(**RESTORE), resumed, Usage(), past, later(9)).action == (
        ScaleTo(10, during_rollout=True)
    )


def test_restore_acts_once_per_deploy():
    """Once written, it is over: the next lower number is somebody else's doing anew."""
    decision = decide(rule(**RESTORE), deployed(), Usage(), ours(), NOW)
    past = record_write(remember(ours(), decision), decision, NOW)
    assert (past.reset, past.set_by_us, past.restored) == (False, 10, (NOW.mono,))
    assert past.seen == Seen(VERSION, 10, "t2")
    again = deployed(template="t3", since=0.1)
    again = replace(again, service=replace(again.service, version=VERSION + 5))
    second = decide(rule(**RESTORE), again, Usage(), past, later(60))
    assert second.reason is Reason.DEPLOY_RESET


def test_a_failed_write_is_decided_again():
    """What was never written stays to be put right."""
    first = decide(rule(**RESTORE), deployed(), Usage(), ours(), NOW)
    past = remember(ours(), first)
    updating = deployed(update_state=UpdateState.UPDATING)
    updating = replace(updating, service=replace(updating.service, version=VERSION + 1))
    second = decide(rule(**RESTORE), updating, Usage(), past, later(1))
    assert second.action == ScaleTo(10, during_rollout=True)
    assert second.version == VERSION + 1


def test_three_restorations_an_hour_are_enough():
    """Who resets it a fourth time means it: the reason says so, then load decides."""
    tired = ours(restored=(NOW.mono - 3000, NOW.mono - 600, NOW.mono - 60))
    held = decide(rule(**RESTORE), deployed(), cpu(0.5, 2), tired, NOW)
    assert (held.action, held.reason) == (None, Reason.FOREIGN_CHANGES)
    assert "again after 3 restorations within 1h" in held.sentence
    assert (held.desired, held.recommendation, held.recheck_after) == (2, 10, 1.0)
    past = remember(tired, held)
    settled = deployed(update_state=UpdateState.COMPLETED, since=60.0)
    after = decide(rule(**RESTORE), settled, cpu(1.0, 2), past, later(60))
    assert (after.action, after.reason) == (ScaleTo(4), Reason.ABOVE_TARGET)
    rested = ours(restored=(NOW.mono - 3600, NOW.mono - 600, NOW.mono - 60))
    assert decide(rule(**RESTORE), deployed(), Usage(), rested, NOW).reason is Reason.DEPLOY_RESET


def test_a_person_at_the_replicas_is_not_fought():
    """Only the replicas differ and it belongs to no stack: theirs from now on."""
    by_hand = deployed(template="t")
    decision = decide(rule(**RESTORE), by_hand, cpu(0.5, 2), ours(), NOW)
    assert decision.reason is Reason.ROLLOUT_IN_PROGRESS
    past = remember(ours(), decision)
    assert (past.set_by_us, past.reset) == (None, False)


def test_a_stacks_deploy_without_changes_is_a_deploy():
    """The same template, but a stack: its deploy sends the file's number every time."""
    stacked = deployed(template="t", stack="shop")
    decision = decide(rule(**RESTORE), stacked, Usage(), ours(), NOW)
    assert decision.reason is Reason.DEPLOY_RESET


@pytest.mark.parametrize("replicas", [10, 12])
def test_a_deploy_that_does_not_lower_is_no_reset(replicas):
    """As many as we set, or more: nothing to restore."""
    decision = decide(rule(1, 20, **RESTORE), deployed(replicas), Usage(), ours(), NOW)
    assert decision.reason is Reason.ROLLOUT_IN_PROGRESS


def test_a_deploy_that_says_zero_switches_off():
    """A file with 0 replicas is a wish, not a reset."""
    for least in (0, 1):
        decision = decide(rule(least, **RESTORE), deployed(0), Usage(), ours(), NOW)
        assert (decision.action, decision.reason) == (None, Reason.SCALED_TO_ZERO_BY_USER)


def test_what_is_restored_lies_within_the_bounds_and_the_room():
    """Of 10 only 6 are allowed by now, or fit; and never fewer than there are."""
    assert decide(rule(1, 6, **RESTORE), deployed(), Usage(), ours(), NOW).action == (
        ScaleTo(6, during_rollout=True)
    )
    full = replace(deployed(), room=Room(5, "full"))
    assert decide(rule(**RESTORE), full, Usage(), ours(), NOW).action == (
        ScaleTo(5, during_rollout=True)
    )
    none_left = replace(deployed(), room=Room(1, "full"))
    assert decide(rule(**RESTORE), none_left, Usage(), ours(), NOW).action is None
    assert decide(rule(1, 2, **RESTORE), deployed(), Usage(), ours(), NOW).action is None


def test_without_a_number_of_our_own_there_is_nothing_to_restore():
    """A rule that never wrote, or has just started, leaves a deploy's number to load."""
    fresh = ours(set_by_us=None)
    assert decide(rule(**RESTORE), deployed(), Usage(), fresh, NOW).action is None
    assert decide(rule(**RESTORE), deployed(), Usage(), History(), NOW).action is None


def test_a_reset_that_load_made_good_is_over():
    """After our next write, or once the number is back, nothing is pending."""
    pending = remember(ours(), decide(rule(), deployed(), Usage(), ours(), NOW))
    assert pending.reset
    back = notice(pending, Seen(VERSION + 1, 10, "t2"))
    assert not back.reset
    more = decide(rule(), deployed(since=60.0, update_state=UpdateState.COMPLETED), cpu(1.0, 2),
                  pending, NOW)  # fmt: skip
    written = record_write(pending, more, NOW)
    assert (written.reset, written.set_by_us, written.restored) == (False, 4, ())


def test_our_own_write_is_no_foreign_change():
    """10 -> 4 by our own version changes nothing of what is known to be ours."""
    past = notice(ours(own_version=50), Seen(50, 4, "t"))
    assert (past.set_by_us, past.reset, past.seen) == (10, False, Seen(50, 4, "t"))


def test_an_old_answer_is_not_news():
    """A list from before our write was seen shows the version we decided on: it is ignored."""
    decision = decide(calm_rule(), view(), cpu(0.1), history(), NOW)
    past = record_write(remember(history(), decision), decision, NOW)
    assert past.seen == Seen(VERSION, 1, "t")
    assert notice(past, Seen(VERSION, 4, "t")) == past


def test_another_persons_number_after_ours_is_noticed():
    """We wrote 1 and somebody 4 again before we saw ours: the 4 is theirs."""
    decision = decide(calm_rule(), view(), cpu(0.1), history(), NOW)
    past = record_write(remember(history(), decision), decision, NOW)
    assert past.set_by_us == 1
    assert notice(past, Seen(VERSION + 2, 4, "t")).set_by_us is None


def test_a_status_of_the_swarm_is_no_change_of_replicas():
    """The version moves when an update's status does; who set the replicas stays."""
    past = notice(ours(zero_by_user=False), Seen(42, 10, "t2"))
    assert (past.set_by_us, past.reset) == (10, False)
    zero = History(seen=Seen(5, 0, "t"), zero_by_user=True)
    assert notice(zero, Seen(6, 0, "t")).zero_by_user


def test_noticing_twice_changes_nothing():
    """What was noticed is not noticed again."""
    once = notice(ours(), Seen(42, 2, "t2"))
    assert notice(once, Seen(42, 2, "t2")) == once
    assert notice(ours(), None) == ours()


def test_restorations_older_than_an_hour_are_forgotten():
    """What is kept does not grow."""
    past = ours(restored=(NOW.mono - 3600, NOW.mono - 10), events=(event(10, 1),))
    decision = decide(rule(**RESTORE), deployed(), Usage(), past, NOW)
    assert record_write(past, decision, NOW).restored == (NOW.mono - 10, NOW.mono)
