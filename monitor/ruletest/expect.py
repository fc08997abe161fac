"""Whether an expectation holds, and a sentence that shows the difference where it does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.decision import Decision
from monitor.ruletest.models import Expected


@dataclass(frozen=True, slots=True)
class Seen:
    """What was there at an expectation's moment; `decision` None before the first.

    pending: tasks that wait for a node. tasks_on: those that run, by the name of their node.
    availability: of a node, "" of a service.
    """

    decision: Decision | None
    writes: int
    replicas: int = 0
    pending: int = 0
    tasks_on: Mapping[str, int] = field(default_factory=dict)
    availability: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """`differences` are "replicas: expected 4, got 2"; `context` is the newest decision."""

    test: str
    place: str
    expected: Expected
    differences: tuple[str, ...]
    context: str


def differences(expected: Expected, seen: Seen) -> tuple[str, ...]:
    found: list[str] = []
    if expected.replicas is not None and seen.replicas != expected.replicas:
        found.append(f"replicas: expected {expected.replicas}, got {seen.replicas}")
    if expected.at_least is not None and seen.replicas < expected.at_least:
        found.append(f"replicas: expected at least {expected.at_least}, got {seen.replicas}")
    if expected.at_most is not None and seen.replicas > expected.at_most:
        found.append(f"replicas: expected at most {expected.at_most}, got {seen.replicas}")
    reason = "no decision yet" if seen.decision is None else str(seen.decision.reason)
    if expected.reason is not None and reason != expected.reason:
        found.append(f"reason: expected {expected.reason}, got {reason}")
    action = "none" if seen.decision is None else seen.decision.action_name
    if expected.action is not None and action != expected.action:
        found.append(f"action: expected {expected.action}, got {action}")
    if expected.writes is not None and seen.writes != expected.writes:
        found.append(f"writes: expected {expected.writes}, got {seen.writes}")
    if expected.pending is not None and seen.pending != expected.pending:
        found.append(f"pending: expected {expected.pending}, got {seen.pending}")
    if expected.availability is not None and seen.availability != expected.availability:
        there = seen.availability or "not in the Swarm"
        found.append(f"availability: expected {expected.availability}, got {there}")
    for node, count in (expected.tasks_on or {}).items():
        if seen.tasks_on.get(node, 0) != count:
            found.append(f"tasks on {node}: expected {count}, got {seen.tasks_on.get(node, 0)}")
    return tuple(found)
