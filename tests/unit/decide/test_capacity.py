"""What the nodes have room for, and tasks that wait for a node."""

import pytest

from monitor.decide import decide
from monitor.model.action import ScaleTo
from monitor.model.reason import Reason
from monitor.model.room import Room
from monitor.model.task import TaskState
from tests.unit.decide.make import (
    NOW,
    calm_rule,
    condition,
    cpu,
    history,
    later,
    rule,
    stage,
    task,
    view,
)

FULL = Room(4, "no node has 0.5 cores free")


def waiting(running, pending, since=60.0):
    """That many running tasks and tasks that have waited for a node for `since` seconds."""
    tasks = [task(slot) for slot in range(1, running + 1)]
    waits = range(running + 1, running + pending + 1)
    tasks += [task(slot, state=TaskState.PENDING, node_id="") for slot in waits]
    seen = {one.id: NOW.mono - since for one in tasks[running:]}
    return view(running + pending, tasks=tasks, pending_since=seen)


def test_what_does_not_fit_is_not_requested():
    """2 want 8 and 4 fit: 4, and the sentence says how many fit and why no more."""
    decision = decide(rule(), view(2, room=FULL), cpu(2.0, 2), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(4), Reason.ABOVE_TARGET)
    assert "6 are wanted, 4 fit (no node has 0.5 cores free)" in decision.sentence
    assert condition(decision, "ScalingLimited") == (True, "InsufficientCapacity")
    assert (stage(decision, "bounded"), stage(decision, "capacity")) == (6, 4)
    assert decision.binding == "capacity"


@pytest.mark.parametrize("room", [Room(4, "full"), Room(2, "full"), Room(0)])
def test_where_nothing_more_fits_the_reason_is_capacity(room):
    """At 4 with room for 4 or fewer in all: nothing is added, nor taken away."""
    decision = decide(rule(), view(room=room), cpu(1.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.CAPACITY)
    assert f"stays at 4 although 8 are wanted: {room.tasks} fit" in decision.sentence
    assert decision.would_change == f"room for more than {room.tasks} tasks"
    assert condition(decision, "ScalingLimited") == (True, "InsufficientCapacity")


def test_unknown_or_ample_room_never_blocks():
    """None is no limit; 8 is just enough for 8."""
    assert decide(rule(), view(), cpu(1.0), history(), NOW).action == ScaleTo(8)
    ample = decide(rule(), view(room=Room(8)), cpu(1.0), history(), NOW)
    assert ample.action == ScaleTo(8)
    assert condition(ample, "ScalingLimited") == (False, "DesiredWithinRange")


def test_min_is_requested_all_the_same():
    """With room for 1 and a min of 3 the Swarm is asked for 3."""
    decision = decide(rule(3), view(1, room=Room(1)), cpu(0.5, 1), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(3), Reason.BELOW_MIN)


def test_scaling_down_needs_no_room():
    """Less than what runs fits: that lowers nothing by itself, and stands against nothing."""
    full = view(room=Room(1))
    assert decide(calm_rule(), full, cpu(0.5), history(), NOW).action is None
    assert decide(calm_rule(), full, cpu(0.25), history(), NOW).action == ScaleTo(2)


def test_while_tasks_wait_for_long_nothing_is_added():
    """4 run under load and 2 have waited for a minute: more would only wait too."""
    decision = decide(rule(most=20), waiting(4, 2), cpu(2.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.CAPACITY)
    assert "2 tasks have waited for a node for up to 60 s" in decision.sentence
    assert condition(decision, "ScalingLimited") == (True, "InsufficientCapacity")
    assert decision.would_change == "the waiting tasks have a node"
    one = decide(rule(most=20), waiting(4, 1), cpu(2.0), history(), NOW)
    assert "1 task has waited for a node" in one.sentence


@pytest.mark.parametrize(("since", "blocked"), [(15.0, False), (15.1, True)])
def test_a_task_that_waits_briefly_is_on_its_way(since, blocked):
    """Up to 15 s a task may just not have been placed yet."""
    seen = waiting(4, 1, since)
    decision = decide(rule(most=20), seen, cpu(2.0), history(), NOW)
    assert (decision.reason is Reason.CAPACITY) is blocked


def test_tasks_that_wait_for_long_do_not_hold_scale_down():
    """4 of 10 run at 20 % of 50 %, 6 have found no node for a minute: 2 do."""
    decision = decide(calm_rule(), waiting(4, 6), cpu(0.2), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(2), Reason.BELOW_TARGET)
    notes = {one.task_id: one.note for one in decision.inputs}
    assert notes["task5"] == "waits for a node"


def test_tasks_on_their_way_still_hold_scale_down():
    """One of the missing tasks is being prepared: its load may be out of sight."""
    seen = waiting(4, 2)
    tasks = (*seen.tasks[:5], task(6, state=TaskState.PREPARING))
    preparing = view(6, tasks=tasks, pending_since=seen.pending_since)
    decision = decide(calm_rule(), preparing, cpu(0.2), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)
    brief = decide(calm_rule(), waiting(4, 6, 10.0), cpu(0.2), history(), NOW)
    assert (brief.action, brief.reason) == (None, Reason.NOT_CONVERGED)


def test_a_mark_of_a_task_that_got_its_node_counts_no_more():
    """What was pending and runs by now neither waits nor blocks."""
    seen = view(pending_since={"task1": NOW.mono - 60})
    assert decide(rule(), seen, cpu(1.0), history(), NOW).action == ScaleTo(8)


def test_a_node_that_joins_lets_it_go_on():
    """The same load with more room: it grows by itself."""
    before = decide(rule(), view(room=FULL), cpu(1.0), history(), NOW)
    after = decide(rule(), view(room=Room(7)), cpu(1.0), history(), later(30))
    assert (before.action, after.action) == (None, ScaleTo(7))
