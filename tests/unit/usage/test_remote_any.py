"""Whatever clocks, ways and senders do: samples of reports are right or missing."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.model.peer import TaskReading, UsageReport
from monitor.model.usage import MetricKind, Network, Reading
from monitor.usage.remote import RemoteUsage
from monitor.usage.ring import Ring
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

CPU, MEMORY = MetricKind.CPU, MetricKind.MEMORY
OFFSETS = st.floats(-1e7, 1e7)
CORES = st.floats(0.001, 128.0)


@given(
    offset=OFFSETS,
    cores=CORES,
    steps=st.lists(
        # from reading to reading, from reading to sending, on the way
        st.tuples(st.floats(0.5, 3.0), st.floats(0.0, 0.4), st.floats(0.0, 4.9)),
        min_size=2,
        max_size=60,
    ),
    window=st.floats(1.0, 60.0),
    rest=st.floats(0.0, 4.0),
)
def test_a_constant_load_is_what_the_local_sampler_would_say(
    offset: float,
    cores: float,
    steps: list[tuple[float, float, float]],
    window: float,
    rest: float,
) -> None:
    """For any jitter and any difference of the clocks, the rate within 1 %, and the same span.

    The age is that of the reading by the receiver's clock, less at most the time on the way.
    """
    usage, local = usage_of(), Ring(60.0, 1.0)
    read, received, sent = 100.0, 0.0, 0.0
    for between, waited, way in steps:
        read += between
        sent = read + waited
        received = max(received, sent + way)  # a stream keeps the order
        local.append(read, cores * read, 1 << 20)
        item = TaskReading(TASK, read + offset, reading_at(read, cores))
        assert usage.take(NODE, report_of(sent + offset, item), received) == 0
    got, memory = sample(usage, received + rest, window=window), sample(usage, received, MEMORY)
    expected, rising = local.cpu(window), local.cpu(5.0)
    assert expected is not None
    assert rising is not None
    if sent - read + rest > 5.0:
        assert got is None
        return
    assert got is not None
    assert memory is not None
    assert got.value == pytest.approx(expected[0], rel=0.01)
    assert got.rising == pytest.approx(rising[0], rel=0.01)
    # A reading just at the window's start may fall on either side of it, by rounding.
    assert got.span == pytest.approx(expected[1], abs=3.1)
    assert got.span >= min(expected[1], window) - 1e-6
    assert memory.value == 1 << 20
    truth = received + rest - read
    assert truth - (received - sent) - 1e-6 <= got.age <= truth + 1e-6


@given(
    way=st.floats(0.0, 0.3),
    step=st.one_of(st.floats(-1e6, -1.2), st.floats(6.0, 1e6)),
    before=st.integers(1, 20),
    after=st.integers(1, 20),
    cores=CORES,
)
def test_a_clock_that_is_set_or_starts_anew_makes_no_wrong_rate(
    way: float, step: float, before: int, after: int, cores: float
) -> None:
    """Wherever its clock goes, each sample there is has the true rate, and is there in 2 s."""
    usage = usage_of()
    play(usage, 100.0 + way, before, cores=cores, offset=500.0 - way)
    for second in range(after):
        at = 100.0 + before + second
        item = TaskReading(TASK, at + 500.0 + step, reading_at(at, cores))
        usage.take(NODE, report_of(at + 500.0 + step, item), at + way)
        got = sample(usage, at + way)
        assert (got is None) == (second == 0)
        assert got is None or got.value == pytest.approx(cores, rel=0.01)


@given(
    size=st.floats(1e-9, 0.09),
    times=st.integers(1, 5),
    cores=CORES,
)
def test_readings_that_are_next_to_each_other_make_no_huge_rate(
    size: float, times: int, cores: float
) -> None:
    """A clock that hardly goes on leaves readings out; the rest tell the truth."""
    usage = usage_of()
    end = play(usage, 100.0, 5, cores=cores)
    for time in range(times):
        read_at = end + 1000.0 + size * (time + 1) / times
        item = TaskReading(TASK, read_at, reading_at(end + 1 + time, cores))
        usage.take(NODE, report_of(read_at, item), end + 1 + time)
    got = sample(usage, end + 1)
    assert got is None or got.value == pytest.approx(cores, rel=0.01)


NOISE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**400), 10**400),
    st.sampled_from([math.nan, math.inf, -math.inf, None, "7", b"7", [], {}, True, -1, 1 << 64]),
)


@st.composite
def garbage(draw: st.DrawFn, second: int) -> Any:
    """A good report with some of its values gone bad."""

    def spoil(value: Any, one_in: int = 4) -> Any:
        return draw(NOISE) if draw(st.integers(1, one_in)) == 1 else value

    good = with_network(second, 1000, float(second))
    counters = good.reading.network
    assert counters is not None
    network: Any = Network(spoil(counters.receive_bytes), transmit_bytes=spoil(0))
    reading: Any = Reading(
        spoil(good.reading.cpu_seconds),
        spoil(good.reading.memory_usage),
        spoil(good.reading.working_set),
        network=spoil(network),
    )
    item: Any = TaskReading(
        spoil(TASK, 9),
        spoil(float(second), 9),
        spoil(reading, 9),
        spoil(0.0, 9),
        spoil(float(second), 9),
        spoil(5.0, 9),
    )
    return UsageReport(spoil(float(second), 9), 0.0, spoil((spoil(item, 9), item), 9))


def assert_plausible(usage: RemoteUsage, now: float) -> None:
    for kind in MetricKind:
        got = sample(usage, now, kind)
        if got is not None:
            assert got.rising is not None
            for value in (got.value, got.rising, got.age, got.span):
                assert math.isfinite(value)
                assert value >= 0
            assert got.value <= {CPU: 8192, MEMORY: 1 << 50}.get(kind, 1e12)


@given(st.data())
def test_garbage_is_refused_and_never_raises(data: st.DataObject) -> None:
    """Whatever values come, every sample is one that a machine could have."""
    usage = usage_of()
    for second in range(1, 8):
        usage.take(NODE, data.draw(garbage(second)), float(second))
        assert_plausible(usage, float(second))


@given(field=st.sampled_from(["cpu_seconds", "memory_usage", "working_set"]), value=NOISE)
def test_a_refused_reading_is_counted_and_leaves_no_zero(field: str, value: Any) -> None:
    """A value that is no size leaves the former sample to age, or none where there was none."""
    assume(value is not True and not (isinstance(value, int | float) and 0 <= value < 1e17))
    usage = usage_of()
    bad = replace(reading_at(1.0), **{field: value})
    assert usage.take(NODE, report_of(1.0, TaskReading(TASK, 1.0, bad)), 1.0) == 1
    assert sample(usage, 1.0, MEMORY) is None
    end = play(usage, 10.0, 5, offset=0.0)
    item = TaskReading(TASK, end + 1, bad)
    assert usage.take(NODE, report_of(end + 1, item), end + 1) == 1
    got = sample(usage, end + 1)
    assert got is not None
    assert (got.value, got.age) == (pytest.approx(0.5), pytest.approx(1.0))


def test_a_counter_that_leaps_costs_the_history_and_no_more() -> None:
    """More cores than any machine has are no sample; two true readings later there is one."""
    usage = usage_of()
    end = play(usage, 10.0, 5)
    item = TaskReading(TASK, end + 1001.0, reading_at(end + 1, 1e6))
    assert usage.take(NODE, report_of(end + 1001.0, item), end + 1) == 1
    assert sample(usage, end + 1) is None
    end = play(usage, end + 2, 2)
    got = sample(usage, end)
    assert got is not None
    assert got.value == pytest.approx(0.5)
