"""`rebalance:` of a rule."""

from typing import ClassVar

from pydantic import Field, model_validator

from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.condition_fields import Skew
from monitor.rulefile.fields import Hold, Pause
from monitor.rulefile.restart_model import BudgetModel

DEFAULT_BUDGET = 20


class UnevenModel(Strict):
    """When tasks are so unevenly spread that they are moved."""

    EXAMPLE: ClassVar[str] = "{skew_above: 1, for: 5m}"
    MEANT: ClassVar[dict[str, str]] = {
        "skew": "skew_above",
        "max_skew": "skew_above",
        "maxSkew": "skew_above",
        "node_joins": "node_joined",
        "duration": "for",
    }

    skew_above: Skew | None = Field(
        default=None,
        description="The most tasks of the service on a node, less the fewest, is above this; 1 "
        "is as even as can be.",
        examples=[1],
    )
    for_: Hold | None = Field(
        default=None,
        alias="for",
        description="The skew has lasted this long on end, 1s to 1d.",
        examples=["5m"],
    )
    node_joined: Hold | None = Field(
        default=None,
        description="So long after a node joined or came back, 1s to 1d.",
        examples=["1m"],
    )

    @model_validator(mode="after")
    def _something(self) -> "UnevenModel":
        if self.skew_above is None and self.node_joined is None:
            raise Faults(("", 'write "skew_above: 1" with "for: 5m", or "node_joined: 1m"'))
        if self.skew_above is not None and self.for_ is None:
            raise Faults(("", 'for is missing: write for example "for: 5m"'))
        if self.skew_above is None and self.for_ is not None:
            raise Faults(("for", "belongs to skew_above: write that as well, or remove it"))
        return self


class RebalanceModel(Strict):
    """Moves tasks of a service from crowded nodes to those with fewer, one at a time."""

    EXAMPLE: ClassVar[str] = "{when: {skew_above: 1, for: 5m}}"
    MEANT: ClassVar[dict[str, str]] = {"if": "when", "limit": "budget"}

    when: UnevenModel = Field(
        description="The skew for a time, or a node that joined, or either of both.",
        examples=[{"skew_above": 1, "for": "5m"}],
    )
    budget: BudgetModel = Field(
        default_factory=lambda: BudgetModel(count=DEFAULT_BUDGET),
        description="How many tasks of one service may be moved in what time.",
        examples=[{"count": 20, "within": "1h"}],
    )
    quiet_after_deploy: Pause = Field(
        default=60.0,
        description="Nothing is moved for this long after somebody's deploy, 0s to 1d.",
        examples=["1m"],
        json_schema_extra={"default": "1m"},
    )
