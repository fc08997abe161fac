"""How many tasks are restarted at once in the whole Swarm, and whose turn is next."""

from dataclasses import replace

import pytest

from monitor.control.book import Book
from monitor.control.restarts import GIVEN_UP_AFTER, RestartsAtOnce, Turn
from monitor.model.action import ForceUpdate, RestartTask, ScaleTo
from monitor.model.history import History
from monitor.model.outcome import OutcomeKind
from monitor.model.task import TaskState
from tests.unit.build import decision, service, task, view

ONE = RestartTask("t", "n", "c", "1")
WEB = service(id="s1", replicas=3)
WHOLE = view(service=WEB, tasks=tuple(task(n) for n in (1, 2, 3)))


def lacking(count):
    """So many of the three tasks start."""
    tasks = [task(n, state=TaskState.STARTING) for n in range(1, count + 1)]
    return replace(WHOLE, tasks=(*tasks, *(task(n) for n in range(count + 1, 4))))


def begun(count=2, at=0.0):
    made = RestartsAtOnce(5, lambda: {"s1", "s2", "s3"})
    made.start("s1", count, at)
    return made


def test_a_task_counts_until_all_of_its_service_run_again():
    """Not longer than ten minutes; what is missing for other reasons is not ours."""
    made = begun(2)
    for seen, left in ((lacking(3), 2), (lacking(2), 2), (lacking(1), 1), (lacking(2), 1)):
        made.seen(seen, rolling=False)
        assert made.under_way(1.0) == left
    made.seen(WHOLE, rolling=True)
    assert made.under_way(1.0) == 1
    made.seen(WHOLE, rolling=False)
    assert made.under_way(1.0) == 0
    made.seen(lacking(3), rolling=False)
    assert made.under_way(1.0) == 0
    assert begun(2).under_way(GIVEN_UP_AFTER) == 0


@pytest.mark.parametrize("kind", OutcomeKind)
def test_what_was_refused_counts_no_more(kind):
    """What may have been done does; another action of the service changes nothing."""
    made, sent = begun(3), kind in (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN)
    made.end(decision(ScaleTo(2), service_id="s1"), kind)
    assert made.under_way(1.0) == 3
    made.end(decision(ONE, service_id="s1"), kind)
    assert made.under_way(1.0) == (3 if sent else 2)
    made.end(decision(ForceUpdate(), service_id="s1"), kind)
    assert made.under_way(1.0) == (3 if sent else 0)
    made.end(decision(ONE, service_id="other"), kind)


def test_who_waits_longest_comes_first():
    """Those behind see what it needs as taken, and one that is gone, or had its turn, leaves."""
    made = RestartsAtOnce(5, lambda: {"s0", "s1"})
    made.start("s0", 5, 0.0)
    made.stand("s1", 4)
    made.stand("s2", 1)
    made.stand("s1", 4)
    turns = [made.turn(service(id=one), 1.0) for one in ("s1", "s2", "s3")]
    assert [(turn.under_way, turn.ahead) for turn in turns] == [(5, 0), (5, 4), (5, 5)]
    assert made.waiting == 2
    made.start("s1", 4, 1.0)
    assert made.turn(service(id="s3"), 1.0).ahead == 1
    made.forget("s2")
    made.stand("s2", 0)
    assert made.waiting == 0
    made.forget("s0")
    assert made.under_way(1.0) == 4


@pytest.mark.parametrize(
    ("config", "replicas", "weight"),
    [
        (None, 3, 1),
        ({"Parallelism": 2}, 3, 2),
        ({"Parallelism": 5}, 3, 3),
        ({"Parallelism": 0}, 3, 3),
        ({}, 3, 3),
        ({"Parallelism": 2}, None, 2),
    ],
)
def test_a_whole_service_weighs_what_its_update_replaces_at_once(config, replicas, weight):
    """None at all, where it is the Swarm's own default of one; all of them, where it is 0."""
    spec = {} if config is None else {"UpdateConfig": config}
    found = RestartsAtOnce(5, dict).turn(service(replicas=replicas, raw={"Spec": spec}), 0.0)
    assert found.weight(ForceUpdate()) == weight
    assert found.weight(ONE) == 1
    assert Turn().weight(ScaleTo(1)) == 0


def test_what_was_under_way_before_is_taken_over():
    """Of the last ten minutes, by what the histories tell; what is known here stays as it is, and
    what is no service (any more) counts for nothing."""
    book = Book()
    book.keep_history("s1", "leak", History(restarts=(1.0, 950.0)))
    book.keep_history("s1", "even", History(restarts=(900.0,)))
    book.take_over(("s2", "leak"), History(restarts=(940.0,)), 960.0)
    book.keep_history("s3", "leak", History(restarts=(100.0,)))
    book.keep_history("s4", "leak", History())
    assert book.restarted() == {"s1": 950.0, "s2": 940.0, "s3": 100.0}
    made = begun(2, 955.0)
    made.take_over(book.restarted() | {"node1": 999.0, "gone": 999.0}, 1000.0)
    assert made.under_way(1000.0) == 3
    made.seen(WHOLE, rolling=False)
    assert made.under_way(1000.0) == 1
