"""`/services` and what is below it."""

from aiohttp import web

from monitor.ports.errors import EngineError
from monitor.simulate.http.answers import Refused, done, list_answer, object_answer, refusal
from monitor.simulate.http.face import Face, body_of, flag, version_of
from monitor.simulate.http.filters import begins, filters_of, labelled, one_of
from monitor.simulate.http.given import check_given
from monitor.simulate.http.lookup import find_service
from monitor.simulate.http.networks import with_network_ids
from monitor.simulate.http.order import in_order
from monitor.simulate.http.ports import check_ports
from monitor.simulate.http.specs import as_told, checked, with_defaults
from monitor.simulate.spec import mode_of

_MODES = {
    "Replicated": "replicated",
    "Global": "global",
    "ReplicatedJob": "replicated-job",
    "GlobalJob": "global-job",
}
_UNIMPLEMENTED = "rpc error: code = Unimplemented desc = "


async def list_services(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, ("id", "name", "label", "mode", "runtime"))
    if not one_of(filters, "runtime", "container"):
        return list_answer([])
    spell = face.spelled.listed if flag(request, "status") else face.spelled.of
    return list_answer(
        [
            spell(service)
            for service in face.store.services.values()
            if begins(filters, "id", service.id)
            and begins(filters, "name", service.name)
            and labelled(filters, service.spec.get("Labels") or {})
            and one_of(filters, "mode", _MODES[mode_of(service.spec)])
        ]
    )


async def inspect_service(face: Face, request: web.Request) -> web.Response:
    service = find_service(face.store, request.match_info["id"])
    raw = face.spelled.endpoints.full_json(service)
    if flag(request, "insertDefaults"):
        raw["Spec"] = with_defaults(raw["Spec"])
    for part in ("Spec", "PreviousSpec"):
        if part in raw:
            raw[part] = in_order(raw[part])
    return object_answer(raw)


async def create_service(face: Face, request: web.Request) -> web.Response:
    raw = await body_of(request)
    name = raw.get("Name") or f"nameless_{face.store.new_id(8)}"  # the daemon makes one up
    spec = checked({**raw, "Name": name})
    check_ports(face, spec)
    check_given(face, spec)
    if any(service.name == name for service in face.store.services.values()):
        raise Refused(
            409,
            "rpc error: code = AlreadyExists desc = name conflicts with an existing object: "
            f"service {name} already exists",
        )
    made = as_told(with_network_ids(face, spec))
    return object_answer({"ID": face.swarm.create_raw(made)}, status=201)


async def update_service(face: Face, request: web.Request) -> web.Response:
    """The whole spec, or with `rollback=previous` the one before; refused in managers' order."""
    version = version_of(request, "service")
    spec = checked(await body_of(request))
    service = find_service(face.store, request.match_info["id"])
    back = request.query.get("rollback", "")
    if back not in ("", "none", "previous"):
        raise Refused(500, f"unrecognized rollback option {back}")
    if spec["Name"] != service.name:
        raise Refused(501, f"{_UNIMPLEMENTED}renaming services is not supported")
    if mode_of(spec) != mode_of(service.spec):
        raise Refused(501, f"{_UNIMPLEMENTED}service mode change is not allowed")
    spec = with_network_ids(face, spec)
    if spec.get("EndpointSpec") != service.spec.get("EndpointSpec"):
        check_ports(face, spec, service.id)
    check_given(face, spec)
    try:
        if back == "previous":
            face.swarm.roll_back(service.id, version)
        else:
            face.swarm.update_service(service.id, version, as_told(spec, service.spec))
    except EngineError as error:
        raise refusal(error) from error
    return object_answer({"Warnings": None})


async def remove_service(face: Face, request: web.Request) -> web.Response:
    face.swarm.remove_service(find_service(face.store, request.match_info["id"]).id)
    return done()
