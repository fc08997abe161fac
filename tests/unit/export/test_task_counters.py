"""Failures and restarts as differences of task lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.export.failure import FailureReason, failure_reason
from monitor.export.task_counters import TaskCounters
from monitor.model.task import TaskState
from tests.unit.export.things import START, service, task

OLD = service(created_at=START - 1)
NEW = service(created_at=START + 1)


def failed(id_: str, **changes: object) -> object:
    return task(
        id_, state=TaskState.FAILED, exit_code=1, error="task: non-zero exit (1)", **changes
    )


def test_history_counts_nothing() -> None:
    """Failures from before the agent's start do not appear as new ones."""
    counters = TaskCounters(START)
    counters.observe(OLD, [failed("t0", created_at=1.0), task("t1", created_at=2.0)])
    assert sum(counters.failures("s1").values()) == 0
    assert counters.restarts("s1", "1") == 0


def test_a_failure_and_its_replacement_count_once() -> None:
    """A task that fails is one failure, its successor one restart, however often looked at."""
    counters = TaskCounters(START)
    counters.observe(OLD, [task("t1")])
    for _ in range(3):
        counters.observe(OLD, [failed("t1"), task("t2", created_at=2000.0)])
    assert counters.failures("s1")["nonzero_exit"] == 1
    assert sum(counters.failures("s1").values()) == 1
    assert counters.restarts("s1", "1") == 1


def test_a_service_created_while_running_counts_from_its_first_task() -> None:
    """A new service that fails before the first look is counted."""
    counters = TaskCounters(START)
    counters.observe(NEW, [failed("t1"), failed("t2", created_at=2000.0)])
    assert counters.failures("s1")["nonzero_exit"] == 2
    assert counters.restarts("s1", "1") == 1


def test_scaling_up_is_no_restart() -> None:
    """A task in a slot that was empty replaces nothing, also where the slot was used long ago."""
    counters = TaskCounters(START)
    counters.observe(OLD, [task("t1"), task("t2", slot=2)])
    counters.observe(OLD, [task("t1")])
    counters.observe(OLD, [task("t1"), task("t3", slot=2), task("t4", slot=3)])
    assert [counters.restarts("s1", place) for place in "123"] == [0, 0, 0]


def test_global_services_count_by_node() -> None:
    """A global service's task replaces the one on the same node."""
    counters = TaskCounters(START)
    counters.observe(
        OLD, [task("t1", slot=None, node_id="n1"), task("t2", slot=None, node_id="n2")]
    )
    counters.observe(
        OLD,
        [
            failed("t1", slot=None, node_id="n1"),
            task("t3", slot=None, node_id="n1", created_at=2000.0),
            task("t2", slot=None, node_id="n2"),
        ],
    )
    assert counters.restarts("s1", "n1") == 1
    assert counters.restarts("s1", "n2") == 0


def test_oom_needs_the_event_near_the_end() -> None:
    """A task that ends right after its out-of-memory event died of it; long after, not."""
    counters = TaskCounters(START)
    counters.observe(OLD, [task("t1"), task("t2", slot=2)])
    counters.oom("t1", at=3000.0)
    counters.oom("t2", at=2000.0)
    counters.observe(OLD, [failed("t1", since=3001.0), failed("t2", slot=2, since=3001.0)])
    assert counters.failures("s1")["oom"] == 1
    assert counters.failures("s1")["nonzero_exit"] == 1


def test_a_task_that_fits_nowhere_counts_once_and_may_fail_later() -> None:
    """Being unschedulable is a failure of its own, counted once while it lasts."""
    counters = TaskCounters(START)
    stuck = task("t1", state=TaskState.PENDING, error="no suitable node (insufficient resources)")
    counters.observe(NEW, [stuck])
    counters.observe(NEW, [stuck])
    counters.observe(NEW, [failed("t1")])
    assert counters.failures("s1")["no_suitable_node"] == 1
    assert counters.failures("s1")["nonzero_exit"] == 1


def test_a_removed_service_is_forgotten() -> None:
    """Dropped services leave nothing behind."""
    counters = TaskCounters(START)
    counters.observe(NEW, [failed("t1")])
    counters.drop("s1")
    assert counters.failures("s1") == {}
    assert counters.restarts("s1", "1") == 0


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 20), st.integers(1, 3), st.booleans()),
            unique_by=lambda item: item[0],
        )
    )
)
def test_counters_never_decrease(looks: list[list[tuple[int, int, bool]]]) -> None:
    """Whatever lists come in, no counter goes down while the service is there."""
    counters = TaskCounters(START)
    before: list[int] = [0] * 10
    for look in looks:
        counters.observe(
            NEW,
            [
                failed(str(n), slot=slot) if bad else task(str(n), slot=slot)
                for n, slot, bad in look
            ],
        )
        failures = counters.failures("s1")
        now = [failures[reason] for reason in FailureReason]
        now += [counters.restarts("s1", str(slot)) for slot in (1, 2, 3)]
        assert all(new >= old for new, old in zip(now, before, strict=True))
        before = now


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("no suitable node (insufficient resources on 2 nodes)", "no_suitable_node"),
        ("no suitable node (host-mode port already in use on 1 node)", "port_conflict"),
        ("No such image: web:nope", "image_pull"),
        ("pull access denied for web, repository does not exist", "image_pull"),
        ("task: non-zero exit (3)", "nonzero_exit"),
        ("task: non-zero exit (137): dockerexec: unhealthy container", "unhealthy"),
        ("driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", "port_conflict"),
        ('invalid mount config for type "bind"', "other"),
        ("", "other"),
    ],
)
def test_reasons_are_a_closed_set(error: str, reason: str) -> None:
    """Phrases of the Engine come to one of a few reasons; all else is `other`."""
    assert failure_reason(task(error=error), oom=False) == reason
    assert failure_reason(task(error=error), oom=True) == "oom"
