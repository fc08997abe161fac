"""A rule file as it is written."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from monitor.model.rule import RuleMode
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import Many, RuleName, ServiceName, choice
from monitor.rulefile.node_model import NodeModel, Nodes
from monitor.rulefile.rebalance_model import RebalanceModel
from monitor.rulefile.restart_model import RestartModel, awaited
from monitor.rulefile.scale_model import ScaleModel
from monitor.rulefile.selector_model import Services


class RuleModel(Strict):
    """Selects services, or nodes, and does one thing with them."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["services", "scale"]},
                {"required": ["services", "restart"]},
                {"required": ["services", "rebalance"]},
                {"required": ["node"]},
            ]
        }
    )
    EXAMPLE: ClassVar[str] = "{name: web-load, services: [web], scale: {...}}"
    MEANT: ClassVar[dict[str, str]] = {
        "service": "services",
        "selector": "services",
        "dry_run": "mode",
        "enabled": "mode",
        "id": "name",
        "when": "restart",
        "rollback": "restart",
        "park": "restart",
        "notify": "restart",
        "spread": "rebalance",
        "drain": "node",
    }

    name: RuleName = Field(
        description="The rule's name, unique in all files; a label of its metrics.",
        examples=["web-load"],
    )
    services: Services | None = Field(
        default=None,
        description='Exact service names and globs, or {stack: NAME}, or {label: "key=value"}.',
        examples=[["web", "shop_*"]],
    )
    nodes: Nodes | None = Field(
        default=None,
        description="With node: host names and globs, or {role: worker}, or "
        '{label: "key=value"}; default: all.',
        examples=[["worker-*"]],
    )
    exclude: Many[ServiceName] = Field(
        default=(),
        description="Exact names and globs of services, or of nodes, that are left out.",
        examples=[["shop_db"]],
    )
    mode: Annotated[RuleMode, BeforeValidator(choice(RuleMode))] = Field(
        default=RuleMode.ACT,
        description="act; dry_run: decide and show, but write nothing; off: do nothing.",
        examples=["act"],
        json_schema_extra={"default": "act"},
    )
    scale: ScaleModel | None = Field(
        default=None,
        description="Set the number of replicas by usage.",
        examples=[{"min": 2, "max": 10, "metrics": [{"type": "cpu", "target": "60%"}]}],
    )
    restart: RestartModel | None = Field(
        default=None,
        description="Restart the service while a condition holds.",
        examples=[{"when": {"memory_above": "90%", "for": "5m"}}],
    )
    rebalance: RebalanceModel | None = Field(
        default=None,
        description="Spread its tasks evenly over the nodes again.",
        examples=[{"when": {"skew_above": 1, "for": "5m"}}],
    )
    node: NodeModel | None = Field(
        default=None,
        description="Drain a node that is not well, or tell of it.",
        examples=[{"when": {"memory_above": "95%", "for": "5m"}, "action": "notify"}],
    )

    @model_validator(mode="after")
    def _one_thing(self) -> "RuleModel":
        things = ("scale", "restart", "rebalance", "node")
        given = [name for name in things if getattr(self, name) is not None]
        if not given:
            text = "what the rule does is missing: write scale:, restart:, rebalance: or node:"
            raise Faults(("", text))
        if len(given) > 1:
            text = f"a rule does one thing: write a second rule for {given[1]}"
            raise Faults((given[1], text))
        if self.node is None and self.services is None:
            raise Faults(("", 'services is missing: write for example "services: [web, "shop_*"]"'))
        if self.node is not None and self.services is not None:
            raise Faults(("services", "a node rule is about nodes: write nodes: or remove it"))
        if self.node is None and self.nodes is not None:
            raise Faults(("nodes", "belongs to rules with node: remove it"))
        if self.restart is not None:
            self._not_after_itself(self.restart)
        return self

    def _not_after_itself(self, restart: RestartModel) -> None:
        names = self.services if isinstance(self.services, tuple) else ()
        for path, service in awaited(restart.when, ("restart", "when")):
            if service in names:
                raise Faults((path, f"{service} would be restarted after itself, without end"))


def _version(value: object) -> object:
    if value != 1 or isinstance(value, bool | float):
        raise ValueError("must be 1: write version: 1")
    return value


class RuleFile(Strict):
    """A rule file of swarm-monitor."""

    EXAMPLE: ClassVar[str] = '"version: 1" and "rules:" with a list below'
    MEANT: ClassVar[dict[str, str]] = {"apiVersion": "version", "rule": "rules", "groups": "rules"}

    version: Annotated[int, BeforeValidator(_version), Field(ge=1, le=1)] = Field(
        description="The format's version: 1.", examples=[1]
    )
    rules: Many[RuleModel] = Field(
        description="The rules.",
        examples=[[]],
    )
