"""What rules that restart, move or drain remember, through the state that outlives an agent."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.control.survivors import alike, decode_history, encode_history, survived, surviving
from monitor.model.history import BreakerState, Course, Deploy, History, Trial
from monitor.model.now import Now

WRITER = Now(5_000_000.0, 1_700_000_000.0)
moments = st.floats(0.0, 80_000.0).map(lambda age: WRITER.mono - age)
counts = st.integers(0, 10**6)
courses = st.builds(
    Course,
    deploy=st.none() | st.builds(Deploy, st.text(max_size=9), st.none() | moments, st.text()),
    breaker=st.builds(
        BreakerState,
        st.lists(st.builds(Trial, st.text(max_size=9), moments, st.booleans(), counts)).map(tuple),
        st.none() | moments,
        st.none() | moments,
    ),
    handled=st.just((("cron 0 4 * * * UTC", 1_699_999_000.0), ("restarted db", WRITER.mono - 7))),
    parked=st.none() | counts,
    moves_needed=st.none() | counts,
    moves_in_vain=counts,
    layout=st.text(max_size=9),
    drained_until=st.none() | st.floats(-100.0, 90_000.0).map(lambda rest: WRITER.mono + rest),
    acted_version=counts,
)


@given(courses)
def test_a_course_comes_back_on_the_same_clocks(course):
    """Every field, to the millisecond; the end of a drain stays as far off as it was."""
    data = json.loads(json.dumps(encode_history(History(course=course), WRITER)))
    read, left_out = decode_history(data, WRITER)
    assert left_out == 0
    for mine, theirs in zip(course.breaker.trials, read.course.breaker.trials, strict=True):
        assert theirs == replace(mine, at=pytest.approx(mine.at, abs=0.001))
    if course.deploy is not None:
        at = None if course.deploy.at is None else pytest.approx(course.deploy.at, abs=0.001)
        assert read.course.deploy == replace(course.deploy, at=at)
    assert replace(read.course, **_TIMES) == replace(course, **_TIMES)
    if course.drained_until is not None:
        assert read.course.drained_until == pytest.approx(course.drained_until, abs=0.002)


_TIMES = {"deploy": None, "breaker": BreakerState(), "handled": (), "drained_until": None}


def test_times_follow_the_wall_clock_of_another_machine():
    """An hour later on a machine that has just started: open for an hour longer, drain nearer."""
    course = Course(
        deploy=Deploy("d", WRITER.mono - 50),
        breaker=BreakerState((Trial("1", WRITER.mono - 60, True, 5),), WRITER.mono - 40),
        drained_until=WRITER.mono + 5000,
        handled=(("cron x UTC", 123.0), ("restarted db", WRITER.mono - 7)),
    )
    data = encode_history(History(course=course), WRITER)
    now = Now(10.0, WRITER.wall + 3600)
    read, _ = decode_history(data, now)
    assert read.course.breaker.open_since == pytest.approx(10.0 - 3640)
    assert read.course.breaker.trials[0].at == pytest.approx(10.0 - 3660)
    assert read.course.drained_until == pytest.approx(10.0 + 1400, abs=0.01)
    assert dict(read.course.handled) == {
        "cron x UTC": 123.0,
        "restarted db": pytest.approx(-3597.0),
    }
    assert read.course.deploy == Deploy("d", pytest.approx(10.0 - 3650))


@pytest.mark.parametrize(
    "course",
    [
        7,
        {"deploy": ["d"]},
        {"trials": [["1", "then", True, 1]]},
        {"parked": -1},
        {"drained_until": "soon"},
        {"handled": {"restarted db": None}},
        {"layout": 3},
    ],
)
def test_a_damaged_course_is_left_out_and_the_rest_is_kept(course):
    """One entry fewer, and the budget's restarts are still there."""
    data = {"restarts": [WRITER.wall - 5], "course": course}
    read, left_out = decode_history(data, WRITER)
    assert (left_out, read.course, len(read.restarts)) == (1, Course(), 1)


def test_an_open_breaker_is_a_change_that_is_stored():
    """And it is among what survives the agent and what the next one takes over."""
    opened = History(course=Course(breaker=BreakerState(open_since=1.0)))
    assert not alike(opened, History())
    assert surviving(opened).course == opened.course
    assert survived(History(), opened).course == opened.course
