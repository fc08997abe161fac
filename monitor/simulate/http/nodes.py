"""`/nodes`: listing, and what an operator does to them."""

from aiohttp import web

from monitor.model.node import Availability, NodeState
from monitor.simulate.http.answers import Refused, done, list_answer, object_answer
from monitor.simulate.http.face import Face, asked, body_of, version_of
from monitor.simulate.http.filters import begins, filters_of, labelled, one_of
from monitor.simulate.http.lookup import find_node
from monitor.simulate.http.node_json import full_node_json
from monitor.simulate.leadership import demote

_AVAILABILITIES = {availability.value: availability for availability in Availability}


async def list_nodes(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, ("id", "name", "label", "node.label", "role", "membership"))
    for kind, known in (("role", ("worker", "manager")), ("membership", ("pending", "accepted"))):
        for value in filters.get(kind, ()):
            if value.lower() not in known:
                raise Refused(500, f"Invalid {kind} filter: '{value}'")
    return list_answer(
        [
            face.spelled.of(node)
            for node in face.store.nodes.values()
            if begins(filters, "id", node.id)
            and begins(filters, "name", node.name)
            and labelled(filters, node.labels, "node.label")
            and labelled(filters, {}, "label")  # those of the engine: it has none
            and one_of(filters, "role", node.role)
            and one_of(filters, "membership", "accepted")
        ]
    )


async def inspect_node(face: Face, request: web.Request) -> web.Response:
    node = find_node(face.store, request.match_info["id"], face.node_id)
    return object_answer(full_node_json(node))


async def update_node(face: Face, request: web.Request) -> web.Response:
    version = version_of(request, "node")
    spec = await body_of(request)
    node = find_node(face.store, request.match_info["id"], face.node_id)
    role, availability = spec.get("Role", ""), spec.get("Availability", "")
    if role not in ("worker", "manager"):
        raise Refused(400, f'invalid Role: "{role}"')
    if availability not in _AVAILABILITIES:
        raise Refused(400, f'invalid Availability: "{availability}"')
    if version != node.version:
        raise Refused(500, "rpc error: code = Unknown desc = update out of sequence")
    if role == "worker" and node.role == "manager":
        managers = sum(one.role == "manager" for one in face.store.nodes.values())
        if managers == 1:
            raise Refused(
                400,
                "rpc error: code = FailedPrecondition desc = attempting to demote the last "
                "manager of the swarm",
            )
    labels = {str(key): str(value) for key, value in (spec.get("Labels") or {}).items()}
    demoted = role == "worker" and node.role == "manager"
    kept = node.role if demoted else role
    face.swarm.set_node(node.id, role=kept, availability=availability, labels=labels)
    if demoted:
        demote(face.swarm, node.id)
    return done()


async def remove_node(face: Face, request: web.Request) -> web.Response:
    node = find_node(face.store, request.match_info["id"], face.node_id)
    refused = "rpc error: code = FailedPrecondition desc = "
    if node.role == "manager":
        raise Refused(
            400,
            f"{refused}node {node.id} is a cluster manager and is a member of the raft cluster. "
            "It must be demoted to worker before removal",
        )
    if node.state is not NodeState.DOWN and not asked(request, "force"):
        raise Refused(400, f"{refused}node {node.id} is not down and can't be removed")
    face.swarm.remove_node(node.id)
    return done()
