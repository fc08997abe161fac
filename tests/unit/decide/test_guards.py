"""The rollout guard: when nothing may be written, and what ends it."""

import pytest

from monitor.decide import decide, guard_recheck, guard_sentence, rollout_guard
from monitor.model.action import ScaleTo
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.service import UpdateState
from monitor.model.task import TaskState
from tests.unit.decide.make import NOW, VERSION, calm_rule, cpu, history, rule, service, task, view

FOREIGN = VERSION - 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (UpdateState.UPDATING, Reason.ROLLOUT_IN_PROGRESS),
        (UpdateState.ROLLBACK_STARTED, Reason.ROLLOUT_IN_PROGRESS),
        (UpdateState.PAUSED, Reason.ROLLOUT_PAUSED),
        (UpdateState.ROLLBACK_PAUSED, Reason.ROLLOUT_PAUSED),
        (UpdateState.COMPLETED, None),
        (UpdateState.ROLLBACK_COMPLETED, None),
        (None, None),
    ],
)
def test_update_states(state, reason):
    """A running or paused rollout blocks, even after our own write; a finished one does not."""
    seen = view(of=service(4, update_state=state))
    assert rollout_guard(seen, VERSION, NOW) is reason
    if reason is not None:
        assert "ends when" in guard_sentence(seen, reason, NOW)
        assert guard_recheck(seen, VERSION, NOW) is None


@pytest.mark.parametrize("own", [None, FOREIGN])
def test_a_foreign_change_blocks_for_two_seconds(own):
    """Also with all tasks on the template: the rollout may not have begun to show."""
    seen = view(version_since=NOW.mono - 1.5, tasks_read_at=NOW.mono)
    assert rollout_guard(seen, own, NOW) is Reason.ROLLOUT_IN_PROGRESS
    assert guard_recheck(seen, own, NOW) == pytest.approx(0.5)
    assert rollout_guard(seen, VERSION, NOW) is None
    later = Now(NOW.mono + 0.5, NOW.wall)
    assert rollout_guard(seen, own, later) is None


def test_the_gap_after_a_deploy_holds_while_tasks_are_old():
    """No status yet and a task on the old template: blocked however long it takes."""
    old = [task(1), task(2, template="old")]
    seen = view(2, tasks=old, version_since=NOW.mono - 60, tasks_read_at=NOW.mono - 1)
    assert rollout_guard(seen, FOREIGN, NOW) is Reason.ROLLOUT_IN_PROGRESS
    assert guard_recheck(seen, FOREIGN, NOW) is None


def test_tasks_read_before_the_change_prove_nothing():
    """A list that was asked for before the new version was seen may be the old world's."""
    seen = view(version_since=NOW.mono - 60, tasks_read_at=NOW.mono - 61)
    assert rollout_guard(seen, FOREIGN, NOW) is Reason.ROLLOUT_IN_PROGRESS


def test_ended_tasks_of_older_templates_do_not_block():
    """Tasks that the Swarm keeps as history are not live ones."""
    ended = task(9, template="old", state=TaskState.FAILED, desired_state=TaskState.SHUTDOWN)
    seen = view(2, tasks=[task(1), task(2), ended], version_since=NOW.mono - 60)
    assert rollout_guard(seen, FOREIGN, NOW) is None


def test_a_status_ends_the_gap_whatever_the_tasks():
    """A completed rollout after the change: two seconds later it may be written again."""
    seen = view(
        of=service(4, update_state=UpdateState.COMPLETED),
        tasks=[task(1, template="old")],
        version_since=NOW.mono - 3,
    )
    assert rollout_guard(seen, FOREIGN, NOW) is None


def test_old_facts_block():
    """Out of touch with the managers nothing is judged and nothing is remembered."""
    seen = view(fresh=False)
    assert rollout_guard(seen, VERSION, NOW) is Reason.OUT_OF_SYNC
    decision = decide(rule(), seen, cpu(1.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.OUT_OF_SYNC)
    assert (decision.desired, decision.recommendation) == (None, None)


def test_what_a_rollout_holds_back_is_still_shown():
    """During an update the wanted count is in the decision, and afterwards it acts."""
    updating = view(of=service(4, update_state=UpdateState.UPDATING))
    decision = decide(rule(), updating, cpu(1.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.ROLLOUT_IN_PROGRESS)
    assert decision.desired == 8
    assert "from 4 to 8 replicas" in decision.sentence
    assert decide(rule(), view(), cpu(1.0), history(), NOW).action == ScaleTo(8)


def test_low_load_during_a_rollout_is_not_remembered():
    """Scale-down needs a calm window after a rollout: the size in force is what is remembered."""
    updating = view(of=service(4, update_state=UpdateState.UPDATING))
    decision = decide(calm_rule(), updating, cpu(0.1), history(), NOW)
    assert (decision.desired, decision.recommendation) == (1, 4)
