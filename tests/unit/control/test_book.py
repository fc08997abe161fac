from dataclasses import replace

from monitor.control.book import KEPT, Book
from monitor.model.action import ScaleTo
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from tests.unit.build import decision


def test_a_decision_that_says_nothing_new_takes_the_place_of_the_last():
    """Hours of calm are one entry that says since when, not thousands."""
    book = Book()
    assert book.record(decision())
    for second in range(1, 50):
        assert not book.record(decision(time=Now(100.0 + second, 0.0)))
    (entry,) = book.entries("web")
    assert entry.repeats == 50
    assert (entry.since.mono, entry.decision.time.mono) == (100.0, 149.0)


def test_two_decisions_that_act_are_two_entries():
    """What was done is never folded into what was done before."""
    book = Book()
    acting = decision(ScaleTo(4), desired=4)
    assert book.record(acting)
    assert book.record(replace(acting, time=Now(115.0, 0.0)))
    assert len(book.entries("web")) == 2


def test_at_most_a_hundred_decisions_are_kept():
    """Memory is bounded, and what is kept is the newest."""
    book = Book()
    for number in range(KEPT + 20):
        book.record(decision(desired=number, time=Now(float(number), 0.0)))
    entries = book.entries("web")
    assert len(entries) == KEPT
    assert [entries[0].decision.desired, entries[-1].decision.desired] == [KEPT + 19, 20]


def test_an_outcome_goes_to_the_decision_it_is_of():
    """`why` shows what became of each write."""
    book = Book()
    book.record(decision(ScaleTo(4), id="one"))
    book.record(decision(ScaleTo(5), id="two"))
    book.note_outcome(decision(id="one"), Outcome(OutcomeKind.CONFLICT))
    by_id = {entry.decision.id: entry.outcome for entry in book.entries()}
    assert by_id["one"] == Outcome(OutcomeKind.CONFLICT)
    assert by_id["two"] is None
    (condition,) = next(e.decision.conditions for e in book.entries() if e.decision.id == "one")
    assert (condition.type, condition.status) == ("AbleToScale", False)


def test_a_rule_that_lost_its_service_is_forgotten():
    """A later rule of that name inherits nothing of what a removed one saw."""
    book = Book()
    book.record(decision())
    book.keep_history("s1", "r1", replace(book.history("s1", "r1"), started=True))
    assert [last.rule for last in book.keep_rules("s1", ["other"], 100.0)] == ["r1"]
    assert book.entries() == []
    assert not book.history("s1", "r1").started
