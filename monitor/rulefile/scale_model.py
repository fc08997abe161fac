"""`scale:` of a rule: the HorizontalPodAutoscaler's model in compose spelling."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from monitor.model.rule import MissingSamples
from monitor.model.schedule import AfterDeployReset
from monitor.model.tuning import Count
from monitor.rulefile.any_metric import AnyMetricModel
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.behavior_model import ScaleDownModel, ScaleUpModel
from monitor.rulefile.fields import Changes, Many, Pause, Replicas, choice
from monitor.rulefile.metric_links import Fault, can_wake, link_faults
from monitor.rulefile.schedule_model import FallbackModel, ScheduleModel

_MIN_ZERO = (
    "must be at least 1 without a prometheus or http metric: "
    "at 0 replicas there is no usage, so nothing would ever scale up again"
)

_NO_METRICS = 'metrics is missing: write for example "metrics: [{type: cpu, target: 60%}]"'


class ScaleModel(Strict):
    """Keeps a service's replicas between min and max so that usage meets the targets."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["metrics"]}, {"required": ["schedules"]}]}
    )
    EXAMPLE: ClassVar[str] = "{min: 2, max: 10, metrics: [{type: cpu, target: 60%}]}"
    MEANT: ClassVar[dict[str, str]] = {
        "minReplicas": "min",
        "maxReplicas": "max",
        "min_replicas": "min",
        "max_replicas": "max",
        "minReplicaCount": "min",
        "maxReplicaCount": "max",
        "scaleUp": "scale_up",
        "scaleDown": "scale_down",
        "triggers": "metrics",
        "warmup": "warm_up",
        "schedule": "schedules",
    }

    min: Replicas = Field(description="Never fewer replicas than this.", examples=[2])
    max: Replicas = Field(description="Never more replicas than this.", examples=[10])
    metrics: Many[AnyMetricModel] = Field(
        default=(),
        min_length=1,
        description="Each proposes a number of replicas; the largest proposal wins. Only a rule "
        "with schedules may do without.",
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

    count: Annotated[Count, BeforeValidator(choice(Count))] = Field(
        default=Count.READY,
        description="What usage over target is multiplied by: ready, the tasks that were "
        "measured; replicas, the service's replicas whether they run or not.",
        examples=["ready"],
        json_schema_extra={"default": "ready"},
    )
    warm_up: Pause | None = Field(
        default=None,
        description="The CPU of a task that runs for less than this does not count yet, 0s to 1d; "
        "default: until the start period of the service's own health check is over.",
        examples=["30s"],
    )
    fallback: FallbackModel | None = Field(
        default=None,
        description="Replicas to have at least once no metric could be followed for a while.",
        examples=[{"replicas": 6, "after": "3m"}],
    )
    schedules: Many[ScheduleModel] = Field(
        default=(),
        description="Times with other bounds; of several active ones the last in the list wins.",
        examples=[[{"cron": "0 8 * * mon-fri", "duration": "10h", "min": 6}]],
    )
    after_deploy_reset: Annotated[AfterDeployReset, BeforeValidator(choice(AfterDeployReset))] = (
        Field(
            default=AfterDeployReset.WAIT,
            description="When a deploy set the replicas back: wait until its rollout has ended, "
            "or restore them at once, which gives up the deploy's rollback target.",
            examples=["wait"],
            json_schema_extra={"default": "wait"},
        )
    )
    max_direction_changes: Changes = Field(
        default=12,
        description="Changes of direction per hour, 1 to 1000; beyond it nothing is scaled down "
        "until an hour is calmer.",
        examples=[12],
    )

    @model_validator(mode="after")
    def _together(self) -> "ScaleModel":
        if not self.metrics and not self.schedules:
            raise Faults(("", _NO_METRICS))
        faults = list(self._bounds()) or [*self._schedule_faults(), *link_faults(self.metrics)]
        if not faults and not can_wake(self.metrics):
            faults += self._asleep()
        if faults:
            raise Faults(*faults)
        return self

    def _bounds(self) -> Iterator[Fault]:
        if self.max < 1:
            yield "max", "must be at least 1"
        elif self.min > self.max:
            yield "max", f"must not be less than min ({self.min}), not {self.max}"
        elif self.fallback is not None and not self.min <= self.fallback.replicas <= self.max:
            yield (
                ("fallback", "replicas"),
                f"must be from min ({self.min}) to max ({self.max}), not {self.fallback.replicas}",
            )

    def _schedule_faults(self) -> Iterator[Fault]:
        """One of a schedule's bounds may be the rule's own."""
        for index, schedule in enumerate(self.schedules):
            low, high = schedule.bounds
            if low is None and high is not None and high < self.min:
                text = f"must not be less than the rule's min ({self.min}): write min here as well"
                yield ("schedules", index, "max"), text
            elif high is None and low is not None and low > self.max:
                text = f"must not be more than the rule's max ({self.max}): write max here as well"
                yield ("schedules", index, "min"), text
            elif low is not None and high is not None and low > high:
                text = f"must not be less than min ({low}), not {high}"
                yield ("schedules", index, "max"), text

    def _asleep(self) -> Iterator[Fault]:
        """A minimum of zero that only the load could end, and no load to be seen at zero.

        A schedule of zero replicas ends by itself.
        """
        if self.min == 0:
            yield "min", _MIN_ZERO
        for index, schedule in enumerate(self.schedules):
            low, high = schedule.bounds
            if low == 0 and high != 0:
                yield ("schedules", index, "min"), _MIN_ZERO
