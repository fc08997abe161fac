"""Where rules come from."""

from typing import Protocol

from monitor.model.rule import RuleSet


class RuleSource(Protocol):
    def current(self) -> RuleSet:
        """The newest good rules; bad ones never replace them."""

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the newest files, as `file:line:col: message`; empty if nothing."""
