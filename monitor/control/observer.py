"""Who is told what was decided and done: metrics and logs, provided from above."""

from typing import Protocol

from monitor.model.decision import Decision
from monitor.model.outcome import Outcome


class Observer(Protocol):
    def decided(self, decision: Decision, new: bool) -> None:
        """A rule was evaluated; `new` is False where it says what it said before."""

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        """A write was tried, with this outcome."""

    def learned(self, decision: Decision, outcome: Outcome | None) -> None:
        """Another agent sent this; None: nobody wrote down what became of it. May come again."""

    def forgot(self, rule: str, service_name: str) -> None:
        """The rule is not about this service any more."""


class Silent:
    """An observer for those who only want the decisions."""

    def decided(self, decision: Decision, new: bool) -> None: ...

    def wrote(self, decision: Decision, outcome: Outcome) -> None: ...

    def learned(self, decision: Decision, outcome: Outcome | None) -> None: ...

    def forgot(self, rule: str, service_name: str) -> None: ...
