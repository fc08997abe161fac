"""What managers check of a service's words, and how they refuse them."""

import re
from typing import Any

from monitor.simulate.http.answers import Refused
from monitor.simulate.http.container_words import check_container
from monitor.simulate.state import Spec

_INVALID = "rpc error: code = InvalidArgument desc = "
_UNKNOWN = "rpc error: code = Unknown desc = "
_ORDERS = ("", "stop-first", "start-first")
_CONDITIONS = ("", "none", "on-failure", "any")
_KEY = re.compile(r"(?i)[a-z_][a-z0-9\-_.]+")
_VALUE = re.compile(r"(?i)[a-z0-9:\-_\s\.\*\(\)\?\+\[\]\\\^\$\|/]+")
_LEAST_CPU = 1_000_000  # nano-CPUs
_LEAST_MEMORY = 4 << 20


def check_words(spec: Spec) -> None:
    """Raises Refused, in the order in which the daemon and then the managers look."""
    template = spec["TaskTemplate"]
    condition = (template.get("RestartPolicy") or {}).get("Condition", "")
    if condition not in _CONDITIONS:
        raise Refused(400, f'invalid RestartCondition: "{condition}"')
    for part, actions in (
        ("UpdateConfig", ("", "pause", "continue", "rollback")),
        ("RollbackConfig", ("", "pause", "continue")),
    ):
        config = spec.get(part) or {}
        action, order = config.get("FailureAction", ""), config.get("Order", "")
        if action not in actions:
            word = "update" if part == "UpdateConfig" else "rollback"
            raise Refused(400, f"unrecognized {word} failure action {action}")
        if order not in _ORDERS:
            raise Refused(400, f"unrecognized update order {order}")
    mode = (spec.get("EndpointSpec") or {}).get("Mode", "")
    if mode not in ("", "vip", "dnsrr"):
        raise Refused(400, f'invalid resolution mode: "{mode}"')
    for kind in ("Limits", "Reservations"):
        _check_amounts((template.get("Resources") or {}).get(kind) or {})
    for constraint in (template.get("Placement") or {}).get("Constraints") or ():
        _check_constraint(constraint)
    check_container(template["ContainerSpec"])
    _check_pace(spec)


def _check_pace(spec: Spec) -> None:
    """Of a restart and an update; a rollback's may be anything, as managers have it."""
    restart, update = spec["TaskTemplate"].get("RestartPolicy") or {}, spec.get("UpdateConfig")
    for what, span in (
        ("restart-delay", restart.get("Delay", 0)),
        ("restart-window", restart.get("Window", 0)),
        ("update-delay", (update or {}).get("Delay", 0)),
        ("update-monitor", (update or {}).get("Monitor", 0)),
    ):
        if span < 0:
            raise Refused(400, f"{_INVALID}TaskSpec: {what} cannot be negative")
    if not 0 <= (update or {}).get("MaxFailureRatio", 0) <= 1:
        raise Refused(
            400,
            f"{_INVALID}TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1",
        )
    if update is not None and set(spec.get("Mode") or ()) & {"ReplicatedJob", "GlobalJob"}:
        raise Refused(400, f"{_INVALID}Jobs may not have an update config")


def _check_amounts(amounts: dict[str, Any]) -> None:
    cpus, memory = amounts.get("NanoCPUs", 0), amounts.get("MemoryBytes", 0)
    if cpus and cpus < _LEAST_CPU:
        raise Refused(
            400, f"{_INVALID}invalid cpu value {cpus / 1e9:g}: Must be at least {_LEAST_CPU / 1e9}"
        )
    if memory and memory < _LEAST_MEMORY:
        raise Refused(400, f"{_INVALID}invalid memory value {memory}: Must be at least 4MiB")


def _check_constraint(constraint: str) -> None:
    for operator in ("==", "!="):
        key, found, value = constraint.partition(operator)
        if not found:
            continue
        if not _KEY.fullmatch(key.strip()):
            raise Refused(500, f"{_UNKNOWN}key '{key.strip()}' is invalid")
        if not _VALUE.fullmatch(value.strip()):
            raise Refused(500, f"{_UNKNOWN}value '{value.strip()}' is invalid")
        return
    raise Refused(500, f"{_UNKNOWN}constraint expected one operator from ==, !=")
