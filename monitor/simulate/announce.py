"""Which events the Engine tells for a change, with the attributes it really gives them."""

from monitor.model.event import Event
from monitor.simulate.spec import image_of, mode_of, replicas_of
from monitor.simulate.state import SimConfig, SimNode, SimService, SimTask
from monitor.simulate.store import Change


def swarm_event(change: Change, stamp: int) -> Event | None:
    """The swarm-scope event of a change; None for tasks, of which the Engine tells nothing.

    A removal carries the time it is told (`stamp`, epoch ns), all else that of the object.
    """
    what = change.new
    match what:
        case SimService():
            old = change.old if isinstance(change.old, SimService) else None
            type_, attributes = "service", service_attributes(what, old)
        case SimNode():
            before = change.old if isinstance(change.old, SimNode) else None
            type_, attributes = "node", node_attributes(what, before)
        case SimConfig():
            type_, attributes = "config", {"name": what.name}
        case _:
            return None
    time = {"create": what.created_ns, "update": what.updated_ns}.get(change.action, stamp)
    return Event(type_, change.action, what.id, time, attributes, "swarm")


def service_attributes(new: SimService, old: SimService | None) -> dict[str, str]:
    attributes = {"name": new.name}
    if old is None:
        return attributes
    image, had = image_of(new.spec["TaskTemplate"]), image_of(old.spec["TaskTemplate"])
    if image != had:
        attributes |= {"image.old": had, "image.new": image}
    if mode_of(new.spec) == "Replicated" and replicas_of(new.spec) != replicas_of(old.spec):
        attributes["replicas.old"] = str(replicas_of(old.spec))
        attributes["replicas.new"] = str(replicas_of(new.spec))
    if new.update_state is not None and new.update_state != old.update_state:
        if old.update_state is not None:
            attributes["updatestate.old"] = old.update_state
        attributes["updatestate.new"] = new.update_state
    return attributes


def node_attributes(new: SimNode, old: SimNode | None) -> dict[str, str]:
    attributes = {"name": new.name}
    if old is None:
        return attributes
    for name in ("availability", "role", "state"):  # who leads is no part of what is stored
        before, after = str(getattr(old, name)).lower(), str(getattr(new, name)).lower()
        if before != after:
            attributes |= {f"{name}.old": before, f"{name}.new": after}
    return attributes


def container_labels(task: SimTask) -> dict[str, str]:
    return {
        **task.labels,
        "com.docker.swarm.node.id": task.node_id,
        "com.docker.swarm.service.id": task.service_id,
        "com.docker.swarm.service.name": task.service_name,
        "com.docker.swarm.task": "",
        "com.docker.swarm.task.id": task.id,
        "com.docker.swarm.task.name": task.name,
    }


def container_event(task: SimTask, action: str, stamp: int, **more: str) -> Event:
    attributes = {**container_labels(task), "image": image_of(task.spec), "name": task.name}
    return Event("container", action, task.container_id, stamp, attributes | more, "local")
