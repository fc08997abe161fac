from dataclasses import replace

from monitor.control.book import Book
from monitor.control.ceiling import WriteCeiling
from monitor.control.heritage import Heritage
from monitor.control.marks import Mark
from monitor.control.node_memory import NodeMemory
from monitor.model.action import SetAvailability
from monitor.model.decision import Decision
from monitor.model.node import Availability, Node, NodeState
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from tests.unit.build import decision

APPLIED = Outcome(OutcomeKind.APPLIED)


def drain(at: float, name: str) -> Decision:
    made = decision(
        SetAvailability("n1", Availability.DRAIN, 60.0),
        rule="sick",
        reason=Reason.CONDITION_MET,
        version=11,
        time=Now(at, 1_000_000.0 + at),
    )
    return replace(made, id=name, service_id="", service_name="", node_id="n1", node_name="n1")


def test_a_drain_of_our_own_ends_what_was_open_of_an_earlier_one():
    """Of two drains on one version the applied one counts, and the time runs from there."""
    book = Book()
    memory = NodeMemory(book, Heritage(book, WriteCeiling(10)))
    memory.heritage.inherited.take([Mark(drain(100.0, "theirs"), "", -1)], 110.0)
    own = drain(130.0, "own")
    memory.begin(own)
    memory.end(own, APPLIED, Now(130.5, 1_000_130.5))
    drained = Node("n1", "n1", "worker", NodeState.READY, Availability.DRAIN, 12)
    assert memory.settle(drained, Now(131.0, 1_000_131.0)) is None
    assert book.history("n1", "sick").course.drained_until == 190.5
    assert len(book.history("n1", "sick").restarts) == 1
