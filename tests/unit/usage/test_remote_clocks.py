"""Clocks and ways of the reports one by one: what begins a history anew, and what does not."""

import math
from dataclasses import replace

import pytest

from monitor.model.peer import TaskReading
from monitor.model.usage import MetricKind
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

RECEIVE = MetricKind.NETWORK_RECEIVE


def test_a_reading_from_after_its_report_is_refused() -> None:
    """A second is rounding, and does not make it younger; more is garbage."""
    usage = usage_of()
    for second in range(3):
        item = with_network(second, 10, second + 0.9)
        assert usage.take(NODE, report_of(second, item), float(second)) == 0
    for kind in (MetricKind.CPU, MetricKind.MEMORY):
        assert sample(usage, 2.0 + 4.99, kind) is not None
        assert sample(usage, 2.0 + 5.01, kind) is None
    assert sample(usage, 2.0 + 5.0 + 4.99, RECEIVE) is not None
    assert sample(usage, 2.0 + 5.0 + 5.01, RECEIVE) is None
    ahead = replace(with_network(3, 10, 4.5), network_at=3.0)
    assert usage.take(NODE, report_of(3.0, ahead), 3.0) == 1
    network_ahead = replace(with_network(3, 10, 3.5), network_at=4.5)
    assert usage.take(NODE, report_of(3.0, network_ahead), 3.0) == 1


def test_a_pause_beyond_reason_is_refused() -> None:
    """No sender can make an old reading pass for new by a long pause."""
    for field in ("pause", "network_pause"):
        good = with_network(1, 10, 1.0)
        for bad in (61.0, math.inf, math.nan, -1.0):
            usage = usage_of()
            assert usage.take(NODE, report_of(1.0, replace(good, **{field: bad})), 1.0) == 1


def test_a_task_whose_readings_go_back_begins_anew() -> None:
    """Also where the report's own time goes on; a second later there is a rate again."""
    usage = usage_of()
    for second in range(100, 110):
        item = with_network(second, 10, float(second))
        usage.take(NODE, report_of(float(second), item), float(second))
    item = with_network(110, 10, 106.0)
    usage.take(NODE, report_of(110.0, item), 110.0)
    assert sample(usage, 110.0) is None
    assert sample(usage, 110.0, RECEIVE) is None
    usage.take(NODE, report_of(111.0, with_network(111, 10, 107.0)), 111.0)
    got = sample(usage, 111.0)
    assert got is not None
    assert (got.value, got.span) == (pytest.approx(0.5), pytest.approx(1.0))


def test_network_times_that_go_back_begin_anew() -> None:
    """While CPU goes on."""
    usage = usage_of()
    for second, read_at in ((100, 100.0), (101, 101.0), (102, 98.0)):
        item = replace(with_network(second, 10, float(second)), network_at=read_at)
        usage.take(NODE, report_of(float(second), item), float(second))
    assert sample(usage, 102.0) is not None
    assert sample(usage, 102.0, RECEIVE) is None


def test_a_clock_set_back_a_little_makes_no_short_interval() -> None:
    """Readings may still go forward then, by less than the time that passed."""
    usage = usage_of()
    for second in range(30):
        step, rest = (0.0, 0.9) if second < 11 else (-1.5, 0.1)
        item = TaskReading(TASK, second + step - rest, reading_at(second + 9 - rest))
        usage.take(NODE, report_of(second + step, item), float(second))
        got = sample(usage, float(second))
        assert (got is None) == (second in {0, 11})
        assert got is None or got.value == pytest.approx(0.5)


def test_silence_keeps_the_history() -> None:
    """The first report after 20 s of silence has a rate at once: over all that time."""
    usage = usage_of()
    end = play(usage, 0, 10)
    play(usage, end + 20, 1)
    got = sample(usage, end + 20)
    assert got is not None
    assert (got.value, got.span) == (pytest.approx(0.5), pytest.approx(20.0))


def test_a_stream_that_stood_still_keeps_the_history() -> None:
    """Reports that come 20 s late, all at once, are as good as if they had come in time."""
    usage = usage_of()
    play(usage, 0, 10)
    for second in range(10, 30):
        item = TaskReading(TASK, second + 1000.0, reading_at(second))
        usage.take(NODE, report_of(second + 1000.0, item), 30.0)
    end = play(usage, 31, 2)
    got = sample(usage, end)
    assert got is not None
    assert (got.value, got.span) == (pytest.approx(0.5), pytest.approx(15.0))


def test_one_late_report_keeps_the_history() -> None:
    """That the next one is fast again is no step of the sender's clock."""
    usage = usage_of()
    play(usage, 0, 10)
    usage.take(NODE, report_of(1010.0, TaskReading(TASK, 1010.0, reading_at(10))), 30.0)
    play(usage, 31, 1)
    got = sample(usage, 31.0)
    assert got is not None
    assert (got.value, got.span) == (pytest.approx(0.5), pytest.approx(21.0))


def test_network_counters_are_as_old_as_the_report_says() -> None:
    """3 s old when sent, and a pause of 5 s: stale 7 s after the report came."""
    usage = usage_of()
    for second in range(3):
        item = replace(with_network(second, 10, float(second)), network_at=second - 3.0)
        usage.take(NODE, report_of(float(second), item), float(second))
    assert sample(usage, 2.0 + 6.99, RECEIVE) is not None
    assert sample(usage, 2.0 + 7.01, RECEIVE) is None


def test_clocks_that_drift_apart_do_not_hide_a_step() -> None:
    """After hours with a clock that is 0.05 % slow, setting it 10 s ahead is seen."""
    usage = usage_of()
    for hundred in range(400):
        sent_at = 100.0 * hundred * (1 - 0.0005)
        item = TaskReading(TASK, sent_at, reading_at(sent_at))
        usage.take(NODE, report_of(sent_at, item), 100.0 * hundred)
    assert sample(usage, 39900.0) is not None
    item = TaskReading(TASK, sent_at + 11.0, reading_at(sent_at + 1.0))
    usage.take(NODE, report_of(sent_at + 11.0, item), 39901.0)
    assert sample(usage, 39901.0) is None


def test_a_step_ahead_after_one_back_is_seen() -> None:
    """After a start anew the clock is followed from there."""
    usage = usage_of()
    end = play(usage, 0, 10, offset=1000.0)
    end = play(usage, end + 1, 10, offset=900.0)
    assert sample(usage, end) is not None
    end = play(usage, end + 1, 1, offset=950.0)
    assert sample(usage, end) is None


def test_a_task_that_was_on_the_node_stays_there() -> None:
    """The Swarm may forget a task before its container ends: its history is not refused."""
    where = {TASK: NODE}
    usage = usage_of(where)
    end = play(usage, 0, 10)
    where.clear()
    end = play(usage, end + 1, 40)
    assert sum(usage.refused.values()) == 0
    assert TASK in usage.tasks_of(NODE)
    assert sample(usage, end) is None
    where[TASK] = NODE
    got = sample(usage, end)
    assert got is not None
    assert got.span == pytest.approx(15.0)


def test_a_report_without_a_time_says_nothing() -> None:
    """It is counted, ends no task, and does not disturb the clock that is followed."""
    for time in (math.nan, math.inf, -math.inf, None):
        usage = usage_of()
        end = play(usage, 0, 10)
        assert usage.take(NODE, replace(report_of(0.0), sent_at=time), end + 0.5) == 1
        assert TASK in usage.tasks_of(NODE)
        end = play(usage, end + 1, 1)
        got = sample(usage, end)
        assert got is not None
        assert got.span == pytest.approx(10.0)
