"""Back to what a service was before its last deploy, with as many replicas as it has now."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.act.guards import refuse
from monitor.model.outcome import Outcome
from monitor.model.service import Service, UpdateState
from monitor.ports.engine import Engine
from monitor.store.deploys import deploy_of

Before = Callable[[Service], Mapping[str, Any] | None]
"""The spec of the last deploy before a service's present one; None: none is known."""


@dataclass(frozen=True, slots=True)
class Target:
    """spec: what the service will be. by_swarm: Swarm itself has it as its previous spec."""

    spec: Mapping[str, Any]
    by_swarm: bool = False


def target_of(service: Service, before: Before, decided: str = "") -> Target | Outcome:
    """What to write, or why nothing may be.

    While an update rolls out or is paused the rollback is Swarm's own, with its rollback settings:
    as long as nobody wrote to the service since the deploy, its previous spec is what was before.

    decided: `deploy_of` what it was decided to go back to, "" for whatever was before.
    """
    if service.update_state in (UpdateState.ROLLBACK_STARTED, UpdateState.ROLLBACK_PAUSED):
        return refuse(
            f"{service.name} is rolled back already: its update is {service.update_state}"
        )
    present = service.raw["Spec"]
    previous = service.raw.get("PreviousSpec")
    if (
        service.update_state in (UpdateState.UPDATING, UpdateState.PAUSED)
        and isinstance(previous, Mapping)
        and not same_tasks(previous, present)
    ):
        return Target(previous, by_swarm=True)
    kept = before(service)
    if kept is None:
        return refuse(
            f"no earlier deploy of {service.name} is known here: none was seen since this agent, "
            "or the folder of its --data, began"
        )
    if decided not in ("", deploy_of(kept)):
        return refuse(f"what {service.name} would go back to is not what was decided on")
    if kept.get("Name") != service.name or _mode(kept) != _mode(present):
        return refuse(f"the earlier deploy of {service.name} had another name or mode")
    spec = copy.deepcopy(dict(kept))
    spec["Mode"] = copy.deepcopy(present["Mode"])
    if same_tasks(spec, present):
        return refuse(f"{service.name} is as it was before already")
    return Target(spec)


def same_tasks(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both run the same tasks, however often those were restarted."""
    return _unforced(one) == _unforced(other)


async def gone_parts(engine: Engine, spec: Mapping[str, Any]) -> str:
    """What the spec needs and the Swarm has not any more, "" where nothing. Raises EngineError."""
    secrets = _references(spec, "Secrets", "SecretID", "SecretName")
    configs = _references(spec, "Configs", "ConfigID", "ConfigName")
    there = await engine.secret_ids() if secrets else frozenset()
    gone = [f"secret {name}" for key, name in secrets.items() if key not in there]
    there = await engine.config_ids() if configs else frozenset()
    gone += [f"config {name}" for key, name in configs.items() if key not in there]
    return ", ".join(gone)


def _references(spec: Mapping[str, Any], part: str, key: str, name: str) -> dict[str, str]:
    container = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
    listed = container.get(part) or []
    return {str(one.get(key)): str(one.get(name)) for one in listed if one.get(key)}


def _mode(spec: Mapping[str, Any]) -> list[str]:
    return sorted(key for key, value in (spec.get("Mode") or {}).items() if value is not None)


def _unforced(spec: Mapping[str, Any]) -> dict[str, Any]:
    template = spec.get("TaskTemplate") or {}
    return {key: value for key, value in template.items() if key != "ForceUpdate"}
