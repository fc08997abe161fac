"""What other nodes' agents report: what counts, what does not, and for how long."""

from dataclasses import replace

import pytest

from monitor.model.peer import TaskReading
from monitor.model.usage import MetricKind, Network
from monitor.usage import remote_node
from monitor.usage.remote_node import Refusal
from tests.unit.usage.far_node import (
    NODE,
    TASK,
    play,
    reading_at,
    report_of,
    sample,
    usage_of,
    with_network,
)

MEMORY, RECEIVE, TRANSMIT = (
    MetricKind.MEMORY,
    MetricKind.NETWORK_RECEIVE,
    MetricKind.NETWORK_TRANSMIT,
)


def test_a_reported_task_has_samples_as_a_local_one() -> None:
    """CPU needs two reports, memory one; windows cover what was asked."""
    usage = usage_of()
    play(usage, 0, 1)
    assert sample(usage, 0.0) is None
    memory = sample(usage, 0.0, MEMORY)
    assert memory is not None
    assert (memory.value, memory.span) == (1 << 20, 0.0)
    play(usage, 1, 30)
    cpu = sample(usage, 30.25)
    assert cpu is not None
    assert (cpu.value, cpu.rising) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (cpu.span, cpu.age) == (pytest.approx(15.0), pytest.approx(0.25))


def test_silence_makes_stale_whatever_the_sender_said() -> None:
    """5 s after the newest reading the task has no sample; nothing turns into zero."""
    usage = usage_of()
    end = play(usage, 0, 10)
    assert sample(usage, end + 4.9) is not None
    assert sample(usage, end + 5.1) is None
    assert usage.tasks_of(NODE)[TASK].read_at == pytest.approx(end)


def test_an_old_reading_in_a_new_report_is_old() -> None:
    """A sender whose sampler stands still while it sends on makes its tasks stale."""
    usage = usage_of()
    end = play(usage, 0, 10)
    item = TaskReading(TASK, end + 1000.0, reading_at(end))
    for second in range(1, 9):
        usage.take(NODE, report_of(end + 1000.0 + second, item), end + second)
        fresh = sample(usage, end + second)
        assert (fresh is not None) == (second <= 5)
        assert fresh is None or fresh.age == pytest.approx(second)


def test_the_pause_of_a_source_is_not_staleness() -> None:
    """Readings that come each 5 s, told as such, are the present until the next is due."""
    usage = usage_of()
    for second in range(16):
        read_at = second - second % 5
        item = TaskReading(TASK, read_at, reading_at(read_at), pause=5.0)
        usage.take(NODE, report_of(float(second), item), 50.0 + second)
    newest = sample(usage, 50.0 + 19.0)
    assert newest is not None
    assert (newest.value, newest.age) == (pytest.approx(0.5), 0.0)
    assert sample(usage, 50.0 + 25.1) is None


def test_a_repeated_reading_keeps_the_best_time_of_it() -> None:
    """Of two reports of one reading, the one that was faster on its way tells its age."""
    usage = usage_of()
    item = TaskReading(TASK, 10.0, reading_at(10.0))
    usage.take(NODE, report_of(10.0, item), 103.0)
    usage.take(NODE, report_of(11.0, item), 103.1)
    usage.take(NODE, report_of(12.0, item), 105.0)
    newest = sample(usage, 105.0, MEMORY)
    assert newest is not None
    assert newest.age == pytest.approx(105.0 - 102.1)


def test_a_task_that_is_left_out_has_ended() -> None:
    """It has no sample and no reading from that report on; the others stay."""
    where = {TASK: NODE, "task2": NODE}
    usage = usage_of(where)
    both = [TaskReading(task, 1.0, reading_at(1.0)) for task in where]
    usage.take(NODE, report_of(1.0, *both), 1.0)
    assert usage.tasks_of(NODE).keys() == where.keys()
    usage.take(NODE, report_of(2.0, TaskReading("task2", 2.0, reading_at(2.0))), 2.0)
    assert usage.tasks_of(NODE).keys() == {"task2"}
    assert sample(usage, 2.0, MEMORY) is None
    usage.take(NODE, report_of(3.0), 3.0)
    assert usage.tasks_of(NODE) == {}


