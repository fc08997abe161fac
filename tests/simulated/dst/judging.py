"""What the checkers of promises share: the history, sorted, and what is known beside it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from monitor.model.action import Action
from monitor.model.decision import Decision
from tests.simulated.dst.history import (
    Arrived,
    Decided,
    History,
    Injected,
    Life,
    Loaded,
    Numbers,
    Removed,
    Ruled,
    Sent,
    Stood,
)
from tests.simulated.dst.rule_files import HIGH, LOW


@dataclass(frozen=True, slots=True)
class Violation:
    """promise: its number. text: what was seen, with what would have been right."""

    promise: int
    at: float
    text: str

    def __str__(self) -> str:
        return f"promise {self.promise} at {self.at:.3f} s: {self.text}"


@dataclass(slots=True)
class Verdict:
    """exercised: how often the promise had to hold."""

    promise: int
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)

    def check(self, holds: bool, at: float, text: object) -> None:
        self.exercised += 1
        if not holds:
            self.violations.append(Violation(self.promise, at, str(text)))


@dataclass
class Case:
    """One history, indexed."""

    history: History

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        return {one.decision.id: one.decision for one in self.history.of(Decided)}

    @cached_property
    def sent(self) -> list[Sent]:
        return list(self.history.of(Sent))

    @cached_property
    def arrived(self) -> list[Arrived]:
        return list(self.history.of(Arrived))

    @cached_property
    def own(self) -> list[Arrived]:
        return [one for one in self.arrived if one.own]

    @cached_property
    def applied(self) -> list[Arrived]:
        """Our own writes that took effect."""
        return [one for one in self.own if one.applied]

    @cached_property
    def applied_by_service(self) -> dict[str, list[Arrived]]:
        found: dict[str, list[Arrived]] = defaultdict(list)
        for one in self.applied:
            found[one.service].append(one)
        return found

    @cached_property
    def began(self) -> dict[str, float]:
        return {one.process: one.at for one in self.history.of(Life) if one.what == "begins"}

    @cached_property
    def removals(self) -> list[Removed]:
        return list(self.history.of(Removed))

    def removed(self, since: float, until: float) -> bool:
        """Whether somebody removed the lease or the state."""
        return any(since <= one.at <= until for one in self.removals)

    def decided(self, one: Sent | Arrived) -> Decision | None:
        return self.decisions.get(one.decision)

    def rule_of(self, one: Sent | Arrived) -> str:
        decision = self.decided(one)
        return decision.rule if decision else ""

    def action_of(self, one: Sent | Arrived) -> Action | None:
        decision = self.decided(one)
        return decision.action if decision else None

    @cached_property
    def clocks_set(self) -> bool:
        """Whether wall clocks were set in this run."""
        return any("clock" in one.kind for one in self.history.of(Injected))

    def undone(self, kind: str) -> list[Injected]:
        """The ends of all faults of a kind."""
        return [one for one in self.history.of(Injected) if one.over and one.kind == kind]

    def bounds(self, process: str, rule: str, at: float) -> tuple[int, int]:
        """Those the process had read by then."""
        found = (LOW, HIGH)
        for one in self.history.of(Ruled):
            if one.process == process and one.at <= at and rule in one.bounds:
                found = one.bounds[rule]
        return found

    @cached_property
    def _loads(self) -> dict[str, list[Loaded]]:
        found: dict[str, list[Loaded]] = defaultdict(list)
        for one in self.history.of(Loaded):
            found[one.service].append(one)
        return found

    def wanted(self, service: str, since: float, until: float) -> list[float]:
        """Every load that the service had in this time."""
        return _in_force(
            [(one.at, one.wanted) for one in self._loads.get(service, [])], since, until
        )

    @cached_property
    def _stood(self) -> dict[str, list[tuple[float, object]]]:
        found: dict[str, list[tuple[float, object]]] = defaultdict(list)
        for one in self.history.of(Stood):
            found[one.service_id].append((one.at, one.replicas))
        return found

    def replicas_of(self, service_id: str, since: float, until: float) -> list[int]:
        """Every number of replicas that the service asked for in this time."""
        return _in_force(self._stood.get(service_id, []), since, until)

    @cached_property
    def _modes(self) -> list[tuple[float, str]]:
        return [(one.at, one.mode) for one in self.history.of(Numbers)]

    def modes(self, since: float, until: float) -> list[str]:
        """Every way in which the server of numbers answered in this time."""
        return _in_force([(0.0, ""), *self._modes], since, until)


def _in_force(steps: list[tuple[float, object]], since: float, until: float) -> list:
    return [
        value
        for index, (at, value) in enumerate(steps)
        if at <= until and (index + 1 == len(steps) or steps[index + 1][0] >= since)
    ]


def in_turn(writes: list[Arrived]) -> Iterator[tuple[Arrived, Arrived]]:
    return pairwise(writes)
