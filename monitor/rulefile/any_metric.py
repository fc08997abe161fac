"""One entry of `metrics:`: which model it is, its `type` says."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Tag

from monitor.model.usage import MetricKind
from monitor.rulefile.base import Faults
from monitor.rulefile.fields import choice
from monitor.rulefile.number_metrics import (
    FormulaModel,
    HttpModel,
    PrometheusModel,
    TasksPendingModel,
)
from monitor.rulefile.units import shown
from monitor.rulefile.usage_metrics import CpuModel, MemoryModel, MetricModel, NetworkModel


class MetricType(StrEnum):
    CPU = MetricKind.CPU.value
    MEMORY = MetricKind.MEMORY.value
    NETWORK_RECEIVE = MetricKind.NETWORK_RECEIVE.value
    NETWORK_TRANSMIT = MetricKind.NETWORK_TRANSMIT.value
    PROMETHEUS = "prometheus"
    HTTP = "http"
    TASKS_PENDING = "tasks_pending"
    FORMULA = "formula"


_TAGS = {
    MetricType.CPU: "(cpu)",
    MetricType.MEMORY: "(memory)",
    MetricType.NETWORK_RECEIVE: "(network_receive)",
    MetricType.NETWORK_TRANSMIT: "(network_receive)",
    MetricType.PROMETHEUS: "(prometheus)",
    MetricType.HTTP: "(http)",
    MetricType.TASKS_PENDING: "(tasks_pending)",
    MetricType.FORMULA: "(formula)",
}
_type_of = choice(MetricType)


def _typed(value: object) -> object:
    """Refuses what has no known type, before any field is looked at."""
    if isinstance(value, MetricModel):
        return value
    if value is None:
        raise ValueError("has no value: write one behind the dash, or remove the line")
    if not isinstance(value, dict):
        raise Faults(("", f"must be {CpuModel.EXAMPLE}, not {shown(value)}"))
    if "type" not in value:
        raise Faults(("", 'type is missing: write for example "type: cpu"'))
    if value["type"] is None:
        raise Faults(("type", "has no value: write one behind the colon, or remove the line"))
    try:
        _type_of(value["type"])
    except ValueError as error:
        raise Faults(("type", str(error))) from None
    return value


def _tag(value: object) -> str | None:
    given = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return _TAGS.get(MetricType(given)) if isinstance(given, str) else None


AnyMetricModel = Annotated[
    Annotated[CpuModel, Tag("(cpu)")]
    | Annotated[MemoryModel, Tag("(memory)")]
    | Annotated[NetworkModel, Tag("(network_receive)")]
    | Annotated[PrometheusModel, Tag("(prometheus)")]
    | Annotated[HttpModel, Tag("(http)")]
    | Annotated[TasksPendingModel, Tag("(tasks_pending)")]
    | Annotated[FormulaModel, Tag("(formula)")],
    Discriminator(_tag),
    BeforeValidator(_typed),
]
