"""A service's spec with its parts in the order in which the daemon writes them.

Clients print an object as it came, so that its order is seen. What is not named here stays behind
what is, in its own order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.simulate.state import Spec

_SPEC = (
    "Name",
    "Labels",
    "TaskTemplate",
    "Mode",
    "UpdateConfig",
    "RollbackConfig",
    "Networks",
    "EndpointSpec",
)
_TEMPLATE = (
    "ContainerSpec",
    "Resources",
    "RestartPolicy",
    "Placement",
    "Networks",
    "LogDriver",
    "ForceUpdate",
    "Runtime",
)
_CONTAINER = (
    "Image",
    "Labels",
    "Command",
    "Args",
    "Hostname",
    "Env",
    "Dir",
    "User",
    "Groups",
    "Privileges",
    "Init",
    "StopSignal",
    "TTY",
    "OpenStdin",
    "ReadOnly",
    "Mounts",
    "StopGracePeriod",
    "Healthcheck",
    "Hosts",
    "DNSConfig",
    "Secrets",
    "Configs",
    "Isolation",
)
_UPDATE = ("Parallelism", "Delay", "FailureAction", "Monitor", "MaxFailureRatio", "Order")
_RESTART = ("Condition", "Delay", "MaxAttempts", "Window")


def in_order(spec: Spec) -> Spec:
    """The same spec, its values untouched."""
    ordered = _sorted(spec, _SPEC)
    template = _sorted(spec["TaskTemplate"], _TEMPLATE)
    template["ContainerSpec"] = _sorted(template["ContainerSpec"], _CONTAINER)
    if "RestartPolicy" in template:
        template["RestartPolicy"] = _sorted(template["RestartPolicy"], _RESTART)
    ordered["TaskTemplate"] = template
    for part in ("UpdateConfig", "RollbackConfig"):
        if part in ordered:
            ordered[part] = _sorted(ordered[part], _UPDATE)
    return ordered


def _sorted(part: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    known = {key: part[key] for key in order if key in part}
    return known | {key: value for key, value in part.items() if key not in known}
