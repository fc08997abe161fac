"""`scale:` of a rule: the HorizontalPodAutoscaler's model in compose spelling."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from monitor.model.rule import Basis, MissingSamples, PolicyType, SelectPolicy
from monitor.model.usage import MetricKind
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import (
    Cores,
    Many,
    Period,
    Replicas,
    ShareOrSize,
    Step,
    Tolerance,
    Window,
    choice,
)

BasisChoice = Annotated[Basis, BeforeValidator(choice(Basis))]


_MIN_ZERO = (
    "must be at least 1 with cpu and memory metrics alone: "
    "at 0 replicas there is no usage, so nothing would ever scale up again"
)


class ScaleMetric(StrEnum):
    CPU = MetricKind.CPU.value
    MEMORY = MetricKind.MEMORY.value


class MetricModel(Strict):
    """One measure and the value of it that every task should have on average."""

    EXAMPLE: ClassVar[str] = "{type: cpu, target: 60%}"
    LATER: ClassVar[dict[str, str]] = {
        "query": "only cpu and memory can be scaled by",
        "url": "only cpu and memory can be scaled by",
        "per": "cpu and memory are always judged per replica",
        "window": "cpu and memory are judged over 15s, rising load over 5s as well",
    }
    MEANT: ClassVar[dict[str, str]] = {
        "averageUtilization": "target",
        "averageValue": "target",
        "utilization": "target",
        "value": "target",
        "cpus": "cores",
        "name": "type",
    }

    type: Annotated[
        ScaleMetric,
        BeforeValidator(choice(ScaleMetric, later=("prometheus", "http"))),
    ] = Field(description="What is measured: cpu or memory.", examples=["cpu"])
    target: ShareOrSize | None = Field(
        default=None,
        description="The average that each task should have: a share such as 60%, for memory "
        "also a size such as 700MiB.",
        examples=["60%"],
    )
    cores: Cores | None = Field(
        default=None,
        description="For cpu, instead of target: cores that each task should use on average.",
        examples=[0.5],
    )
    of: BasisChoice | None = Field(
        default=None,
        description="What a share is a share of: the task's reservation, its limit, or auto: the "
        "reservation, else the limit.",
        examples=["auto"],
        json_schema_extra={"default": "auto"},
    )

    @model_validator(mode="after")
    def _consistent(self) -> "MetricModel":
        faults: list[tuple[str, str]] = []
        if self.type is ScaleMetric.MEMORY and self.cores is not None:
            faults.append(("cores", "memory has no cores: write target: 700MiB or target: 80%"))
        elif self.target is not None and self.cores is not None:
            faults.append(("cores", "write target or cores, or two metrics: one with each"))
        elif self.target is None and self.cores is None:
            wanted = (
                '"target: 60%" or "cores: 0.5"'
                if self.type is ScaleMetric.CPU
                else '"target: 700MiB" or "target: 80%"'
            )
            faults.append(("", f"target is missing: write {wanted}"))
        is_share = self.target is not None and self.target.is_share
        if self.type is ScaleMetric.CPU and self.target is not None and not is_share:
            faults.append(
                ("target", 'must be a share for cpu, such as "60%"; for cores write "cores: 0.5"')
            )
        if self.of is not None and not is_share and not faults:
            faults.append(("of", "has no meaning without a share: remove it, or write target: 60%"))
        if faults:
            raise Faults(*faults)
        return self


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
        "cooldown": "stabilization_window",
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


class ScaleModel(Strict):
    """Keeps a service's replicas between min and max so that usage meets the targets."""

    EXAMPLE: ClassVar[str] = "{min: 2, max: 10, metrics: [{type: cpu, target: 60%}]}"
    LATER: ClassVar[dict[str, str]] = {
        "after_deploy_reset": "a deploy that resets replicas is scaled back by the next decision",
        "schedules": "min and max hold at all times",
    }
    MEANT: ClassVar[dict[str, str]] = {
        "minReplicas": "min",
        "maxReplicas": "max",
        "min_replicas": "min",
        "max_replicas": "max",
        "scaleUp": "scale_up",
        "scaleDown": "scale_down",
    }

    min: Replicas = Field(description="Never fewer replicas than this.", examples=[2])
    max: Replicas = Field(description="Never more replicas than this.", examples=[10])
    metrics: Many[MetricModel] = Field(
        min_length=1,
        description="Each proposes a number of replicas; the largest proposal wins.",
        examples=[[{"type": "cpu", "target": "60%"}]],
    )
    scale_up: ScaleUpModel = Field(
        default_factory=ScaleUpModel,
        description="How fast replicas are added.",
        examples=[{"stabilization_window": "0s"}],
    )
    scale_down: ScaleDownModel = Field(
        default_factory=ScaleDownModel,
        description="How fast replicas are removed.",
        examples=[{"stabilization_window": "5m"}],
    )
    missing_samples: Annotated[MissingSamples, BeforeValidator(choice(MissingSamples))] = Field(
        default=MissingSamples.HOLD,
        description="While tasks have no sample: hold never scales down, hpa fills in as the "
        "HorizontalPodAutoscaler does.",
        examples=["hold"],
        json_schema_extra={"default": "hold"},
    )

    @model_validator(mode="after")
    def _bounds(self) -> "ScaleModel":
        faults: list[tuple[str, str]] = []
        if self.max < 1:
            faults.append(("max", "must be at least 1"))
        elif self.min > self.max:
            faults.append(("max", f"must not be less than min ({self.min}), not {self.max}"))
        if self.min == 0:
            faults.append(("min", _MIN_ZERO))
        if faults:
            raise Faults(*faults)
        return self
