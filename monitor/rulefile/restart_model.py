"""`restart:` of a rule."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from monitor.model.rule import RestartAction
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import Count, Hold, Many, ShareOrCores, ShareOrSize, Span, choice
from monitor.rulefile.usage_metrics import BasisChoice


class ConditionModel(Strict):
    """What must be true of one task."""

    EXAMPLE: ClassVar[str] = "{memory_above: 90%, for: 5m}"
    MEANT: ClassVar[dict[str, str]] = {
        "memory": "memory_above",
        "cpu": "cpu_above",
        "for_": "for",
        "duration": "for",
        "or": "any",
        "and": "all",
    }

    memory_above: ShareOrSize | None = Field(
        default=None,
        description="The task's working set is above this: a size, or a share of its limit.",
        examples=["90%"],
    )
    cpu_above: ShareOrCores | None = Field(
        default=None,
        description="The task uses more than this: cores, or a share of its limit.",
        examples=["95%"],
    )
    of: BasisChoice | None = Field(
        default=None,
        description="What a share is a share of: limit, reservation, or auto (the reservation, "
        "else the limit).",
        examples=["limit"],
        json_schema_extra={"default": "limit"},
    )
    for_: Hold | None = Field(
        default=None,
        alias="for",
        description="The condition holds for this long on end, 1s to 1d.",
        examples=["5m"],
    )
    any_of: "Many[ConditionModel] | None" = Field(
        default=None,
        alias="any",
        min_length=1,
        description="At least one of these conditions holds.",
        examples=[[{"memory_above": "90%", "for": "5m"}]],
    )
    all_of: "Many[ConditionModel] | None" = Field(
        default=None,
        alias="all",
        min_length=1,
        description="All of these conditions hold for the same task.",
        examples=[[{"memory_above": "90%", "for": "5m"}]],
    )

    @model_validator(mode="after")
    def _one(self) -> "ConditionModel":
        given = [
            name
            for name, value in (
                ("memory_above", self.memory_above),
                ("cpu_above", self.cpu_above),
                ("any", self.any_of),
                ("all", self.all_of),
            )
            if value is not None
        ]
        if not given:
            raise Faults(("", "write memory_above or cpu_above with for, or any or all"))
        if len(given) > 1:
            raise Faults(
                (given[1], f"{given[0]} is given already: write {{any: [...]}} or {{all: [...]}}")
            )
        if faults := self._details(given[0]):
            raise Faults(*faults)
        return self

    def _details(self, kind: str) -> list[tuple[str, str]]:
        if kind in {"any", "all"}:
            extra = (("for", self.for_), ("of", self.of))
            return [
                (name, f"belongs to each condition inside {kind}: move it there")
                for name, value in extra
                if value is not None
            ]
        faults: list[tuple[str, str]] = []
        if self.for_ is None:
            faults.append(("", 'for is missing: write for example "for: 5m"'))
        amount = self.memory_above or self.cpu_above
        if self.of is not None and amount is not None and not amount.is_share:
            faults.append(
                ("of", f"has no meaning without a share: remove it, or write {kind}: 90%")
            )
        return faults


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


class RestartModel(Strict):
    """Restarts a service while a condition holds for one of its tasks."""

    EXAMPLE: ClassVar[str] = "{when: {memory_above: 90%, for: 5m}}"
    MEANT: ClassVar[dict[str, str]] = {"if": "when", "condition": "when", "limit": "budget"}

    when: ConditionModel = Field(
        description="The condition: one, or {any: [...]}, or {all: [...]}.",
        examples=[{"memory_above": "90%", "for": "5m"}],
    )
    action: Annotated[
        RestartAction,
        BeforeValidator(
            choice(RestartAction, later=("restart_task", "rollback", "park", "notify"))
        ),
    ] = Field(
        default=RestartAction.RESTART_SERVICE,
        description="restart_service replaces all tasks by the service's own update settings.",
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
