"""`schedules:` and `fallback:` of a scale rule."""

from typing import ClassVar

from pydantic import Field, model_validator

from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.cron import check_expression, check_timezone
from monitor.rulefile.fields import Pause, Replicas, Scheduled
from monitor.rulefile.texts import CronText, ScheduleName, Timezone


class ScheduleModel(Strict):
    """Other bounds from each moment on that `cron` names, for `duration`."""

    EXAMPLE: ClassVar[str] = '{cron: "0 8 * * mon-fri", duration: 10h, min: 6}'
    MEANT: ClassVar[dict[str, str]] = {
        "start": "cron",
        "schedule": "cron",
        "end": "duration",
        "for": "duration",
        "tz": "timezone",
        "time_zone": "timezone",
        "minReplicas": "min",
        "maxReplicas": "max",
        "desiredReplicas": "replicas",
        "desired": "replicas",
    }

    cron: CronText = Field(
        description="When it begins: minute, hour, day of month, month, day of week.",
        examples=["0 8 * * mon-fri"],
    )
    duration: Scheduled = Field(
        description="How long it lasts each time, 1m to 366d.", examples=["10h"]
    )
    timezone: Timezone = Field(
        default="UTC",
        description="The IANA time zone that cron is meant in.",
        examples=["Europe/Berlin"],
        json_schema_extra={"default": "UTC"},
    )
    name: ScheduleName | None = Field(
        default=None, description="What decisions call it.", examples=["office-hours"]
    )
    min: Replicas | None = Field(
        default=None, description="Replaces the rule's min while it is active.", examples=[6]
    )
    max: Replicas | None = Field(
        default=None, description="Replaces the rule's max while it is active.", examples=[40]
    )
    replicas: Replicas | None = Field(
        default=None,
        description="Exactly this many while it is active: min and max at once.",
        examples=[6],
    )

    @model_validator(mode="after")
    def _something(self) -> "ScheduleModel":
        if problem := check_expression(self.cron):
            raise Faults(("cron", problem))
        if problem := check_timezone(self.timezone):
            raise Faults(("timezone", problem))
        bounds = (self.min, self.max)
        if self.replicas is not None and bounds != (None, None):
            field = "min" if self.min is not None else "max"
            raise Faults((field, "replicas is min and max at once: remove one or the other"))
        if self.replicas is None and bounds == (None, None):
            raise Faults(("", "sets nothing: write min, max or replicas"))
        return self

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """min and max while it is active, None where the rule's own hold."""
        if self.replicas is not None:
            return self.replicas, self.replicas
        return self.min, self.max


class FallbackModel(Strict):
    """What to do once no metric could be followed for a while."""

    EXAMPLE: ClassVar[str] = "{replicas: 6, after: 3m}"
    MEANT: ClassVar[dict[str, str]] = {"failureThreshold": "after", "for": "after"}

    replicas: Replicas = Field(
        description="At least this many replicas then, from min to max.", examples=[6]
    )
    after: Pause = Field(
        default=180.0,
        description="Once no metric could be followed for this long, 0s to 1d.",
        examples=["3m"],
        json_schema_extra={"default": "3m"},
    )
