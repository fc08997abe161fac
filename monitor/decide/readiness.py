"""Which tasks count: ready, unready, missing a sample, or none of the rule's business.

HorizontalPodAutoscaler's classes of pods (`groupPods`), in its order, on tasks: a pod that is
being deleted or failed is a task that is wanted gone, has ended or sits on a node that is down;
a pending pod is a task that does not run yet.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.model.task import Task, TaskState
from monitor.model.tuning import Tuning
from monitor.model.usage import Sample
from monitor.model.view import ServiceView

LONG_AGO = -math.inf


class TaskClass(StrEnum):
    READY = "ready"
    UNREADY = "unready"
    MISSING = "missing"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the classification looks at. Monotonic seconds.

    gone: wanted gone, ended, lost with its node, or long without any node to run on.
    ready: None where readiness is not known at all.
    ready_since: when `ready` became what it is.
    sampled_at: time of the newest reading behind the sample; None without a sample.
    window: seconds over which the sample was judged. span: seconds it really covers; 0 unknown.
    warm_at: from when on its CPU says something about load.
    """

    id: str
    gone: bool
    running: bool
    ready: bool | None = True
    started_at: float = LONG_AGO
    ready_since: float = LONG_AGO
    sampled_at: float | None = None
    window: float = 0.0
    span: float = 0.0
    warm_at: float = LONG_AGO


@dataclass(frozen=True, slots=True)
class Group:
    """Task ids by class, each in the order the tasks came in."""

    ready: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def everyone(self) -> tuple[tuple[str, ...], ...]:
        return self.ready, self.unready, self.missing, self.ignored


@dataclass(frozen=True, slots=True)
class Terms:
    """What a metric's samples are judged by; seconds. `waiting`: ids of `waiting.stuck`.

    warm_up: as `ScaleRule.warm_up`, None being the start period of the service's health check.
    """

    tuning: Tuning
    now: float
    window: float
    warm_up: float | None = None
    waiting: frozenset[str] = frozenset()


def facts_of(view: ServiceView, task: Task, sample: Sample | None, terms: Terms) -> TaskFacts:
    """A task of a Swarm. One that runs is ready: the Swarm waited for its health check."""
    since = view.running_since.get(task.id, LONG_AGO)
    sampled_at, span = None, 0.0
    if sample is not None:
        span = sample.span
        if sample.age <= terms.tuning.stale_after and math.isfinite(sample.value):
            sampled_at = terms.now - sample.age
    return TaskFacts(
        id=task.id,
        gone=not task.live or view.node_lost(task) or task.id in terms.waiting,
        running=task.state is TaskState.RUNNING,
        started_at=since,
        ready_since=since,
        sampled_at=sampled_at,
        window=terms.window,
        span=span,
        warm_at=_warm_at(view, task, since, terms.warm_up),
    )


def _warm_at(view: ServiceView, task: Task, running_since: float, warm_up: float | None) -> float:
    """A stated warm-up is time of running. A start period runs from the container's start, so what
    a task took of it until it was healthy for the first time is over.

    Worked example: a start period of 60 s and a task that is healthy after 20 s: its CPU counts
    40 s later; after 90 s: it counts at once.
    """
    if warm_up is not None:
        return running_since + warm_up
    started = min(running_since, view.starting_since.get(task.id, running_since))
    return started + view.service.start_period


def classify(task: TaskFacts, now: float, tuning: Tuning, *, cpu: bool) -> TaskClass:
    """Readiness matters for CPU alone, whose usage at start says nothing about load."""
    if task.gone:
        return TaskClass.IGNORED
    if not task.running:
        return TaskClass.UNREADY
    if task.sampled_at is None:
        return TaskClass.MISSING
    if cpu and _not_representative(task, task.sampled_at, now, tuning):
        return TaskClass.UNREADY
    return TaskClass.READY


def _not_representative(task: TaskFacts, sampled_at: float, now: float, tuning: Tuning) -> bool:
    if task.ready is None or 0 < task.span < least_span(task.window, tuning):
        return True
    if task.warm_at > now:
        return True
    if task.started_at + tuning.cpu_initialization_period > now:
        return not task.ready or sampled_at < task.ready_since + task.window
    never_ready_until = task.started_at + tuning.initial_readiness_delay
    return not task.ready and never_ready_until > task.ready_since


def least_span(window: float, tuning: Tuning) -> float:
    """Seconds a CPU sample must cover; a short window cannot be asked for more than half."""
    return min(tuning.min_span, window / 2)


def group(tasks: Iterable[TaskFacts], now: float, tuning: Tuning, *, cpu: bool) -> Group:
    classes: dict[TaskClass, list[str]] = {kind: [] for kind in TaskClass}
    for task in tasks:
        classes[classify(task, now, tuning, cpu=cpu)].append(task.id)
    return Group(
        tuple(classes[TaskClass.READY]),
        tuple(classes[TaskClass.UNREADY]),
        tuple(classes[TaskClass.MISSING]),
        tuple(classes[TaskClass.IGNORED]),
    )
