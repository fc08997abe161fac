import json

import pytest

from monitor.control.pauses import LONGEST, MOST, Pauses, TooManyPauses
from monitor.model.now import Now
from monitor.model.pause import Pause, PauseScope

NOON = 1_700_049_600.0  # 2023-11-15T12:00:00Z
START = Now(1000.0, NOON)


def later(seconds: float, wall_jump: float = 0.0) -> Now:
    return Now(START.mono + seconds, START.wall + seconds + wall_jump)


def paused(scope=PauseScope.SERVICE, name="web", seconds=7200.0, **texts) -> Pauses:
    return Pauses().having(scope, name, seconds, START, **texts)


@pytest.mark.parametrize(
    ("scope", "name", "hit", "missed"),
    [
        (PauseScope.SERVICE, "web", ("web", "load"), ("api", "load")),
        (PauseScope.RULE, "load", ("api", "load"), ("api", "leak")),
        (PauseScope.ALL, "", ("any", "rule"), None),
    ],
)
def test_a_pause_holds_what_it_names_and_nothing_else(scope, name, hit, missed):
    """A service for all rules, a rule for all services, or everything."""
    pauses = paused(scope, name)
    assert pauses.on(*hit, START) is not None
    if missed:
        assert pauses.on(*missed, START) is None


def test_a_service_named_like_a_rule_is_another_thing():
    """Pausing rule web leaves service web to other rules."""
    assert paused(PauseScope.RULE, "web").on("web", "load", START) is None


@pytest.mark.parametrize("jump", [-86400.0, 0.0, 86400.0])
def test_a_pause_lasts_as_long_as_asked_whatever_the_wall_clock_does(jump):
    """A clock that is put right neither ends a pause early nor keeps it; its shown end follows."""
    pauses = paused(seconds=7200.0)
    held = pauses.on("web", "load", later(7199.0, jump))
    assert held is not None
    assert held.until == pytest.approx(NOON + 7200.0 + jump)
    assert pauses.on("web", "load", later(7200.0, jump)) is None
    assert pauses.shown(later(7200.0, jump)) == ()
    assert pauses.next_end(later(7200.0)) is None


def test_a_pause_without_an_end_lasts():
    """Until somebody resumes it, however long."""
    pauses = paused(seconds=None)
    assert pauses.on("web", "load", later(10 * LONGEST)) is not None
    assert pauses.without(PauseScope.SERVICE, "web").on("web", "load", START) is None
    assert pauses.next_end(START) is None


def test_a_newer_word_on_the_same_thing_counts():
    """Also where it ends earlier; there is one pause of each thing."""
    pauses = paused(seconds=None).having(PauseScope.SERVICE, "web", 60.0, later(5.0))
    (only,) = pauses.shown(later(5.0))
    assert only.until == NOON + 65.0


def test_lifting_one_of_two_leaves_the_other():
    """Pauses that overlap hold on their own, and the one that lasts longest is told."""
    pauses = paused(seconds=600.0).having(PauseScope.ALL, "", 60.0, START)
    assert pauses.on("web", "load", START).scope is PauseScope.SERVICE
    assert pauses.next_end(START) == START.mono + 60.0
    pauses = pauses.without(PauseScope.SERVICE, "web")
    assert pauses.on("web", "load", START).scope is PauseScope.ALL
    assert pauses.on("web", "load", later(61.0)) is None


def test_pauses_are_listed_in_order():
    """Everything, services, rules; each by name."""
    pauses = paused(name="b").having(PauseScope.RULE, "a", None, START)
    pauses = pauses.having(PauseScope.SERVICE, "a", None, START)
    pauses = pauses.having(PauseScope.ALL, "", None, START)
    assert [pause.what for pause in pauses.shown(START)] == [
        "everything",
        "service a",
        "service b",
        "rule a",
    ]


def test_there_is_a_bound_on_pauses():
    """Memory is bounded; those that are over make room."""
    pauses = Pauses()
    for number in range(MOST):
        pauses = pauses.having(PauseScope.SERVICE, f"s{number}", 60.0, START)
    with pytest.raises(TooManyPauses):
        pauses.having(PauseScope.SERVICE, "one more", 60.0, START)
    assert pauses.having(PauseScope.SERVICE, "s0", 60.0, START)
    assert (
        len(pauses.having(PauseScope.SERVICE, "one more", 60.0, later(61.0)).shown(later(61))) == 1
    )


@pytest.mark.parametrize(
    ("pause", "sentence"),
    [
        (
            Pause(PauseScope.SERVICE, "web", NOON + 9000, NOON, "load test", "ann"),
            "service web is paused by ann until 14:30Z: load test",
        ),
        (
            Pause(PauseScope.RULE, "load", NOON + 90, NOON),
            "rule load is paused until 12:01:30Z",
        ),
        (
            Pause(PauseScope.ALL, "", NOON + 86400, NOON),
            "everything is paused until 2023-11-16 12:00Z",
        ),
        (Pause(PauseScope.ALL), "everything is paused until somebody resumes it"),
    ],
)
def test_a_pause_in_words(pause, sentence):
    """What, by whom, until when in UTC, and why."""
    assert pause.sentence == sentence


def test_a_restart_keeps_pauses():
    """Through JSON, on a machine whose monotonic clock began anew, with what is left of each."""
    pauses = paused(note="n", by="ann").having(PauseScope.ALL, "", None, START)
    stored = json.loads(json.dumps(pauses.as_state(later(600.0))))
    again = Now(5.0, NOON + 1200.0)
    read = Pauses.from_state(stored, again)
    assert read.shown(again) == pauses.shown(later(600.0))
    assert read.next_end(again) == pytest.approx(5.0 + 6000.0)


@pytest.mark.parametrize(
    ("wall", "left"),
    [
        (NOON - 86400.0, 7200.0),  # set back: no longer than it was asked for
        (NOON + 3600.0, 3600.0),
        (NOON + 7200.0, None),
        (NOON + 1e9, None),
    ],
)
def test_stored_ages_are_clamped(wall, left):
    """Another wall clock neither makes a pause longer than asked nor begin in the future."""
    now = Now(0.0, wall)
    read = Pauses.from_state(paused().as_state(START), now)
    assert read.next_end(now) == left
    assert all(pause.since <= wall for pause in read.shown(now))


def test_a_clock_set_back_while_it_lasts_ends_no_stored_pause():
    """What is stored has both of its times by the clock as it is now: none lasts less than none."""
    set_back = Now(START.mono + 60.0, START.wall + 60.0 - 86400.0)
    stored = paused().as_state(set_back)
    read = Pauses.from_state(stored, set_back)
    assert read.next_end(set_back) == paused().next_end(set_back)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"scope": "planet", "name": "", "since": 0, "until": None},
        {"scope": "all", "name": "", "since": "x", "until": None},
        {"scope": "all", "name": "", "since": float("nan"), "until": 1.0},
        {"scope": "all", "name": "", "since": 0.0, "until": float("inf")},
        {"scope": "all", "name": "", "since": 10.0, "until": 5.0},
    ],
)
def test_what_cannot_be_read_is_left_out(entry):
    """A bad entry takes no other pause with it."""
    good = paused().as_state(START)
    assert len(Pauses.from_state([entry, *good], START).shown(START)) == 1
