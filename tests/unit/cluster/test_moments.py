from monitor.cluster.moments import FAILURES_KEPT, Moments
from monitor.model.task import TaskState
from tests.unit.build import task


def by_id(*tasks):
    return {one.id: one for one in tasks}


def test_waiting_is_counted_from_when_it_was_first_seen():
    """A task without a node keeps its first moment until it gets one."""
    moments, waiting = Moments(), by_id(task(1, state=TaskState.PENDING, node_id=""))
    moments.update({}, waiting, "t1", 10.0, watched=True)
    moments.update(waiting, waiting, "t1", 12.0, watched=True)
    assert moments.pending_since == {"task1": 10.0}
    moments.update(waiting, by_id(task(1, state=TaskState.ASSIGNED)), "t1", 13.0, watched=True)
    assert moments.pending_since == {}


def test_a_task_that_ran_before_the_first_list_has_run_for_long():
    """Nobody knows since when, so it is not taken for a fresh one."""
    moments, running = Moments(), by_id(task(1))
    moments.update({}, running, "t1", 10.0, watched=False)
    both = running | by_id(task(2))
    moments.update(running, both, "t1", 20.0, watched=True)
    assert moments.running_since == {"task2": 20.0}


def test_starting_is_counted_from_when_it_was_first_seen_and_kept_while_it_runs():
    """A task that was not seen starting has no such moment, nor has one that ended."""
    moments, starts = Moments(), by_id(task(1, state=TaskState.STARTING))
    moments.update({}, starts, "t1", 10.0, watched=False)
    moments.update(starts, starts, "t1", 12.0, watched=True)
    runs = by_id(task(1), task(2))
    moments.update(starts, runs, "t1", 30.0, watched=True)
    assert moments.starting_since == {"task1": 10.0}
    assert moments.running_since == {"task1": 30.0, "task2": 30.0}
    moments.update(runs, by_id(task(1, state=TaskState.FAILED)), "t1", 40.0, watched=True)
    assert moments.starting_since == {}


def test_a_failure_is_seen_once_and_forgotten_in_time():
    """One failed task is one failure, however often it is read again."""
    moments, before = Moments(), by_id(task(1))
    failed = by_id(task(1, state=TaskState.FAILED, desired_state=TaskState.SHUTDOWN))
    moments.update(before, failed, "t1", 10.0, watched=True)
    moments.update(failed, failed, "t1", 11.0, watched=True)
    assert moments.failed_at == (10.0,)
    moments.update(failed, failed, "t1", 11.0 + FAILURES_KEPT, watched=True)
    assert moments.failed_at == ()


def test_what_was_told_to_stop_or_is_being_replaced_has_not_failed():
    """Scale-downs and updates end tasks too."""
    moments = Moments()
    leaving = by_id(task(1, desired_state=TaskState.SHUTDOWN))
    moments.update(leaving, by_id(task(1, state=TaskState.FAILED)), "t1", 10.0, watched=True)
    old_spec = by_id(task(2, template="old"))
    ended = by_id(task(2, template="old", state=TaskState.FAILED))
    moments.update(old_spec, ended, "t1", 11.0, watched=True)
    assert moments.failed_at == ()


def test_what_had_failed_before_anybody_looked_is_not_news():
    """The history found at the start is no crash loop of now."""
    moments = Moments()
    moments.update({}, by_id(task(1, state=TaskState.FAILED)), "t1", 10.0, watched=False)
    assert moments.failed_at == ()


def test_what_a_rule_stopped_is_no_failure_whichever_is_known_first():
    """Else our own stops would look like a crash loop, and hold back what they are for."""
    both = by_id(task(1), task(2))
    ended = by_id(task(1, state=TaskState.FAILED), task(2, state=TaskState.FAILED))
    before, after = Moments(), Moments()
    before.update({}, both, "t1", 10.0, watched=True)
    before.stopped_by_us("task1", 11.0)
    before.update(both, ended, "t1", 12.0, watched=True)
    after.update({}, both, "t1", 10.0, watched=True)
    after.update(both, ended, "t1", 12.0, watched=True)
    assert after.failed_at == (12.0, 12.0)
    after.stopped_by_us("task1", 12.5)
    assert before.failed_at == after.failed_at == (12.0,)
    before.stopped_by_us("task9", 12.0 + FAILURES_KEPT)
    assert before.failed_at == ()
