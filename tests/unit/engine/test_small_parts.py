"""Bodies, duplicates and pauses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.body import each, guarded
from monitor.engine.calls import BUCKETS, CallStats
from monitor.engine.dedupe import Seen
from monitor.engine.subscription import events
from monitor.model.event import Event
from monitor.model.now import Now
from monitor.ports.backoff import Backoff
from monitor.ports.errors import BadAnswer, Unreachable

OBJECTS = st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), max_size=5)


@given(OBJECTS, st.sampled_from([None, 1]))
def test_elements_are_what_one_decoding_gives(values: list[Any], indent: int | None) -> None:
    """Element by element gives what decoding the whole gives, however it is laid out."""
    body = json.dumps(values, indent=indent).encode()
    assert list(each(body, dict)) == values


@given(OBJECTS, st.data())
def test_a_list_cut_anywhere_is_a_bad_answer(values: list[Any], data: st.DataObject) -> None:
    """No cut of a list passes for a shorter list."""
    body = json.dumps(values).encode()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    with pytest.raises(BadAnswer):
        guarded(cut, lambda found: each(found, dict))


def test_null_is_an_empty_list() -> None:
    """Go writes a nil slice as null."""
    assert each(b" null\n", dict) == ()


def an_event(key: int) -> Event:
    return Event(type="t", action="a", actor_id="x", time_ns=key)


@given(st.lists(st.integers(0, 20)), st.integers(1, 8))
def test_memory_of_events_is_bounded_and_exact(keys: list[int], size: int) -> None:
    """Of the newest `size` events none passes twice, and no more are kept."""
    seen = Seen(size)
    order: list[int] = []
    for key in keys:
        assert seen.add(an_event(key)) is (key not in order)
        if key not in order:
            order = [*order, key][-size:]
        assert len(seen) == len(order)


def test_events_differ_by_each_part_of_their_key() -> None:
    """Same time, other actor, action or type: another event."""
    seen = Seen()
    assert seen.add(Event("container", "die", "c1", 7))
    assert seen.add(Event("container", "die", "c2", 7))
    assert seen.add(Event("container", "kill", "c1", 7))
    assert seen.add(Event("service", "die", "c1", 7))
    assert not seen.add(Event("container", "die", "c1", 7, {"more": "x"}))


class Chance:
    """A clock whose chance is what was given."""

    def __init__(self, number: float) -> None:
        self.number = number

    def now(self) -> Now:
        return Now(0.0, 0.0)

    def random(self) -> float:
        return self.number


@pytest.mark.parametrize("number", [0.0, 0.5, 0.999])
def test_pauses_double_to_their_bound(number: float) -> None:
    """0.2 s doubling to 30 s, each cut by less than half; from the start after a reset."""
    backoff = Backoff(Chance(number))
    for whole in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0):
        pause = backoff.pause()
        assert whole / 2 < pause <= whole
        assert pause == pytest.approx(whole * (1 - number / 2))
    backoff.reset()
    assert backoff.pause() <= 0.2


def test_calls_are_counted_by_endpoint() -> None:
    """Requests, seconds, buckets and failures add up."""
    stats = CallStats()
    for seconds, failure in ((0.001, None), (0.002, "timeout"), (99.0, "timeout")):
        stats.record("GET", "/tasks", seconds, failure)
    found = stats.endpoints[("GET", "/tasks")]
    assert (found.requests, found.failures) == (3, {"timeout": 2})
    assert found.seconds == pytest.approx(99.003)
    assert len(found.buckets) == len(BUCKETS) + 1
    assert (found.buckets[0], found.buckets[-1], sum(found.buckets)) == (2, 1, 3)


@given(st.lists(st.integers(1, 10**6), max_size=6), st.integers(1, 40))
async def test_lines_are_found_in_any_chunks(times: list[int], size: int) -> None:
    """However a stream is cut into chunks, the same events come out, then its end."""
    text = b"".join(
        json.dumps({"Type": "node", "Action": "update", "timeNano": time}).encode() + b"\n"
        for time in times
    )

    async def chunks():
        for begin in range(0, len(text), size):
            yield text[begin : begin + size]

    found = events(chunks())
    assert [(await anext(found)).time_ns for _ in times] == times
    with pytest.raises(Unreachable):
        await anext(found)
