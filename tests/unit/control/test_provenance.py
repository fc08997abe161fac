import pytest

from monitor.control.provenance import LEFT_OVER_AFTER, Provenance
from monitor.control.survival import _lean
from monitor.model.now import Now

STATE = {"by": "other-1", "term": 4, "serial": 9, "wall": 5000.0}


def at(mono: float, wall: float = 0.0) -> Now:
    return Now(mono, wall)


def test_one_that_looks_all_the_time_trusts_its_own_clock():
    """It saw the state change 30 s ago: then it was written, whatever the wall clocks say."""
    seen = Provenance("me-1")
    seen.saw(None, at(95.0, 9e9))
    assert seen.saw(STATE, at(100.0, 9e9))
    assert not seen.saw(STATE, at(105.0, 9e9))
    assert seen.as_written(at(130.0, 0.0)) == Now(130.0, 5030.0)


@pytest.mark.parametrize(("wall", "then"), [(5600.0, 5610.0), (4000.0, 5010.0)])
def test_one_that_starts_has_the_wall_clocks_alone(wall, then):
    """No less time has passed since the state was written than none."""
    seen = Provenance("me-1")
    seen.saw(STATE, at(100.0, wall))
    assert seen.as_written(at(110.0, 1.0)) == Now(110.0, then)


def test_one_that_was_away_for_long_does_not_know_when_it_changed():
    """Frozen for a minute: the state may have been written at any moment of it."""
    seen = Provenance("me-1")
    seen.saw(STATE, at(100.0, 5000.0))
    seen.saw(STATE | {"serial": 10, "wall": 5001.0}, at(160.0, 5060.0))
    assert seen.as_written(at(160.0)).wall == 5060.0


def test_a_state_says_whose_it_is():
    """Its own newest one, an own older one, one of an agent that began to act later."""
    seen = Provenance("me-1")
    older, newest = seen.envelope(3), seen.envelope(3)
    assert [seen.is_own(older), seen.is_newest_own(older)] == [True, False]
    assert seen.is_newest_own(newest)
    assert [seen.is_later(STATE, term) for term in (3, 4, 5)] == [True, True, False]
    assert not seen.is_later(newest, 1)
    assert not seen.is_later({"by": "x", "term": "9"}, 1)


def test_a_state_nobody_writes_is_left_over_once_this_agent_had_its_term_as_long():
    """Both count: how long nobody wrote, and how long this agent holds the lease."""
    seen = Provenance("me-1")
    seen.saw(STATE, at(0.0))
    seen.acting(1, at(100.0))
    seen.acting(1, at(110.0))
    assert not seen.left_over(at(100.0 + LEFT_OVER_AFTER - 1))
    assert seen.left_over(at(100.0 + LEFT_OVER_AFTER))
    seen.saw(STATE | {"serial": 10}, at(120.0))
    assert not seen.left_over(at(120.0 + LEFT_OVER_AFTER - 1))
    assert seen.term == 4


def test_a_state_that_is_too_large_loses_what_only_explains():
    """Cooldowns and budgets of what is there are kept."""
    whole = {
        "deeds": [1, 2],
        "services": {"s1": {"r1": {"set_by_us": 1}, "old": {"gone": 1}}, "s2": {"r1": {"gone": 2}}},
        "marks": [3],
    }
    assert _lean(whole) == {
        "deeds": [],
        "services": {"s1": {"r1": {"set_by_us": 1}}},
        "marks": [3],
    }
