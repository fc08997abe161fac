"""Which of what an agent decides and does people are told."""

from dataclasses import replace

import pytest

from monitor.agent.notifying import Notifying
from monitor.control.observer import Silent
from monitor.model.action import ForceUpdate, ScaleTo, SetAvailability
from monitor.model.node import Availability
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.notify.message import Kind, Message
from tests.unit.build import decision


class Told:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.open: dict[str, Message] = {}

    def tell(self, message: Message, *, once: bool = False) -> None:
        assert once == (message.kind is Kind.FAILURE)
        self.messages.append(message)

    def raise_problem(self, message: Message) -> None:
        self.open[message.key] = message

    def end_problem(self, key: str) -> None:
        del self.open[key]

    def hand_over(self) -> None:
        self.open.clear()


class Clock:
    def now(self) -> Now:
        return Now(100.0, 1_000_000.0)

    def random(self) -> float:
        return 0.0


class Bench:
    def __init__(self, scaling: bool = False) -> None:
        self.told, self.acts = Told(), True
        self.notifying = Notifying(
            Silent(),
            self.told,  # type: ignore[arg-type]
            Clock(),
            node=lambda: "m1",
            acting=lambda: self.acts,
            scaling=scaling,
        )

    def decide(self, reason: Reason, at: float = 100.0) -> None:
        made = decision(reason=reason, time=Now(at, 1_000_000.0 + at), sentence=f"it is {reason}")
        self.notifying.decided(made, True)


def test_what_was_done_is_told_scaling_only_where_wanted() -> None:
    """A scaler that works says nothing; a restart is worth a message."""
    quiet, loud = Bench(), Bench(scaling=True)
    for bench in (quiet, loud):
        for action in (ForceUpdate(), ScaleTo(4)):
            bench.notifying.wrote(decision(action), Outcome(OutcomeKind.APPLIED))
    assert [one.action for one in quiet.told.messages] == ["restart_service"]
    assert [one.action for one in loud.told.messages] == ["restart_service", "scale_up"]
    (message,) = quiet.told.messages
    assert message.kind is Kind.ACTION
    assert (message.text, message.node) == ("web stays at 2", "m1")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (OutcomeKind.FAILED, "scale_up was not done: no quorum"),
        (OutcomeKind.REFUSED, "scale_up was not done: no quorum"),
        (OutcomeKind.UNKNOWN, "whether scale_up was done is not known: no quorum"),
    ],
)
def test_what_was_not_done_is_told_also_of_scaling(kind: OutcomeKind, words: str) -> None:
    """With why, and whether it is known at all."""
    bench = Bench()
    bench.notifying.wrote(decision(ScaleTo(4)), Outcome(kind, "no quorum"))
    (message,) = bench.told.messages
    assert message.kind is Kind.FAILURE
    assert words in message.text


def test_a_conflict_is_nothing_to_tell() -> None:
    """It is decided anew at once."""
    bench = Bench()
    bench.notifying.wrote(decision(ScaleTo(4)), Outcome(OutcomeKind.CONFLICT, "changed"))
    assert bench.told.messages == []


def test_a_problem_lasts_until_its_reason_is_another() -> None:
    """Raised by what lasts, not by what passes; another one takes its place."""
    bench = Bench()
    bench.decide(Reason.BUDGET)
    bench.decide(Reason.BUDGET, 101.0)
    assert list(bench.told.open) == ["problem/r1/web/budget"]
    bench.decide(Reason.ROLLOUT_PAUSED, 102.0)
    assert list(bench.told.open) == ["problem/r1/web/rollout_paused"]
    bench.decide(Reason.WITHIN_TOLERANCE, 103.0)
    assert bench.told.open == {}
    bench.decide(Reason.MISSING_SAMPLES, 104.0)
    assert bench.told.open == {}
    bench.decide(Reason.MISSING_SAMPLES, 140.0)
    assert list(bench.told.open) == ["problem/r1/web/missing_samples"]
    bench.notifying.forgot("r1", "web")
    assert bench.told.open == {}


def test_only_the_agent_that_acts_tells() -> None:
    """One that gave up acting leaves what lasts to the next one, which says it itself."""
    bench = Bench()
    bench.acts = False
    bench.decide(Reason.BUDGET)
    assert bench.told.open == {}
    bench.acts = True
    bench.decide(Reason.BUDGET, 101.0)
    assert bench.told.open
    bench.acts = False
    bench.decide(Reason.BUDGET, 102.0)
    assert bench.told.open == {}
    bench.acts = True
    bench.decide(Reason.BUDGET, 103.0)
    assert bench.told.open


def test_what_was_done_to_a_node_names_the_node() -> None:
    """Two nodes under one rule are two things to be told of; neither passes for a service."""
    bench = Bench()
    for name in ("w1", "w2"):
        drained = decision(SetAvailability(name, Availability.DRAIN, 60.0), sentence="full")
        about = {"service_id": "", "service_name": "", "node_id": name, "node_name": name}
        bench.notifying.wrote(replace(drained, **about), Outcome(OutcomeKind.APPLIED))
        quorum = decision(reason=Reason.QUORUM)
        bench.notifying.decided(replace(quorum, time=Now(100.0, 1e6), **about), True)
        bench.notifying.decided(replace(quorum, time=Now(131.0, 1e6), **about), True)
    told = [(one.action, one.service_name, one.node_name) for one in bench.told.messages]
    assert told == [("drain", "", "w1"), ("drain", "", "w2")]
    assert len({one.key for one in bench.told.messages}) == 2
    assert sorted(one.node_name for one in bench.told.open.values()) == ["w1", "w2"]
