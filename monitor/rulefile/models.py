"""A rule file as it is written."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from monitor.model.rule import RuleMode
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import Many, RuleName, ServiceName, choice
from monitor.rulefile.restart_model import RestartModel
from monitor.rulefile.scale_model import ScaleModel
from monitor.rulefile.selector_model import Services


class RuleModel(Strict):
    """Selects services and does one thing with them."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["scale"]}, {"required": ["restart"]}]}
    )
    EXAMPLE: ClassVar[str] = "{name: web-load, services: [web], scale: {...}}"
    LATER: ClassVar[dict[str, str]] = {
        "node": "a rule scales or restarts services",
        "rebalance": "a rule scales or restarts services",
        "rollback": "a rule scales or restarts services",
        "park": "a rule scales or restarts services",
        "notify": "decisions are shown in the log, the metrics and the API",
    }
    MEANT: ClassVar[dict[str, str]] = {
        "service": "services",
        "selector": "services",
        "dry_run": "mode",
        "enabled": "mode",
        "id": "name",
        "when": "restart",
    }

    name: RuleName = Field(
        description="The rule's name, unique in all files; a label of its metrics.",
        examples=["web-load"],
    )
    services: Services = Field(
        description='Exact service names and globs, or {stack: NAME}, or {label: "key=value"}.',
        examples=[["web", "shop_*"]],
    )
    exclude: Many[ServiceName] = Field(
        default=(),
        description="Exact names and globs of services that are left out.",
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

    @model_validator(mode="after")
    def _one_thing(self) -> "RuleModel":
        if self.scale is None and self.restart is None:
            raise Faults(("", "what the rule does is missing: write scale: or restart:"))
        if self.scale is not None and self.restart is not None:
            raise Faults(("restart", "a rule does one thing: write a second rule for restart"))
        return self


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
