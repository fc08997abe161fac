"""`prometheus:` of a restart rule's condition."""

from typing import ClassVar

from pydantic import Field, model_validator

from monitor.rulefile.base import Faults
from monitor.rulefile.number_metrics import Asking
from monitor.rulefile.numbers import Number
from monitor.rulefile.texts import Address, MetricName, Query


class NumberModel(Asking):
    """The answer of a Prometheus server, and the number it must not go beyond."""

    EXAMPLE: ClassVar[str] = "{query: 'sum(queue_length)', above: 100}"
    MEANT: ClassVar[dict[str, str]] = {
        "url": "address",
        "server": "address",
        "expr": "query",
        "promql": "query",
        "threshold": "above",
        "target": "above",
        "value": "above",
    }

    query: Query = Field(
        description="PromQL whose result is one number; $service, $stack and $rule are replaced.",
        examples=['sum(up{job="$service"})'],
    )
    above: Number | None = Field(
        default=None, description="Holds while the number is above this.", examples=[100]
    )
    below: Number | None = Field(
        default=None, description="Holds while the number is below this.", examples=[1]
    )
    name: MetricName | None = Field(
        default=None,
        description="What decisions call it; default: prometheus, with _2, _3 for further ones.",
        examples=["errors"],
    )
    address: Address | None = Field(
        default=None,
        description="The server's URL; default: the agent's own Prometheus server.",
        examples=["http://prometheus:9090"],
    )
    empty_is: Number | None = Field(
        default=None,
        description="What an empty result means; without it there is no number then.",
        examples=[0],
    )

    @model_validator(mode="after")
    def _one_side(self) -> "NumberModel":
        if self.above is None and self.below is None:
            raise Faults(("", 'write a bound as well: "above: 100" or "below: 1"'))
        if self.above is not None and self.below is not None:
            raise Faults(("below", "write above or below, or two conditions under any:"))
        return self
