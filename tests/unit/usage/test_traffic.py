"""Rates of network counters over windows, against a plain model of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.usage.traffic import Traffic

Reading = tuple[float, int, int]


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """Readings 5 or 15 s apart, now and then late; counters that sometimes begin anew."""
    steps = draw(
        st.lists(
            st.tuples(
                st.floats(0.5, 6.0) | st.floats(10.0, 60.0),
                st.integers(0, 1 << 30) | st.just(-1),
                st.integers(0, 1 << 30),
            ),
            min_size=1,
            max_size=200,
        )
    )
    at, received, sent = 1000.0, 0, 0
    readings = []
    for seconds, more, out in steps:
        at += seconds
        received, sent = (0, 0) if more < 0 else (received + more, sent + out)
        readings.append((at, received, sent))
    return readings


def naive(readings: list[Reading], window: float) -> list[Reading]:
    """The readings since the last new start that a window covers."""
    kept: list[Reading] = []
    for reading in readings:
        if kept and (reading[1] < kept[-1][1] or reading[2] < kept[-1][2]):
            kept = []
        kept.append(reading)
    start = kept[-1][0] - window
    return [r for r in kept if r[0] <= start][-1:] + [r for r in kept if r[0] > start]


@given(readings=histories(), window=st.floats(1.0, 120.0))
def test_a_rate_is_the_slope_over_the_window(readings: list[Reading], window: float) -> None:
    """The difference of the counters over that of their times; at least two readings."""
    traffic = Traffic(120.0)
    for reading in readings:
        traffic.append(*reading)
    since_start = naive(readings, float("inf"))
    if len(since_start) < 2:
        assert traffic.received(window) is traffic.sent(window) is None
        return
    covered = naive(readings, window)
    first, last = (covered if len(covered) > 1 else since_start[-2:])[0], covered[-1]
    span = last[0] - first[0]
    assert traffic.received(window) == pytest.approx(((last[1] - first[1]) / span, span))
    assert traffic.sent(window) == pytest.approx(((last[2] - first[2]) / span, span))


def test_an_old_or_doubled_reading_is_left_out() -> None:
    """Time only goes on."""
    traffic = Traffic(60.0)
    for at, received in ((10.0, 0), (20.0, 100), (20.0, 500), (15.0, 700)):
        traffic.append(at, received, 0)
    assert traffic.received(60.0) == (10.0, 10.0)
    assert traffic.newest == 20.0


def test_a_day_takes_no_more_than_an_hour() -> None:
    """What is older than the horizon goes, what is asked for stays."""
    traffic = Traffic(60.0)
    traffic.reserve(300.0)
    traffic.reserve(30.0)
    for second in range(0, 86_400, 5):
        traffic.append(second, second * 7, second)
    assert len(traffic) <= 130
    assert traffic.received(300.0) == (7.0, 300.0)
