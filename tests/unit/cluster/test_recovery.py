from dataclasses import replace

import pytest

from monitor.cluster.recovery import BOUNDS, Recoveries
from monitor.model.service import ServiceMode
from monitor.model.task import TaskState
from tests.unit.build import service, task
from tests.unit.cluster.endings import Player, recorded

RUNS = task(1)
DEAD = task(1, state=TaskState.FAILED, desired_state=TaskState.SHUTDOWN, since=10.0)
NEXT = replace(task(1, since=17.0), id="next")


def told(*steps, of=None, lost=False):
    recoveries, before = Recoveries(), ()
    for now, after in enumerate(steps):
        recoveries.tasks(of or service(), before, after, float(now), lost=lambda _: lost)
        before = after
    return recoveries.durations.get("web")


def test_a_slot_recovers_when_a_task_runs_in_it_again():
    """From the end of the one to the start of the next, as their nodes timed them."""
    starting = replace(NEXT, state=TaskState.STARTING, since=15.0)
    found = told((RUNS,), (DEAD, starting), (DEAD, NEXT))
    assert (found.count, found.seconds) == (1, 7.0)
    assert found.buckets[BOUNDS.index(10.0)] == 1


def test_a_crash_loop_is_one_outage():
    """Tasks that fail before they run do not begin it anew."""
    failed = replace(NEXT, id="bad", state=TaskState.REJECTED, since=12.0)
    found = told((RUNS,), (DEAD,), (DEAD, failed), (failed, NEXT))
    assert (found.count, found.seconds) == (1, 7.0)


def test_what_was_wanted_is_no_outage():
    """An update and a scale-down end tasks, too, and history is none of ours."""
    leaving = replace(RUNS, desired_state=TaskState.SHUTDOWN)
    ended = replace(leaving, state=TaskState.SHUTDOWN)
    assert told((RUNS,), (leaving,), (ended, NEXT)) is None
    assert told((RUNS,), (replace(RUNS, desired_state=TaskState.REMOVE),), ()) is None


def test_a_lost_node_is_an_outage_from_when_it_is_known():
    """The task still counts as running there, but nobody can say so."""
    leaving = replace(RUNS, desired_state=TaskState.SHUTDOWN)
    found = told((RUNS,), (leaving,), (leaving, NEXT), lost=True)
    assert (found.count, found.seconds) == (1, 16.0)


def test_jobs_do_not_recover():
    """Their tasks are meant to end."""
    job = service(mode=ServiceMode.REPLICATED_JOB)
    assert told((RUNS,), (DEAD,), (DEAD, NEXT), of=job) is None


def test_places_that_are_gone_are_forgotten():
    """A service scaled down after a crash leaves nothing behind."""
    recoveries = Recoveries()
    recoveries.tasks(service(), (RUNS,), (DEAD,), 1.0, lost=lambda _: False)
    assert recoveries._down
    recoveries.tasks(service(), (DEAD,), (), 2.0, lost=lambda _: False)
    assert not recoveries._down


@pytest.mark.parametrize(("name", "count"), [("kill_9", 1), ("oom", 1), ("update", 0)])
def test_recorded_recoveries(name, count):
    """A real Swarm's: with the 2 s of restart delay, and what starting took on a busy machine."""
    player = Player()
    for step in recorded(name):
        player.play(step)
    found = player.ends.recoveries.durations.get(name)
    assert (found.count if found else 0) == count
    if found:
        assert 2.0 < found.seconds < 10.0
