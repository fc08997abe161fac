import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.control.survivors import (
    LONGEST_BUDGET,
    LONGEST_COOLDOWN,
    alike,
    decode_history,
    encode_history,
    survived,
    surviving,
)
from monitor.model.history import History, Recommendation, ScaleEvent, Seen
from monitor.model.now import Now

WRITER = Now(5_000_000.0, 1_700_000_000.0)
ages = st.floats(0.0, 3500.0)
counts = st.integers(0, 10**6)


@st.composite
def histories(draw) -> History:
    """What may survive, with moments within the last hour before WRITER."""

    def moments(size: int) -> tuple[float, ...]:
        return tuple(sorted(WRITER.mono - age for age in draw(st.lists(ages, max_size=size))))

    changes = st.integers(-50, 50)
    return History(
        events=tuple(ScaleEvent(at, draw(changes)) for at in moments(6)),
        restarts=moments(6),
        restored=moments(3),
        own_version=draw(st.none() | counts),
        set_by_us=draw(st.none() | counts),
        scaled_to_zero_by_us=draw(st.booleans()),
        zero_by_user=draw(st.booleans()),
        reset=draw(st.booleans()),
        seen=draw(st.none() | st.builds(Seen, counts, counts, st.text(max_size=8), st.booleans())),
    )


@given(histories(), st.floats(0.0, 90.0), st.floats(0.0, 1e7))
def test_every_age_comes_back_on_another_machine(history, later, mono):
    """Whatever that machine's monotonic clock says: to the millisecond, and all else as it was."""
    data = encode_history(history, WRITER)
    now = Now(mono, WRITER.wall + later)
    read, left_out = decode_history(data, now)
    assert left_out == 0
    assert [event.change for event in read.events] == [event.change for event in history.events]
    for mine, theirs in (
        ([event.at for event in history.events], [event.at for event in read.events]),
        (history.restarts, read.restarts),
        (history.restored, read.restored),
    ):
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert abs((WRITER.mono - one + later) - (now.mono - other)) < 0.001
    blank = {"events": (), "restarts": (), "restored": ()}
    assert alike(_with(history, **blank), _with(read, **blank))


def _with(history: History, **fields) -> History:
    values = {name: getattr(history, name) for name in History.__slots__}
    return History(**(values | fields))


@given(histories(), st.floats(-1e6, 0.0))
def test_a_clock_that_is_behind_makes_nothing_older(history, skew):
    """What seems to come of the future has just happened: a cooldown begins anew, never ends."""
    now = Now(0.0, WRITER.wall - 3600.0 + skew)
    read, _ = decode_history(encode_history(history, WRITER), now)
    assert [event.at for event in read.events] == [0.0] * len(history.events)
    assert list(read.restarts) == [0.0] * len(history.restarts)


def test_what_no_window_counts_any_more_is_left_out():
    """The newest change serves cooldowns of up to a day, restarts budgets of up to 30 days."""
    at = WRITER.mono
    history = History(
        events=(ScaleEvent(at - 7300, 1), ScaleEvent(at - 7200, 2)),
        restarts=(at - LONGEST_BUDGET - 1, at - LONGEST_BUDGET + 1),
        restored=(at - 3601, at - 3599),
    )
    read, _ = decode_history(encode_history(history, WRITER), WRITER)
    assert [event.change for event in read.events] == [2]
    assert [len(read.restarts), len(read.restored)] == [1, 1]
    later = Now(at, WRITER.wall + LONGEST_COOLDOWN)
    assert decode_history(encode_history(history, WRITER), later)[0].events == ()
    assert encode_history(History(events=(ScaleEvent(at - 86401, 1),)), WRITER) == {}


def test_a_new_history_takes_no_room():
    """Thousands of rules that never did anything cost nothing."""
    assert encode_history(History(started=True), WRITER) == {}


@pytest.mark.parametrize(
    ("data", "left_out"),
    [
        ({"events": [[1.0, 2], "x", [1.0], [None, 1], [1.0, 2.5], [float("nan"), 1]]}, 5),
        ({"events": {"a": 1}}, 1),
        ({"restarts": [1, "2", True, None]}, 3),
        ({"seen": [1, 2]}, 1),
        ({"seen": [1, -2, "t", True]}, 1),
        ({"set_by_us": "3", "zero_by_us": 1, "reset": "no", "own_version": -1}, 4),
        ({"a": 1, "what_a_newer_release_knows": [1]}, 0),
    ],
)
def test_garbage_is_left_out_and_counted(data, left_out):
    """What can be read is read; unknown names are no garbage."""
    assert decode_history(data, WRITER)[1] == left_out


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
NAMES = ("events", "restarts", "restored", "own_version", "set_by_us", "zero_by_us", "seen")


@given(st.dictionaries(st.sampled_from(NAMES), json_values))
def test_no_json_whatever_breaks_the_reading(data):
    """It is a history in the end, and no moment in it lies after now."""
    read, _ = decode_history(data, WRITER)
    assert all(event.at <= WRITER.mono for event in read.events)
    assert all(at <= WRITER.mono for at in (*read.restarts, *read.restored))


def test_own_observations_are_kept_apart():
    """What an agent gathers itself is not stored, and not replaced by what is stored."""
    own = History(
        started=True,
        recommendations=(Recommendation(1.0, 2),),
        holding=(("a", 1.0),),
        failing_since=3.0,
        set_by_us=7,
    )
    stored = History(set_by_us=3, restarts=(1.0,))
    merged = survived(own, stored)
    assert (merged.set_by_us, merged.restarts) == (3, (1.0,))
    assert (merged.recommendations, merged.holding) == (own.recommendations, own.holding)
    assert surviving(own) == History(set_by_us=7)
