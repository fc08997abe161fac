"""`restart:` of a rule."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from monitor.model.rule import RestartAction
from monitor.model.task import TaskState
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.condition_fields import AtOnce, Trials
from monitor.rulefile.condition_model import ConditionModel
from monitor.rulefile.fields import Count, Pause, Span, choice


class BudgetModel(Strict):
    """At most so many restarts of one service."""

    EXAMPLE: ClassVar[str] = "{count: 3, within: 1h}"
    MEANT: ClassVar[dict[str, str]] = {"period": "within", "max": "count", "per": "within"}

    count: Count = Field(
        default=3,
        description="At most this many restarts of one service, 1 to 100.",
        examples=[3],
    )
    within: Span = Field(
        default=3600.0,
        description="Within this time, 1s to 30d.",
        examples=["1h"],
        json_schema_extra={"default": "1h"},
    )


class BackoffModel(Strict):
    """How long to wait between restarts of one service."""

    EXAMPLE: ClassVar[str] = "{initial: 30s, max: 1h}"

    initial: Span = Field(
        default=30.0,
        description="After the first restart; doubles while the condition comes back.",
        examples=["30s"],
        json_schema_extra={"default": "30s"},
    )
    max: Span = Field(
        default=3600.0,
        description="Never longer than this.",
        examples=["1h"],
        json_schema_extra={"default": "1h"},
    )

    @model_validator(mode="after")
    def _ordered(self) -> "BackoffModel":
        if self.initial > self.max:
            if "max" in self.model_fields_set:
                raise Faults(("max", "must not be shorter than initial"))
            raise Faults(("initial", "is longer than max, which is 1h: write max as well"))
        return self


class BreakerModel(Strict):
    """When restarts have proved to be of no help."""

    EXAMPLE: ClassVar[str] = "{after: 5, within: 15m}"
    MEANT: ClassVar[dict[str, str]] = {"count": "after", "restarts": "after", "period": "within"}

    after: Trials = Field(
        default=5,
        description="After so many restarts in a row that did not help, 1 to 100, nothing more "
        "is restarted until a later deploy does well.",
        examples=[5],
        json_schema_extra={"default": 5},
    )
    within: Span = Field(
        default=900.0,
        description="A restart did not help if the condition comes back within this time, on top "
        "of what it takes to hold; and a deploy does well that stays without it for this long.",
        examples=["15m"],
        json_schema_extra={"default": "15m"},
    )


_UNSTOPPABLE = "has no container that could be stopped: write action: restart_service"


class RestartModel(Strict):
    """Restarts a service or its tasks, or rolls it back, parks it or tells of it."""

    EXAMPLE: ClassVar[str] = "{when: {memory_above: 90%, for: 5m}}"
    MEANT: ClassVar[dict[str, str]] = {"if": "when", "condition": "when", "limit": "budget"}

    when: ConditionModel = Field(
        description="The condition: one, or {any: [...]}, or {all: [...]}.",
        examples=[{"memory_above": "90%", "for": "5m"}],
    )
    action: Annotated[RestartAction, BeforeValidator(choice(RestartAction))] = Field(
        default=RestartAction.RESTART_SERVICE,
        description="restart_service: all tasks, by the service's own update settings; "
        "restart_task: those tasks alone for which the condition holds; rollback: to the deploy "
        "before; park: to 0 replicas; notify: nothing but a notice.",
        examples=["restart_service"],
        json_schema_extra={"default": "restart_service"},
    )
    budget: BudgetModel = Field(
        default_factory=BudgetModel,
        description="How many restarts of one service are allowed in what time.",
        examples=[{"count": 3, "within": "1h"}],
    )
    backoff: BackoffModel = Field(
        default_factory=BackoffModel,
        description="Waiting times between restarts; they double while it keeps happening.",
        examples=[{"initial": "30s", "max": "1h"}],
    )
    breaker: BreakerModel | None = Field(
        default=None,
        description="When to give up, because restarts do not help.",
        examples=[{"after": 5, "within": "15m"}],
    )
    quiet_after_deploy: Pause = Field(
        default=30.0,
        description="Nothing is done for this long after somebody's deploy, 0s to 1d.",
        examples=["1m"],
        json_schema_extra={"default": "30s"},
    )
    at_once: AtOnce | None = Field(
        default=None,
        description="With restart_task: so many tasks of a service may be missing at a time, "
        "1 to 100; never all of them.",
        examples=[1],
        json_schema_extra={"default": 1},
    )

    @model_validator(mode="after")
    def _fitting(self) -> "RestartModel":
        faults: list[tuple[str | tuple[str | int, ...], str]] = []
        if self.action is RestartAction.RESTART_TASK:
            faults += [(path, text) for path, text in _of_no_task(self.when, ("when",))]
        elif self.at_once is not None:
            faults.append(("at_once", "belongs to action: restart_task: remove it"))
        if self.breaker is not None and not self.action.restarts:
            faults.append(
                ("breaker", f"has no meaning with action: {self.action}, which restarts nothing")
            )
        if faults:
            raise Faults(*faults)
        return self


def _of_no_task(
    when: ConditionModel, path: tuple[str | int, ...]
) -> list[tuple[tuple[str | int, ...], str]]:
    """Conditions with which no single task could be told to be the one to stop."""
    if when.any_of is not None:
        return [
            fault
            for place, one in enumerate(when.any_of)
            for fault in _of_no_task(one, (*path, "any", place))
        ]
    if when.all_of is not None:
        if any(one.about_tasks for one in when.all_of):
            return []
        return [((*path, "all"), "needs a condition about tasks as well with restart_task")]
    if when.stuck_in not in (None, TaskState.STARTING):
        return [((*path, "stuck_in"), f"a task that is {when.stuck_in.label} {_UNSTOPPABLE}")]
    if when.about_tasks:
        return []
    text = "is about the whole service: write action: restart_service, rollback, park or notify"
    return [((*path, when.kind), text)]


def awaited(
    when: ConditionModel, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The services whose restarts the rule follows, with the places where they are named."""
    for name, parts in (("any", when.any_of), ("all", when.all_of)):
        for place, one in enumerate(parts or ()):
            yield from awaited(one, (*path, name, place))
    if when.restarted is not None:
        yield (*path, "restarted"), when.restarted
