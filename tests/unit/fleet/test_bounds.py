"""Places for connections, log lines, and counts."""

from contextlib import ExitStack

import pytest

from monitor.fleet.ends import AUTH_FAILURES, End, StreamEnded, told
from monitor.fleet.notices import Notices
from monitor.fleet.places import MAX_CONNECTIONS, MAX_OF_ONE_HOST, MAX_STRANGERS, Places
from monitor.fleet.stats import Counters, FleetStats
from monitor.model.now import Now


def test_connections_are_bounded_in_all() -> None:
    """The 65th connection is turned away, and let in once another one left."""
    places = Places()
    with ExitStack() as stack:
        one = places.any()
        with one:
            for _ in range(MAX_CONNECTIONS - 1):
                stack.enter_context(places.any())
            with pytest.raises(StreamEnded) as full, places.any():
                pass
            assert full.value.kind is End.FULL
        with places.any():
            pass


def test_strangers_are_bounded_in_all_and_by_host() -> None:
    """Who proved itself makes room for the next stranger, of the same host too."""
    places = Places()
    with ExitStack() as stack:
        for number in range(MAX_STRANGERS - 1):
            stack.enter_context(places.stranger(f"h{number // MAX_OF_ONE_HOST}"))
        with pytest.raises(StreamEnded), places.stranger("h0"):
            pass
        with places.stranger("h3"), pytest.raises(StreamEnded), places.stranger("h9"):
            pass
        with places.stranger("h9"):
            pass
    with ExitStack() as stack:
        for _ in range(MAX_OF_ONE_HOST):
            stack.enter_context(places.stranger("h0"))


class SetClock:
    def __init__(self) -> None:
        self.mono = 1000.0

    def now(self) -> Now:
        return Now(self.mono, 0.0)

    def random(self) -> float:
        return 0.5


def test_one_line_per_subject_and_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """The same subject is written about once a minute; others in between are not held back."""
    clock = SetClock()
    notices = Notices(clock)

    def written() -> int:
        return capsys.readouterr().out.count("trouble")

    for _ in range(5):
        notices.warn("a", "trouble")
        notices.warn("b", "trouble")
    assert written() == 2
    clock.mono += 59
    notices.warn("a", "trouble")
    assert written() == 0
    clock.mono += 1
    notices.warn("a", "trouble")
    assert written() == 1


def test_at_most_a_hundred_lines_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """However many subjects there are; a minute later there is room again."""
    clock = SetClock()
    notices = Notices(clock)
    for number in range(1000):
        notices.warn(str(number), "trouble")
    assert capsys.readouterr().out.count("trouble") == 100
    clock.mono += 60
    notices.warn("new", "trouble")
    assert capsys.readouterr().out.count("trouble") == 1


def test_counts_are_a_value() -> None:
    """A snapshot has every kind of failure and does not change afterwards."""
    counters = Counters()
    counters.ended(StreamEnded(End.VERSION, ""))
    counters.ended(StreamEnded(End.SLOW, ""))
    counters.ended(StreamEnded(End.CLOSED, ""))
    counters.received(b"123")
    before = counters.snapshot()
    counters.received(b"123")
    kinds = {kind.value: 0 for kind in AUTH_FAILURES} | {"version": 1}
    assert before == FleetStats(auth_failures=kinds, dropped_slow=1, frames_in=1, bytes_in=3)


def test_a_close_code_is_not_taken_for_more_than_it_is() -> None:
    """Codes that agents use have their meaning; any other is a broken connection."""
    assert told(4403).kind is End.REFUSED
    assert "secret" in str(told(4403))
    assert told(1001).kind is End.LEAVING
    for code in (None, 1006, 1000, 4999):
        assert told(code).kind is End.CLOSED