def test_what_a_dropped_node_said_counts_for_nothing() -> None:
    """Neither at once nor as history when it comes back."""
    usage = usage_of()
    end = play(usage, 0, 10)
    usage.drop(NODE)
    usage.drop("never heard of")
    assert sample(usage, end) is None
    assert usage.tasks_of(NODE) == {}
    assert usage.nodes() == frozenset()
    play(usage, end + 1, 1)
    assert sample(usage, end + 1) is None
    assert usage.nodes() == {NODE}


def test_a_task_counts_only_on_the_node_that_the_swarm_tells() -> None:
    """Another node's word on it is refused, counted, and changes nothing."""
    usage = usage_of()
    end = play(usage, 0, 10)
    play(usage, 0, 10, cores=7.0, node="node2")
    assert usage.refused[Refusal.ELSEWHERE] == 10
    assert usage.tasks_of("node2") == {}
    cpu = sample(usage, end)
    assert cpu is not None
    assert cpu.value == pytest.approx(0.5)


def test_a_report_may_come_before_the_swarms_own_news() -> None:
    """The history of an unknown task is kept for 30 s, and counts as soon as it is known."""
    where: dict[str, str] = {}
    usage = usage_of(where)
    end = play(usage, 0, 20)
    assert sample(usage, end) is None
    where[TASK] = NODE
    cpu = sample(usage, end)
    assert cpu is not None
    assert cpu.span == pytest.approx(15.0)
    assert sum(usage.refused.values()) == 0


def test_a_task_that_the_swarm_never_tells_of_is_refused_after_30_s() -> None:
    """Its readings are counted and its history goes, until the Swarm tells of it."""
    where = {TASK: ""}
    usage = usage_of(where)
    end = play(usage, 0, 31)
    assert sum(usage.refused.values()) == 0
    end = play(usage, end + 1, 5)
    assert usage.refused[Refusal.UNKNOWN] == 5
    assert usage.tasks_of(NODE) == {}
    where[TASK] = NODE
    end = play(usage, end + 1, 2)
    cpu = sample(usage, end)
    assert cpu is not None
    assert cpu.span == pytest.approx(1.0)


def test_a_counter_that_goes_back_begins_anew() -> None:
    """A container that was restarted has neither a negative rate nor its former history."""
    usage = usage_of()
    end = play(usage, 100, 20, cores=4.0)
    item = TaskReading(TASK, 1000.0 + end + 1, reading_at(1.0))
    usage.take(NODE, report_of(1000.0 + end + 1, item), end + 1)
    assert sample(usage, end + 1) is None
    item = TaskReading(TASK, 1000.0 + end + 2, reading_at(2.0))
    usage.take(NODE, report_of(1000.0 + end + 2, item), end + 2)
    cpu = sample(usage, end + 2)
    assert cpu is not None
    assert (cpu.value, cpu.span) == (pytest.approx(0.5), pytest.approx(1.0))


def test_network_rates_come_from_the_networks_own_times() -> None:
    """Counters that are read each 5 s and reported each second make no steps."""
    usage = usage_of()
    for second in range(31):
        read = with_network(second - second % 5, 1000, float(second - second % 5))
        usage.take(NODE, report_of(second, replace(read, read_at=float(second))), 70.0 + second)
    received, sent = sample(usage, 104.9, RECEIVE), sample(usage, 104.9, TRANSMIT)
    assert received is not None
    assert sent is not None
    assert (received.value, received.rising) == (pytest.approx(1000), pytest.approx(1000))
    assert (sent.value, sent.span, sent.age) == (pytest.approx(2000), 15.0, 0.0)
    assert sample(usage, 110.1, RECEIVE) is None


