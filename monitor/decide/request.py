"""What a share is a share of: the service's reservation or limit of one task."""

from monitor.model.rule import Basis
from monitor.model.service import Service
from monitor.model.usage import MetricKind

_FIELDS = {MetricKind.CPU: "cpus", MetricKind.MEMORY: "memory"}
_NAMES = {MetricKind.CPU: "CPU", MetricKind.MEMORY: "memory"}
_ABSOLUTE = {MetricKind.CPU: "cores", MetricKind.MEMORY: "bytes (700MiB)"}
_NETWORK = frozenset({MetricKind.NETWORK_RECEIVE, MetricKind.NETWORK_TRANSMIT})


def request_of(service: Service, kind: MetricKind, of: Basis) -> tuple[float, Basis] | None:
    """Cores or bytes of one task and which of the two it is; None where neither is set.

    `auto` is the reservation, else the limit. Zero means "not set", as in the Engine API.
    Traffic has neither.
    """
    if kind in _NETWORK:
        return None
    if kind is MetricKind.CPU:
        reservation, limit = service.cpu_reservation, service.cpu_limit
    else:
        reservation, limit = service.memory_reservation, service.memory_limit
    if of is not Basis.LIMIT and reservation:
        return float(reservation), Basis.RESERVATION
    if of is not Basis.RESERVATION and limit:
        return float(limit), Basis.LIMIT
    return None


def missing_request(service: Service, kind: MetricKind, of: Basis, share: float) -> str:
    """One sentence: what the service lacks and what to set instead."""
    if kind in _NETWORK:
        return (
            f"{kind.value} has no reservation or limit to be a share of: "
            "give the rule an absolute value in bytes per second (5MiB)"
        )
    name, field = _NAMES[kind], _FIELDS[kind]
    match of:
        case Basis.RESERVATION:
            lacks = f"no {name} reservation"
            setting = f"deploy.resources.reservations.{field}"
        case Basis.LIMIT:
            lacks = f"no {name} limit"
            setting = f"deploy.resources.limits.{field}"
        case Basis.AUTO:
            lacks = f"neither a {name} reservation nor a {name} limit"
            setting = f"deploy.resources.reservations.{field} or deploy.resources.limits.{field}"
    return (
        f"{service.name} has {lacks}, so {share * 100:g}% of it is nothing: "
        f"set {setting} on the service, or give the rule an absolute value in {_ABSOLUTE[kind]}"
    )
