"""`GET /nodes` to Node."""

from monitor.engine.raw import Raw, identifier, labels, part, ratio, text, whole
from monitor.model.node import Availability, Node, NodeSpec, NodeState

_STATES = {state.value: state for state in NodeState}
_AVAILABILITIES = {state.value: state for state in Availability}


def parse_node(raw: Raw) -> Node:
    """Unknown states come out as `unknown`; a node without a host name is named by its id."""
    node_id = identifier(raw, "ID", "node")
    spec, status = part(raw, "Spec"), part(raw, "Status")
    description = part(raw, "Description")
    platform, resources = part(description, "Platform"), part(description, "Resources")
    manager = part(raw, "ManagerStatus")
    return Node(
        id=node_id,
        name=text(description, "Hostname") or node_id,
        role=text(spec, "Role"),
        state=_STATES.get(text(status, "State"), NodeState.UNKNOWN),
        availability=_AVAILABILITIES.get(text(spec, "Availability"), Availability.ACTIVE),
        version=whole(part(raw, "Version"), "Index"),
        leader=manager.get("Leader") is True,
        reachability=text(manager, "Reachability") or None,
        addr=text(status, "Addr"),
        engine_version=text(part(description, "Engine"), "EngineVersion"),
        os=text(platform, "OS"),
        arch=text(platform, "Architecture"),
        cpu_cores=ratio(resources, "NanoCPUs"),
        memory_bytes=whole(resources, "MemoryBytes"),
        labels=labels(spec, "Labels"),
    )


def parse_node_spec(raw: Raw) -> NodeSpec:
    """`GET /nodes/{id}`, its `Spec` as it came."""
    return NodeSpec(parse_node(raw), part(raw, "Spec"))
