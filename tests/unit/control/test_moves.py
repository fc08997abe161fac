"""Of which service a task is being moved."""

from types import SimpleNamespace

import pytest

from monitor.control.book import Book
from monitor.control.moves import GIVEN_UP_AFTER, MovesUnderWay
from monitor.model.action import ForceUpdate, RestartTask
from monitor.model.history import Course, History
from tests.unit.build import decision, service

SERVICES = {name: service(id=name, name=f"my-{name}") for name in ("s1", "s2")}


def moves(book, *sent):
    return MovesUnderWay(book, SimpleNamespace(under_way=lambda: iter(sent)))


def moved(at):
    return History(restarts=(at,), course=Course(moves_needed=2))


def test_a_move_lasts_until_the_history_says_that_all_tasks_ran_again():
    """Or for 10 minutes; the service itself is not held back by it."""
    book = Book()
    book.keep_history("s1", "even", moved(100.0))
    assert moves(book).other("s2", SERVICES, 101.0) == "my-s1"
    assert moves(book).other("s1", SERVICES, 101.0) == ""
    assert moves(book).other("s2", SERVICES, 100.0 + GIVEN_UP_AFTER) == ""
    book.keep_history("s1", "other", History())
    assert moves(book).other("s2", SERVICES, 101.0) == "my-s1"
    book.keep_history("s1", "even", History(restarts=(100.0,)))
    assert moves(book).other("s2", SERVICES, 101.0) == ""


@pytest.mark.parametrize("forget", ["service", "rule", "unseen"])
def test_what_went_away_holds_back_nobody(forget):
    """The service, or the rule about it."""
    book, services = Book(), SERVICES
    book.keep_history("s1", "even", moved(100.0))
    book.record(decision(None, service_id="s1", rule="even"))
    if forget == "service":
        book.forget_service("s1", 101.0)
    elif forget == "rule":
        book.keep_rules("s1", (), 101.0)
    else:
        services = {"s2": SERVICES["s2"]}
    assert moves(book).other("s2", services, 101.0) == ""


def test_an_order_that_was_sent_counts_from_the_start():
    """Of a move alone: other restarts do not wait for each other here."""
    sent = decision(RestartTask("t", "n", "c", "1", move=True), service_id="s1")
    assert moves(Book(), sent).other("s2", SERVICES, 0.0) == "my-s1"
    for other in (RestartTask("t", "n", "c", "1"), ForceUpdate()):
        assert moves(Book(), decision(other, service_id="s1")).other("s2", SERVICES, 0.0) == ""
