"""Metrics of a scale rule that are measured of each task: CPU, memory, network."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from monitor.model.rule import Basis
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import (
    Amount,
    Cores,
    Judged,
    JudgedOrOff,
    ShareOrCores,
    ShareOrSize,
    choice,
)
from monitor.rulefile.numbers import Rate
from monitor.rulefile.texts import MetricName

BasisChoice = Annotated[Basis, BeforeValidator(choice(Basis))]

WINDOW = 15.0
RISING = 5.0

NO_TARGET = "has no meaning without a target: a metric without one is only a formula's input"


class MetricModel(Strict):
    """What metrics of all types have in common."""

    MEANT: ClassVar[dict[str, str]] = {
        "averageUtilization": "target",
        "averageValue": "target",
        "utilization": "target",
        "value": "target",
        "threshold": "target",
        "cpus": "cores",
        "activationThreshold": "activation",
        "activationValue": "activation",
        "metricName": "name",
    }

    name: MetricName | None = Field(
        default=None,
        description="What formulas and decisions call this metric; default: its type, with _2, _3 "
        "for further ones of the type.",
        examples=["load"],
    )


class UsageMetricModel(MetricModel):
    """What metrics that are measured of each task have in common."""

    window: Judged = Field(
        default=WINDOW,
        description="Usage is the mean over this time, 2s to 1h.",
        examples=["15s"],
        json_schema_extra={"default": "15s"},
    )
    rising_window: JudgedOrOff = Field(
        default=RISING,
        description="Rising load is judged by the mean over this shorter time as well; off: by "
        "the window alone.",
        examples=["5s"],
        json_schema_extra={"default": "5s"},
    )

    @property
    def rising(self) -> float:
        """Seconds; the whole window where rising load is not judged apart."""
        if self.rising_window is None:
            return self.window
        if "rising_window" in self.model_fields_set:
            return self.rising_window
        return min(RISING, self.window)

    def window_faults(self) -> list[tuple[str, str]]:
        if self.rising > self.window:
            return [("rising_window", "must not be longer than window: write less, or off")]
        return []


class CpuModel(UsageMetricModel):
    """CPU time of each task."""

    EXAMPLE: ClassVar[str] = "{type: cpu, target: 60%}"

    type: Literal["cpu"] = Field(description="CPU time of each task.", examples=["cpu"])
    target: ShareOrSize | None = Field(
        default=None,
        description="The share of its reservation or limit that each task should use on average.",
        examples=["60%"],
        json_schema_extra={"pattern": r"%$"},
    )
    cores: Cores | None = Field(
        default=None,
        description="Instead of target: cores that each task should use on average.",
        examples=[0.5],
    )
    of: BasisChoice | None = Field(
        default=None,
        description="What a share is a share of: the task's reservation, its limit, or auto: the "
        "reservation, else the limit.",
        examples=["auto"],
        json_schema_extra={"default": "auto"},
    )
    activation: ShareOrCores | None = Field(
        default=None,
        description="With min: 0, average usage above this keeps the service awake; written as "
        "the target is, as a share or in cores.",
        examples=["5%"],
    )

    @model_validator(mode="after")
    def _consistent(self) -> "CpuModel":
        faults = self.window_faults()
        if self.target is not None and self.cores is not None:
            faults.append(("cores", "write target or cores, or two metrics: one with each"))
        if self.target is not None and not self.target.is_share:
            faults.append(
                ("target", 'must be a share for cpu, such as "60%"; for cores write "cores: 0.5"')
            )
        if self.of is not None and self.target is None:
            faults.append(("of", "has no meaning without a share: remove it, or write target: 60%"))
        faults += _activation_faults(
            self.activation,
            wanted=True if self.target else False if self.cores is not None else None,
            share="5%",
            absolute="0.05",
        )
        if faults:
            raise Faults(*faults)
        return self


class MemoryModel(UsageMetricModel):
    """The working set of each task: what it uses less the file cache that can be dropped."""

    EXAMPLE: ClassVar[str] = "{type: memory, target: 700MiB}"

    type: Literal["memory"] = Field(description="Memory of each task.", examples=["memory"])
    target: ShareOrSize | None = Field(
        default=None,
        description="The average that each task should have: a size such as 700MiB, or a share of "
        "its reservation or limit such as 80%.",
        examples=["700MiB"],
    )
    of: BasisChoice | None = Field(
        default=None,
        description="What a share is a share of: the task's reservation, its limit, or auto: the "
        "reservation, else the limit.",
        examples=["auto"],
        json_schema_extra={"default": "auto"},
    )
    activation: ShareOrSize | None = Field(
        default=None,
        description="With min: 0, average usage above this keeps the service awake; written as "
        "the target is, as a share or a size.",
        examples=["50MiB"],
    )

    @model_validator(mode="after")
    def _consistent(self) -> "MemoryModel":
        faults = self.window_faults()
        is_share = self.target is not None and self.target.is_share
        if self.of is not None and not is_share:
            faults.append(("of", "has no meaning without a share: remove it, or write target: 80%"))
        faults += _activation_faults(
            self.activation,
            wanted=is_share if self.target else None,
            share="5%",
            absolute="50MiB",
        )
        if faults:
            raise Faults(*faults)
        return self


class NetworkModel(UsageMetricModel):
    """Bytes per second that each task receives or sends."""

    EXAMPLE: ClassVar[str] = "{type: network_receive, target: 10MiB/s}"

    type: Literal["network_receive", "network_transmit"] = Field(
        description="Bytes per second that each task receives or sends.",
        examples=["network_receive"],
    )
    target: Rate | None = Field(
        default=None,
        description="Bytes per second that each task should have on average: 10MiB or 10MiB/s.",
        examples=["10MiB/s"],
    )
    activation: Rate | None = Field(
        default=None,
        description="With min: 0, more bytes per second than this keep the service awake.",
        examples=["10KiB/s"],
    )

    @model_validator(mode="after")
    def _consistent(self) -> "NetworkModel":
        faults = self.window_faults()
        if self.activation is not None and self.target is None:
            faults.append(("activation", NO_TARGET))
        if faults:
            raise Faults(*faults)
        return self


def _activation_faults(
    activation: Amount | None, *, wanted: bool | None, share: str, absolute: str
) -> list[tuple[str, str]]:
    """wanted: whether the target is a share; None where there is no target."""
    if activation is None:
        return []
    if wanted is None:
        return [("activation", NO_TARGET)]
    if activation.is_share is not wanted:
        what, example = ("a share", share) if wanted else ("an amount", absolute)
        return [("activation", f"must be {what} as the target is: write for example {example}")]
    return []
