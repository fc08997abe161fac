"""`when:` of a restart rule."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.condition_fields import (
    ExitCode,
    Fired,
    Occurrences,
    TaskStateName,
)
from monitor.rulefile.cron import check_expression, check_timezone
from monitor.rulefile.fields import Hold, Many, ServiceName, ShareOrCores, ShareOrSize, Span
from monitor.rulefile.number_condition import NumberModel
from monitor.rulefile.selector_model import MAPPING_TAG
from monitor.rulefile.texts import CronText, Timezone
from monitor.rulefile.usage_metrics import BasisChoice


class CountModel(Strict):
    """So many times within a time."""

    EXAMPLE: ClassVar[str] = "{count: 3, within: 10m}"
    MEANT: ClassVar[dict[str, str]] = {"times": "count", "period": "within", "per": "within"}

    count: Occurrences = Field(description="So many times, 1 to 1000.", examples=[3])
    within: Span = Field(description="Within this time, 1s to 30d.", examples=["10m"])


class ExitsModel(CountModel):
    """Tasks that ended by themselves."""

    EXAMPLE: ClassVar[str] = "{codes: [1], count: 3, within: 10m}"
    MEANT: ClassVar[dict[str, str]] = {**CountModel.MEANT, "code": "codes"}

    codes: Many[ExitCode] = Field(
        default=(),
        description="Exit codes that count; without them every failure does.",
        examples=[[1]],
    )


class CronModel(Strict):
    """Moments at which a condition begins to hold."""

    EXAMPLE: ClassVar[str] = '{expression: "0 4 * * sun", timezone: Europe/Berlin}'
    MEANT: ClassVar[dict[str, str]] = {
        "cron": "expression",
        "schedule": "expression",
        "tz": "timezone",
        "time_zone": "timezone",
        "for": "within",
        "duration": "within",
    }

    expression: CronText = Field(
        description="Minute, hour, day of month, month, day of week.", examples=["0 4 * * sun"]
    )
    timezone: Timezone = Field(
        default="UTC",
        description="The IANA time zone that it is meant in.",
        examples=["Europe/Berlin"],
        json_schema_extra={"default": "UTC"},
    )
    within: Fired = Field(
        default=600.0,
        description="How late it may still be acted on, 10s to 1d.",
        examples=["10m"],
        json_schema_extra={"default": "10m"},
    )

    @model_validator(mode="after")
    def _known(self) -> "CronModel":
        if problem := check_expression(self.expression):
            raise Faults(("expression", problem))
        if problem := check_timezone(self.timezone):
            raise Faults(("timezone", problem))
        return self


def _alone(value: str) -> str:
    if problem := check_expression(value):
        raise ValueError(problem)
    return value


def _written_as(value: object) -> str | None:
    if isinstance(value, str):
        return "(text)"
    return MAPPING_TAG if isinstance(value, dict | CronModel) else None


CronTimes = Annotated[
    Annotated[CronText, AfterValidator(_alone), Tag("(text)")]
    | Annotated[CronModel, Tag(MAPPING_TAG)],
    Discriminator(_written_as),
]
"""An expression alone, or with its time zone."""


_USAGE = ("memory_above", "cpu_above", "cpu_below")
_LASTING = (*_USAGE, "stuck_in", "prometheus")
"""Conditions that need `for`."""

_TASKS = (*_USAGE, "unhealthy_for", "health_flapping", "stuck_in", "older_than")
"""Conditions that hold for a task."""

_SERVICES = ("oom_kills", "exits", "cron", "prometheus", "restarted")
_NESTED = ("any", "all")
_KINDS = (*_TASKS, *_SERVICES, *_NESTED)


class ConditionModel(Strict):
    """What must be true of one task, or of the service."""

    EXAMPLE: ClassVar[str] = "{memory_above: 90%, for: 5m}"
    MEANT: ClassVar[dict[str, str]] = {
        "memory": "memory_above",
        "cpu": "cpu_above",
        "for_": "for",
        "duration": "for",
        "or": "any",
        "and": "all",
        "unhealthy": "unhealthy_for",
        "flapping": "health_flapping",
        "oom": "oom_kills",
        "oom_killed": "oom_kills",
        "exit_codes": "exits",
        "crashes": "exits",
        "failures": "exits",
        "restarts": "exits",
        "stuck": "stuck_in",
        "state": "stuck_in",
        "age": "older_than",
        "schedule": "cron",
        "query": "prometheus",
        "promql": "prometheus",
        "after": "restarted",
        "depends_on": "restarted",
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
    cpu_below: ShareOrCores | None = Field(
        default=None,
        description="The task uses less than this: cores, or a share of its limit.",
        examples=[0.001],
    )
    of: BasisChoice | None = Field(
        default=None,
        description="What a share is a share of: limit, reservation, or auto (the reservation, "
        "else the limit).",
        examples=["limit"],
        json_schema_extra={"default": "limit"},
    )
    unhealthy_for: Hold | None = Field(
        default=None,
        description="The task's health check has failed for this long, 1s to 1d.",
        examples=["2m"],
    )
    health_flapping: CountModel | None = Field(
        default=None,
        description="Tasks of the same slot became unhealthy that often.",
        examples=[{"count": 3, "within": "1h"}],
    )
    stuck_in: TaskStateName | None = Field(
        default=None,
        description="The task stays in this state: pending, assigned, preparing, starting.",
        examples=["starting"],
    )
    older_than: Span | None = Field(
        default=None, description="The task has run for this long, 1s to 30d.", examples=["7d"]
    )
    oom_kills: CountModel | None = Field(
        default=None,
        description="So many tasks of the service ran out of memory.",
        examples=[{"count": 3, "within": "1h"}],
    )
    exits: ExitsModel | None = Field(
        default=None,
        description="So many tasks of the service ended by themselves.",
        examples=[{"codes": [1], "count": 3, "within": "10m"}],
    )
    cron: CronTimes | None = Field(
        default=None,
        description="At these moments.",
        examples=[{"expression": "0 4 * * sun", "timezone": "Europe/Berlin"}],
    )
    prometheus: NumberModel | None = Field(
        default=None,
        description="The answer of a Prometheus server is above or below a number.",
        examples=[{"query": "sum(queue_length)", "above": 100}],
    )
    restarted: ServiceName | None = Field(
        default=None,
        description="After a rule restarted this service, and all of its tasks run again.",
        examples=["db"],
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

    @property
    def kind(self) -> str:
        """The field that says what the condition is; the model admits exactly one."""
        return self._written()[0]

    def _written(self) -> list[str]:
        fields = {"any": self.any_of, "all": self.all_of}
        return [
            name
            for name in _KINDS
            if (fields[name] if name in fields else getattr(self, name)) is not None
        ]

    @property
    def about_tasks(self) -> bool:
        """Whether nothing can hold without holding for some task."""
        if self.any_of is not None:
            return all(one.about_tasks for one in self.any_of)
        if self.all_of is not None:
            return any(one.about_tasks for one in self.all_of)
        return self.kind in _TASKS

    @model_validator(mode="after")
    def _one(self) -> "ConditionModel":
        given = self._written()
        if not given:
            kinds = ", ".join(_KINDS[: -len(_NESTED)])
            raise Faults(("", f"write one of {kinds}, or any or all of several"))
        if len(given) > 1:
            raise Faults(
                (given[1], f"{given[0]} is given already: write {{any: [...]}} or {{all: [...]}}")
            )
        if faults := self._details(given[0]):
            raise Faults(*faults)
        return self

    def _details(self, kind: str) -> list[tuple[str, str]]:
        if kind in _NESTED:
            extra = (("for", self.for_), ("of", self.of))
            return [
                (name, f"belongs to each condition inside {kind}: move it there")
                for name, value in extra
                if value is not None
            ]
        faults: list[tuple[str, str]] = []
        if kind in _LASTING and self.for_ is None:
            faults.append(("", 'for is missing: write for example "for: 5m"'))
        if kind not in _LASTING and self.for_ is not None:
            faults.append(("for", f"has no meaning with {kind}: {_instead(kind)}"))
        amount = self.memory_above or self.cpu_above or self.cpu_below
        if self.of is not None and (amount is None or not amount.is_share):
            example = f"{kind}: 90%" if kind in _USAGE else "memory_above: 90%"
            faults.append(("of", f"has no meaning without a share: remove it, or write {example}"))
        if self.restarted is not None and any(sign in self.restarted for sign in "*?["):
            faults.append(("restarted", "must be one service's whole name, not a glob"))
        return faults


def _instead(kind: str) -> str:
    match kind:
        case "unhealthy_for" | "older_than":
            return f'write the time there, "{kind}: 5m"'
        case "restarted":
            return "remove it"
        case _:
            return "write within: inside it"
