"""`scale_up:` and `scale_down:` of a scale rule."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from monitor.model.rule import SCALE_DOWN_DEFAULT, SCALE_UP_DEFAULT, PolicyType, SelectPolicy
from monitor.rulefile.base import Strict
from monitor.rulefile.fields import Many, Pause, Period, Step, Tolerance, Window, choice

_COOLDOWN = "No change in this direction so soon after the last change in any, 0s to 1d."


class PolicyModel(Strict):
    """How much may change within a period."""

    EXAMPLE: ClassVar[str] = "{type: replicas, value: 4, period: 15s}"
    MEANT: ClassVar[dict[str, str]] = {"periodSeconds": "period", "seconds": "period"}

    type: Annotated[PolicyType, BeforeValidator(choice(PolicyType))] = Field(
        description="percent of the replicas at the period's start, or a number of replicas.",
        examples=["replicas"],
    )
    value: Step = Field(description="At most this much, in percent or replicas.", examples=[4])
    period: Period = Field(description="Within this time, 1s to 30m.", examples=["15s"])


class BehaviorModel(Strict):
    """How fast and how eagerly one direction goes."""

    EXAMPLE: ClassVar[str] = "{stabilization_window: 5m}"
    MEANT: ClassVar[dict[str, str]] = {
        "stabilizationWindowSeconds": "stabilization_window",
        "selectPolicy": "select_policy",
        "cooldownPeriod": "cooldown",
        "cooldown_period": "cooldown",
        "policy": "policies",
    }

    tolerance: Tolerance = Field(
        default=0.1,
        description="No change while usage is within this share of the target.",
        examples=["10%"],
        json_schema_extra={"default": "10%"},
    )
    select_policy: Annotated[SelectPolicy, BeforeValidator(choice(SelectPolicy))] = Field(
        default=SelectPolicy.MAX,
        description="Where policies disagree: max takes the one that allows the largest change, "
        "min the smallest; disabled forbids this direction.",
        examples=["max"],
        json_schema_extra={"default": "max"},
    )


class ScaleUpModel(BehaviorModel):
    """How fast replicas are added. What is left out is the HorizontalPodAutoscaler's default."""

    cooldown: Pause = Field(
        default=SCALE_UP_DEFAULT.cooldown,
        description=_COOLDOWN,
        examples=["1m"],
        json_schema_extra={"default": "0s"},
    )

    stabilization_window: Window = Field(
        default=0.0,
        description="Scale up only to the smallest proposal of this time, 0s to 1h.",
        examples=["0s"],
        json_schema_extra={"default": "0s"},
    )
    policies: Many[PolicyModel] | None = Field(
        default=None,
        min_length=1,
        description="Limits of the rate; default: 100 percent or 4 replicas in 15s.",
        examples=[[{"type": "replicas", "value": 4, "period": "15s"}]],
    )


class ScaleDownModel(BehaviorModel):
    """How fast replicas are removed. What is left out is the HorizontalPodAutoscaler's default."""

    cooldown: Pause = Field(
        default=SCALE_DOWN_DEFAULT.cooldown,
        description=_COOLDOWN,
        examples=["5m"],
        json_schema_extra={"default": "15s"},
    )

    stabilization_window: Window = Field(
        default=300.0,
        description="Scale down only to the largest proposal of this time, 0s to 1h.",
        examples=["5m"],
        json_schema_extra={"default": "5m"},
    )
    policies: Many[PolicyModel] | None = Field(
        default=None,
        min_length=1,
        description="Limits of the rate; default: 100 percent in 15s.",
        examples=[[{"type": "percent", "value": 50, "period": "1m"}]],
    )
