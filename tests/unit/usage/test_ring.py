"""Windows over recent readings, against a plain model of them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from monitor.usage.ring import Ring

Reading = tuple[float, float, float]


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """Readings about a second apart, now and then late, with counters that sometimes restart."""
    steps = draw(
        st.lists(
            st.tuples(
                st.floats(0.6, 1.4) | st.floats(1.4, 40.0),
                st.floats(0.0, 4.0) | st.just(-1.0),  # cores, or a new start
                st.integers(0, 1 << 40),
            ),
            min_size=1,
            max_size=150,
        )
    )
    at, cpu = 1000.0, 0.0
    readings = []
    for seconds, cores, memory in steps:
        at += seconds
        cpu = 0.0 if cores < 0 else cpu + cores * seconds
        readings.append((at, cpu, float(memory)))
    return readings


def naive(readings: list[Reading], window: float) -> list[Reading]:
    """The readings that a window covers: from the one at or before its start to the newest."""
    since_start: list[Reading] = []
    for reading in readings:
        if since_start and reading[1] < since_start[-1][1]:
            since_start = []
        since_start.append(reading)
    start = since_start[-1][0] - window
    before = [reading for reading in since_start if reading[0] <= start]
    after = [reading for reading in since_start if reading[0] > start]
    return before[-1:] + after


def filled(readings: list[Reading], horizon: float) -> Ring:
    ring = Ring(horizon, 1.0)
    for reading in readings:
        ring.append(*reading)
    return ring


@given(histories(), st.floats(1.0, 30.0))
def test_cpu_is_the_slope_over_the_window(readings: list[Reading], window: float) -> None:
    """Mean cores are the difference of the counters over the difference of their times."""
    ring = filled(readings, 60.0)
    expected = naive(readings, window)
    found = ring.cpu(window)
    if len(expected) < 2:
        assert found is None
        return
    assert found is not None
    (first, last), span = (expected[0], expected[-1]), expected[-1][0] - expected[0][0]
    assert math.isclose(found[1], span)
    assert math.isclose(found[0], (last[1] - first[1]) / span, abs_tol=1e-9)


@given(histories(), st.floats(1.0, 30.0))
def test_memory_is_the_mean_over_the_window(readings: list[Reading], window: float) -> None:
    """Mean bytes are those of all readings that the window covers."""
    expected = naive(readings, window)
    found = filled(readings, 60.0).memory(window)
    assert found is not None
    assert math.isclose(found[0], sum(r[2] for r in expected) / len(expected), abs_tol=1e-3)
    assert math.isclose(found[1], expected[-1][0] - expected[0][0], abs_tol=1e-9)


@given(histories(), st.floats(1.0, 60.0))
def test_cpu_is_never_negative(readings: list[Reading], window: float) -> None:
    """A counter that starts anew never shows as negative usage."""
    found = filled(readings, 60.0).cpu(window)
    assert found is None or (found[0] >= 0 and found[1] > 0)


@given(st.lists(st.floats(0.7, 1.3), min_size=200, max_size=400), st.floats(1.0, 60.0))
def test_history_covers_the_horizon_in_spite_of_jitter(steps: list[float], window: float) -> None:
    """With readings about each second, a window within the horizon is covered as a whole.

    Jitter is that of ticks about a grid: late ones do not push later ones back.
    """
    ring = Ring(60.0, 1.0)
    for number, step in enumerate(steps):
        ring.append(number + step, number * 0.5, 1.0)
    found = ring.cpu(window)
    assert found is not None
    assert found[1] >= window - 1e-6
    assert found[1] <= window + 1.7


def test_one_reading_gives_memory_but_no_cpu() -> None:
    """CPU takes two readings; memory is known at once, over no time at all."""
    ring = filled([(1.0, 5.0, 100.0)], 60.0)
    assert ring.cpu(15.0) is None
    assert ring.memory(15.0) == (100.0, 0.0)


def test_no_reading_gives_nothing() -> None:
    """An empty ring has no values."""
    ring = Ring(60.0, 1.0)
    assert ring.cpu(15.0) is None
    assert ring.memory(15.0) is None
    assert ring.newest is None


def test_short_history_says_how_short_it_is() -> None:
    """A window longer than the history covers what there is, and says so."""
    ring = filled([(0.0, 0.0, 1.0), (1.0, 0.5, 1.0), (2.0, 1.0, 1.0)], 60.0)
    assert ring.cpu(15.0) == (0.5, 2.0)


def test_missed_ticks_are_bridged_by_the_reading_before_them() -> None:
    """After a gap the window reaches back over it rather than to nothing."""
    ring = filled([(0.0, 0.0, 1.0), (30.0, 3.0, 1.0)], 60.0)
    assert ring.cpu(5.0) == (0.1, 30.0)


def test_a_reading_that_is_not_newer_is_left_out() -> None:
    """The same moment twice would divide by zero."""
    ring = filled([(1.0, 1.0, 1.0), (1.0, 2.0, 1.0), (0.5, 3.0, 1.0)], 60.0)
    assert len(ring) == 1


def test_a_ring_grows_and_keeps_what_it_has() -> None:
    """A longer window asked for later keeps more from then on, and loses nothing."""
    ring = filled([(float(i), i * 0.25, 1.0) for i in range(60)], 60.0)
    ring.reserve(300.0)
    for second in range(60, 400):
        ring.append(float(second), second * 0.25, 1.0)
    assert ring.cpu(300.0) == (0.25, 300.0)


def test_a_ring_is_bounded() -> None:
    """A day of readings takes no more room than twice the horizon."""
    ring = filled([(float(i), i * 1.0, 1.0) for i in range(86400)], 60.0)
    assert len(ring) <= 2 * 64
