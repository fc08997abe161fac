"""How one condition of a restart rule stands, for a task or for the whole service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.decide.holding import Entries
from monitor.decide.verdict import Case
from monitor.model.condition import Cron, OlderThan, Restarted
from monitor.model.decision import Input
from monitor.model.evidence import Evidence
from monitor.model.history import Course
from monitor.model.rule import AllOf, AnyOf, Leaf, RestartRule, TaskCondition, When
from monitor.model.sources import leaves
from monitor.model.task import Task
from monitor.model.usage import Usage


@dataclass(frozen=True, slots=True)
class Look:
    """All that conditions are judged on. course: with the present deploy in it.

    past: since when what holds. counted_since: monotonic time; what happened up to then is dealt
    with, by an action of this rule or by a deploy.
    """

    case: Case
    rule: RestartRule
    usage: Usage
    evidence: Evidence
    course: Course
    past: Mapping[str, float]
    counted_since: float

    @property
    def now(self) -> float:
        return self.case.now.mono


@dataclass(frozen=True, slots=True)
class Found:
    """One condition on one task, or on the service where `task` is None.

    met: it holds, for as long as it must. because: a clause on that, "" where it does not hold.
    lasted: seconds for which it holds already; None: it does not at all.
    progress: a clause on how far it is from being met; gap: whether data is missing just now.
    unknown: whether there is nothing to judge it by.
    handled: what to remember of moments that are over, by the condition's key.
    """

    condition: Leaf
    task: Task | None = None
    met: bool = False
    because: str = ""
    lasted: float | None = None
    progress: str = ""
    gap: bool = False
    unknown: bool = False
    input: Input | None = None
    entries: Entries = ()
    recheck: float | None = None
    handled: Entries = ()


def satisfied(when: When, met: Mapping[Leaf, bool]) -> bool:
    """For one task: `any` one of its conditions, or `all` of them at once. Absent: not met."""
    match when:
        case AnyOf(parts):
            return any(satisfied(part, met) for part in parts)
        case AllOf(parts):
            return bool(parts) and all(satisfied(part, met) for part in parts)
        case _:
            return met.get(when, False)


def planned(condition: Leaf) -> bool:
    """Whether it comes back by its nature, so that coming back says nothing about a restart."""
    return isinstance(condition, Cron | OlderThan | Restarted)


def takes(when: When) -> float:
    """Seconds that conditions of the rule need to hold once more, at the most."""
    return max((_takes(leaf) for leaf in leaves(when)), default=0.0)


def _takes(leaf: Leaf) -> float:
    match leaf:
        case Cron() | OlderThan() | Restarted():
            return 0.0
        case TaskCondition():
            return leaf.for_seconds
        case _:
            return float(getattr(leaf, "for_seconds", 0.0) or getattr(leaf, "within", 0.0))


def merged(entries: Iterable[Entries]) -> Entries:
    """In an order that does not depend on the tasks' order."""
    return tuple(sorted({key: at for one in entries for key, at in one}.items()))