def test_a_task_without_a_network_of_its_own_has_no_network_sample() -> None:
    """Also where it had one before; its CPU samples stay."""
    usage = usage_of()
    for second in range(3):
        usage.take(NODE, report_of(second, with_network(second, 10, float(second))), float(second))
    assert sample(usage, 2.0, RECEIVE) is not None
    usage.take(NODE, report_of(3.0, TaskReading(TASK, 3.0, reading_at(3.0))), 3.0)
    assert sample(usage, 3.0, RECEIVE) is None
    assert sample(usage, 3.0) is not None
    assert sum(usage.refused.values()) == 0


def test_network_counters_that_go_back_or_leap_begin_anew() -> None:
    """Neither a negative rate nor one that no network has."""
    for leap in (0, 1 << 63):
        usage = usage_of()
        for second in range(100, 103):
            item = with_network(second, 1000, float(second))
            usage.take(NODE, report_of(second, item), float(second))
        network = Network(receive_bytes=leap, transmit_bytes=leap)
        item = with_network(103, 1000, 103.0)
        item = replace(item, reading=replace(item.reading, network=network))
        assert usage.take(NODE, report_of(103.0, item), 103.0) == (1 if leap else 0)
        assert sample(usage, 103.0, RECEIVE) is None
        assert sample(usage, 103.0) is not None


def test_no_memory_sample_without_a_memory_controller() -> None:
    """As of a local task: 0 bytes used means that nothing is known."""
    usage = usage_of()
    reading = replace(reading_at(1.0), memory_usage=0, working_set=0)
    usage.take(NODE, report_of(1.0, TaskReading(TASK, 1.0, reading)), 1.0)
    assert sample(usage, 1.0, MEMORY) is None


def test_history_is_kept_for_the_longest_window_asked() -> None:
    """From the first question on, for the tasks that were asked about, up to an hour."""
    usage = usage_of()
    end = play(usage, 0, 10)
    sample(usage, end, window=300.0)
    end = play(usage, end + 1, 400)
    cpu = sample(usage, end, window=300.0)
    assert cpu is not None
    assert cpu.span == pytest.approx(300.0)
    sample(usage, end, window=1e9)
    task = usage._nodes[NODE].tasks[TASK]
    play(usage, end + 1, 8000)
    assert len(task.history[0]) <= 2 * 3604


def test_a_node_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many tasks of one node no more are taken in; those before them stay."""
    monkeypatch.setattr(remote_node, "MOST_TASKS", 3)
    usage = usage_of({f"task{number}": NODE for number in range(5)})
    for second in range(2):
        items = [TaskReading(f"task{n}", second, reading_at(second)) for n in range(5)]
        assert usage.take(NODE, report_of(second, *items), float(second)) == 2
    assert usage.tasks_of(NODE).keys() == {"task0", "task1", "task2"}
    assert usage.refused[Refusal.CROWDED] == 4
    for second in (2.0, 3.0):  # the first makes room
        usage.take(
            NODE, report_of(second, TaskReading("task4", second, reading_at(second))), second
        )
    assert usage.tasks_of(NODE).keys() == {"task4"}


def test_a_task_counts_once_in_a_report() -> None:
    """The second reading of the same task in one report is refused."""
    usage = usage_of()
    one, other = (TaskReading(TASK, at, reading_at(9.0)) for at in (1.0, 1.5))
    assert usage.take(NODE, report_of(2.0, one, other), 2.0) == 1
    assert usage.refused[Refusal.GARBAGE] == 1


def test_without_a_time_the_clock_tells_when_a_report_came() -> None:
    """`received` may be left out."""
    usage = usage_of()
    usage.take(NODE, report_of(500.0, TaskReading(TASK, 499.0, reading_at(1.0))))
    assert usage.tasks_of(NODE)[TASK].read_at == pytest.approx(-1.0)
