"""`node:` and `nodes:` of a rule."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from monitor.model.rule import NodeAction
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.condition_fields import Drained, PartOfAll
from monitor.rulefile.condition_model import CountModel
from monitor.rulefile.fields import Hold, Label, Many, ServiceName, choice
from monitor.rulefile.restart_model import BudgetModel
from monitor.rulefile.selector_model import LIST_TAG, MAPPING_TAG


def _role(value: object) -> str:
    if value not in {"manager", "worker"}:
        raise ValueError("must be manager or worker")
    return str(value)


class RoleOrLabel(Strict):
    """Nodes of one role, or with one label."""

    EXAMPLE: ClassVar[str] = '["worker-*"], {role: worker} or {label: "disk=ssd"}'
    MEANT: ClassVar[dict[str, str]] = {"labels": "label"}

    role: Annotated[str, BeforeValidator(_role)] | None = Field(
        default=None, description="manager or worker.", examples=["worker"]
    )
    label: Label | None = Field(
        default=None,
        description='All nodes with this label: "key=value", or "key" for any value.',
        examples=["disk=ssd"],
    )

    @model_validator(mode="after")
    def _one(self) -> "RoleOrLabel":
        if (self.role is None) == (self.label is None):
            raise Faults(("", 'write one of {role: worker} and {label: "key=value"}'))
        return self


def _kind(value: object) -> str | None:
    if isinstance(value, list):
        return LIST_TAG
    return MAPPING_TAG if isinstance(value, dict | RoleOrLabel) else None


Nodes = Annotated[
    Annotated[Many[ServiceName], Field(min_length=1), Tag(LIST_TAG)]
    | Annotated[RoleOrLabel, Tag(MAPPING_TAG)],
    Discriminator(_kind),
]

_KINDS = ("down_for", "memory_above", "disk_above", "tasks_failing_here", "any")


class NodeConditionModel(Strict):
    """What must be true of a node."""

    EXAMPLE: ClassVar[str] = "{memory_above: 95%, for: 5m}"
    MEANT: ClassVar[dict[str, str]] = {
        "down": "down_for",
        "memory": "memory_above",
        "disk": "disk_above",
        "failing": "tasks_failing_here",
        "tasks_failing": "tasks_failing_here",
        "or": "any",
    }

    down_for: Hold | None = Field(
        default=None,
        description="The Swarm has called it down for this long, 1s to 1d.",
        examples=["5m"],
    )
    memory_above: PartOfAll | None = Field(
        default=None,
        description="More than this share of its memory is in use.",
        examples=["95%"],
    )
    disk_above: PartOfAll | None = Field(
        default=None,
        description="More than this share of its disk is in use.",
        examples=["90%"],
    )
    tasks_failing_here: CountModel | None = Field(
        default=None,
        description="So many tasks failed on it of services that do well on other nodes.",
        examples=[{"count": 5, "within": "10m"}],
    )
    for_: Hold | None = Field(
        default=None,
        alias="for",
        description="It has lasted for this long on end, 1s to 1d.",
        examples=["5m"],
    )
    any_of: "Many[NodeConditionModel] | None" = Field(
        default=None,
        alias="any",
        min_length=1,
        description="At least one of these conditions holds.",
        examples=[[{"memory_above": "95%", "for": "5m"}]],
    )

    @model_validator(mode="after")
    def _one(self) -> "NodeConditionModel":
        found = {name: self.any_of if name == "any" else getattr(self, name) for name in _KINDS}
        given = [name for name, value in found.items() if value is not None]
        if not given:
            raise Faults(("", f"write one of {', '.join(_KINDS[:-1])}, or any of several"))
        if len(given) > 1:
            raise Faults((given[1], f"{given[0]} is given already: write {{any: [...]}}"))
        kind = given[0]
        timed = kind in {"memory_above", "disk_above"}
        if timed and self.for_ is None:
            raise Faults(("", 'for is missing: write for example "for: 5m"'))
        if not timed and self.for_ is not None:
            raise Faults(("for", f"has no meaning with {kind}: remove it"))
        if self.any_of is not None and any(one.any_of is not None for one in self.any_of):
            raise Faults(("any", "any inside any: write all conditions in one list"))
        return self


class NodeModel(Strict):
    """Drains a node that is not well for a time, or tells of it."""

    EXAMPLE: ClassVar[str] = "{when: {memory_above: 95%, for: 5m}, action: notify}"
    MEANT: ClassVar[dict[str, str]] = {"if": "when", "limit": "budget", "for": "drain_for"}

    when: NodeConditionModel = Field(
        description="The condition: one, or {any: [...]}.",
        examples=[{"memory_above": "95%", "for": "5m"}],
    )
    action: Annotated[NodeAction, BeforeValidator(choice(NodeAction))] = Field(
        default=NodeAction.NOTIFY,
        description="drain: its tasks go elsewhere, until drain_for has passed; notify: nothing "
        "but a notice.",
        examples=["drain"],
        json_schema_extra={"default": "notify"},
    )
    drain_for: Drained | None = Field(
        default=None,
        description="After this time it is taken back, 1m to 7d.",
        examples=["30m"],
        json_schema_extra={"default": "30m"},
    )
    budget: BudgetModel = Field(
        default_factory=lambda: BudgetModel(count=2, within="1d"),  # type: ignore[arg-type]
        description="How often one node may be drained or told of in what time.",
        examples=[{"count": 2, "within": "1d"}],
    )

    @model_validator(mode="after")
    def _drains(self) -> "NodeModel":
        if self.drain_for is not None and self.action is not NodeAction.DRAIN:
            raise Faults(("drain_for", "belongs to action: drain: remove it"))
        return self
