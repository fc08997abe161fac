"""`/networks`: names and ids that services refer to. No packet ever goes through one."""

import hashlib
import ipaddress
from collections.abc import Iterator

from aiohttp import web

from monitor.simulate.http.answers import Refused, done, object_answer
from monitor.simulate.http.extras import INGRESS, Network
from monitor.simulate.http.face import Face, body_of
from monitor.simulate.http.filters import Filters, filters_of, labelled, one_of
from monitor.simulate.http.network_json import event_of, network_json
from monitor.simulate.http.specs import check_name, strings
from monitor.simulate.state import Spec

_LOCAL = {"bridge": "bridge", "docker_gwbridge": "bridge", "host": "host", "none": "null"}
_PREDEFINED = ("bridge", "host", "none")
_DRIVERS = ("bridge", "host", "ipvlan", "macvlan", "null", "overlay")
_KINDS = ("dangling", "driver", "id", "label", "name", "scope", "type")


async def list_networks(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, _KINDS)
    for kind in filters.get("type", ()):
        if kind not in ("builtin", "custom"):
            raise Refused(400, f"invalid filter: 'type'='{kind}'")
    used = {target for _, target in _uses(face)}
    return object_answer(
        [network_json(one) for one in _there(face) if _fits(filters, one, in_use=one.id in used)]
    )


async def inspect_network(face: Face, request: web.Request) -> web.Response:
    return object_answer(network_json(find_network(face, request.match_info["id"])))


async def create_network(face: Face, request: web.Request) -> web.Response:
    """Overlay networks belong to the Swarm, all others to the node that was asked."""
    body = await body_of(request)
    name, driver = str(body.get("Name", "")), str(body.get("Driver") or "bridge")
    if not name:
        raise Refused(400, "invalid name: name is empty")
    if driver not in _DRIVERS:
        raise Refused(404, f'plugin "{driver}" not found')
    scope = "swarm" if driver == "overlay" or body.get("Scope") == "swarm" else "local"
    if scope == "swarm" and not face.is_manager:
        raise Refused(
            403,
            "Cannot create a multi-host network from a worker node. Please create the network "
            "from a manager node.",
        )
    if name in _PREDEFINED or any(one.name == name for one in _there(face)):
        raise Refused(409, f"network with name {name} already exists")
    if scope == "swarm":
        check_name(name)
    if body.get("Ingress"):
        raise Refused(
            409,
            "rpc error: code = AlreadyExists desc = ingress network "
            f"({INGRESS}) is already present",
        )
    extras = face.extras
    extras.numbers += 1
    network = Network(
        id=face.store.new_id() if scope == "swarm" else face.store.new_id(64, "0123456789abcdef"),
        name=name,
        driver=driver,
        scope=scope,
        number=extras.numbers,
        created_ns=face.store.stamp(),
        labels=strings(body.get("Labels")),
        options=strings(body.get("Options")),
        attachable=bool(body.get("Attachable")),
        internal=bool(body.get("Internal")),
        subnets=_subnets(body),
    )
    extras.networks[network.id] = network
    face.tell(event_of(network, "create", network.created_ns))
    return object_answer({"Id": network.id, "Warning": ""}, status=201)


def _subnets(body: Spec) -> list[Spec]:
    """What the client asks for; raises Refused where one is no subnet."""
    asked = (body.get("IPAM") or {}).get("Config") or []
    for one in asked:
        subnet = str(one.get("Subnet", ""))
        try:
            ipaddress.ip_network(subnet, strict=False)
        except ValueError:
            raise Refused(400, f"invalid subnet {subnet}: invalid CIDR block notation") from None
    return [{str(key): str(value) for key, value in one.items() if value} for one in asked]


async def remove_network(face: Face, request: web.Request) -> web.Response:
    network = find_network(face, request.match_info["id"])
    if network.name in _PREDEFINED:
        raise Refused(403, f"{network.name} is a pre-defined network and cannot be removed")
    for service_id, target in _uses(face):
        if target in (network.id, network.name):
            raise Refused(
                400,
                "rpc error: code = FailedPrecondition desc = network "
                f"{network.id} is in use by service {service_id}",
            )
    if network.id not in face.extras.networks:
        raise Refused(403, f"the simulated Swarm keeps its network {network.name}")
    del face.extras.networks[network.id]
    face.tell(event_of(network, "remove", face.store.stamp()))
    return done(204)


def with_network_ids(face: Face, spec: Spec) -> Spec:
    """The spec with the ids of the networks it names; raises Refused where there is none such."""
    template = spec["TaskTemplate"]
    changed = dict(spec)
    if template.get("Networks"):
        changed["TaskTemplate"] = {**template, "Networks": _resolved(face, template["Networks"])}
    if spec.get("Networks"):
        changed["Networks"] = _resolved(face, spec["Networks"])
    return changed


def _resolved(face: Face, attached: list[Spec]) -> list[Spec]:
    return [{**one, "Target": _attachable(face, str(one.get("Target", ""))).id} for one in attached]


def _attachable(face: Face, key: str) -> Network:
    network = find_network(face, key)
    if network.ingress:
        raise Refused(
            400,
            "rpc error: code = InvalidArgument desc = Service cannot be explicitly attached to the "
            f'ingress network "{network.name}"',
        )
    return network


def find_network(face: Face, key: str) -> Network:
    """By id, name, or the beginning of one id; raises Refused."""
    networks = list(_there(face))
    for found in (
        [one for one in networks if one.id == key],
        [one for one in networks if one.name == key],
        [one for one in networks if key and one.id.startswith(key)],
    ):
        if len(found) > 1:
            raise Refused(400, f"network {key} is ambiguous ({len(found)} matches found on name)")
        if found:
            return found[0]
    raise Refused(404, f"network {key} not found")


def _there(face: Face) -> Iterator[Network]:
    """Those the engine is born with, those made, and those that a scenario's services name."""
    born = min((node.created_ns for node in face.store.nodes.values()), default=0)
    for name, driver in _LOCAL.items():
        sign = hashlib.sha256(f"{face.node_id}/{name}".encode()).hexdigest()
        yield Network(id=sign, name=name, driver=driver, scope="local", created_ns=born)
    yield Network(
        id=INGRESS, name="ingress", driver="overlay", scope="swarm", created_ns=born, ingress=True
    )
    made = face.extras.networks
    yield from made.values()
    known = {*made, INGRESS}
    for _, target in _uses(face):
        if target not in known:
            known.add(target)
            yield Network(id=target, name=target, driver="overlay", scope="swarm", created_ns=born)


def _uses(face: Face) -> Iterator[tuple[str, str]]:
    """Ids of services, each with the id of a network that it is attached to."""
    for service in face.store.services.values():
        spec = service.spec
        for one in (*(spec["TaskTemplate"].get("Networks") or ()), *(spec.get("Networks") or ())):
            yield service.id, str(one.get("Target", ""))


def _fits(filters: Filters, network: Network, *, in_use: bool) -> bool:
    kind = "builtin" if network.name in _PREDEFINED else "custom"
    dangling = kind == "custom" and not in_use
    return (
        one_of(filters, "driver", network.driver)
        and one_of(filters, "scope", network.scope)
        and one_of(filters, "type", kind)
        and labelled(filters, network.labels)
        and (not filters.get("id") or any(part in network.id for part in filters["id"]))
        and (not filters.get("name") or any(part in network.name for part in filters["name"]))
        and (not filters.get("dangling") or (filters["dangling"][0] in ("true", "1")) is dangling)
    )
