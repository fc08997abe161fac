import random

from monitor.control.ceiling import WINDOW, WriteCeiling
from monitor.model.outcome import Outcome, OutcomeKind

APPLIED = Outcome(OutcomeKind.APPLIED, posted="p")


def test_the_ceiling_counts_what_may_have_been_sent():
    """Applied, refused by the Swarm and unknown count; what was never sent gives its place back."""
    for outcome, counts in (
        (APPLIED, True),
        (Outcome(OutcomeKind.CONFLICT, posted="p"), True),
        (Outcome(OutcomeKind.FAILED, posted="p"), True),
        (Outcome(OutcomeKind.UNKNOWN), True),
        (Outcome(OutcomeKind.CONFLICT), False),
        (Outcome(OutcomeKind.REFUSED), False),
        (Outcome(OutcomeKind.FAILED), False),
    ):
        ceiling = WriteCeiling(1)
        ceiling.start("a", "w1")
        assert ceiling.room("b", 1.0) is not None
        ceiling.end("w1", outcome, 2.0)
        assert (ceiling.room("b", 2.0) is not None) is counts, outcome


def test_a_place_is_free_a_window_after_the_write_ended():
    """Not after it was admitted: when it reached the Swarm nobody knows."""
    ceiling = WriteCeiling(1)
    ceiling.start("a", "w1")
    assert ceiling.room("b", 100.0).until == 160.0
    ceiling.end("w1", APPLIED, 100.0)
    assert ceiling.room("b", 159.9).until == 160.0
    assert ceiling.room("b", 160.0) is None


def test_a_second_end_counts_for_nothing():
    """A write whose answer was lost is told of twice."""
    ceiling = WriteCeiling(2)
    ceiling.start("a", "w1")
    ceiling.end("w1", Outcome(OutcomeKind.UNKNOWN), 1.0)
    ceiling.end("w1", APPLIED, 30.0)
    assert ceiling.used(2.0) == 1
    assert ceiling.used(1.0 + WINDOW) == 0


def test_first_come_first_served():
    """Nobody passes those who wait, also not who comes just when a place is free."""
    ceiling = WriteCeiling(1)
    ceiling.start("a", "w1")
    for waiting in ("b", "c", "b"):
        assert ceiling.room(waiting, 1.0) is not None
        ceiling.stand(waiting, waits=True)
    ceiling.end("w1", APPLIED, 1.0)
    now = 1.0 + WINDOW
    assert ceiling.room("new", now) is not None
    assert ceiling.room("c", now) is not None
    assert ceiling.room("b", now) is None
    ceiling.stand("b", waits=False)
    assert ceiling.room("c", now) is None
    assert ceiling.waiting == 1


def test_no_window_ever_has_more_and_all_get_their_turn():
    """100 services that all want to write at once, answers that take up to 5 s, any 60 s window."""
    chance = random.Random(7)
    ceiling, now = WriteCeiling(10), 0.0
    wants = [f"s{number}" for number in range(100)]
    order, sent_at, ends = [], [], []
    while wants or ends:
        for end, write in [entry for entry in ends if entry[0] <= now]:
            ceiling.end(write, APPLIED, end)
            ends.remove((end, write))
        for service in list(wants):
            if ceiling.room(service, now) is None:
                ceiling.start(service, service)
                order.append(service)
                wants.remove(service)
                sent = now + chance.uniform(0.0, 5.0)
                sent_at.append(sent)
                ends.append((sent + chance.uniform(0.0, 0.5), service))
            else:
                ceiling.stand(service, waits=True)
        now += 0.25
    assert order == sorted(order, key=lambda name: int(name[1:]))
    sent_at.sort()
    for first, beyond in zip(sent_at, sent_at[10:], strict=False):
        assert beyond - first >= WINDOW
    assert now < 10 * (WINDOW + 7)
