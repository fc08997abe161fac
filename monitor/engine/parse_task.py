"""`GET /tasks` to Task."""

from sys import intern

from monitor.engine.raw import (
    Raw,
    flag,
    identifier,
    integer,
    part,
    parts,
    ratio,
    strings,
    text,
    wall_seconds,
    whole,
)
from monitor.engine.template import template
from monitor.model.task import TASK_STATES, Task, TaskState

# Where the node told how the container ended; an orphan's container may run on.
_CONTAINER_ENDED = frozenset(
    {TaskState.COMPLETE, TaskState.SHUTDOWN, TaskState.FAILED, TaskState.REJECTED}
)


def parse_task(raw: Raw) -> Task | None:
    """None for what is not a service's task: an attachment of a container to a network.

    A state that this version does not know (`allocated` of early engines among them) counts as
    pending: neither running nor ended. Texts that many tasks have in common are held once.
    """
    service_id = text(raw, "ServiceID")
    if not service_id:
        return None
    status, spec = part(raw, "Status"), part(raw, "Spec")
    container = part(status, "ContainerStatus")
    container_id = text(container, "ContainerID")
    state = _state(status, "State")
    ended = container_id != "" and state in _CONTAINER_ENDED
    reserved = part(spec, "Resources", "Reservations")
    job = part(raw, "JobIteration") if "JobIteration" in raw else None
    return Task(
        id=identifier(raw, "ID", "task"),
        service_id=intern(service_id),
        slot=integer(raw, "Slot") or None,  # absent for global services
        node_id=intern(text(raw, "NodeID")),
        state=state,
        desired_state=_state(raw, "DesiredState"),
        since=wall_seconds(status, "Timestamp"),
        created_at=wall_seconds(raw, "CreatedAt"),
        version=whole(part(raw, "Version"), "Index"),
        container_id=container_id,
        exit_code=whole(container, "ExitCode") if ended else None,
        image=intern(text(part(spec, "ContainerSpec"), "Image")),
        message=intern(text(status, "Message")),
        error=intern(text(status, "Err")),
        template=intern(template(spec)),
        cpu_reservation=ratio(reserved, "NanoCPUs"),
        memory_reservation=whole(reserved, "MemoryBytes"),
        # The number is left out where it is 0.
        job_iteration=whole(job, "Index") if job is not None else None,
        addresses=_addresses(raw),
    )


def _addresses(raw: Raw) -> tuple[tuple[str, str], ...]:
    """Network by network; `ingress` is the routing mesh's own: nobody reaches a task through it."""
    found = []
    for attachment in parts(raw, "NetworksAttachments"):
        network = part(attachment, "Network", "Spec")
        name = text(network, "Name")
        if not name or name == "ingress" or flag(network, "Ingress"):
            continue
        bare = (entry.partition("/")[0] for entry in strings(attachment, "Addresses"))
        found += [(name, address) for address in bare if address]
    return tuple(found)


def _state(raw: Raw, key: str) -> TaskState:
    return TASK_STATES.get(text(raw, key).lower(), TaskState.PENDING)
