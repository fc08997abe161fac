"""`/configs`: of which only the labels can be changed."""

import base64
import binascii

from aiohttp import web

from monitor.ports.errors import EngineError
from monitor.simulate.http.answers import Refused, done, list_answer, object_answer, refusal
from monitor.simulate.http.face import Face, body_of, version_of
from monitor.simulate.http.filters import begins, filters_of, labelled, one_of
from monitor.simulate.http.lookup import find_config
from monitor.simulate.http.specs import check_name
from monitor.simulate.rawjson import config_json
from monitor.simulate.state import Spec

_INVALID = "rpc error: code = InvalidArgument desc = "


async def list_configs(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, ("id", "name", "names", "label"))
    return list_answer(
        [
            face.spelled.of(config)
            for config in face.store.configs.values()
            if begins(filters, "id", config.id)
            and begins(filters, "name", config.name)
            and one_of(filters, "names", config.name)
            and labelled(filters, config.labels)
        ]
    )


async def inspect_config(face: Face, request: web.Request) -> web.Response:
    return object_answer(config_json(find_config(face.store, request.match_info["id"])))


async def create_config(face: Face, request: web.Request) -> web.Response:
    spec = await body_of(request)
    name = str(spec.get("Name", ""))
    check_name(name.replace(".", "-"))
    try:
        created = face.swarm.create_config(name, _labels(spec), _data(spec))
    except EngineError as error:
        raise refusal(error) from error
    return object_answer({"ID": created}, status=201)


async def update_config(face: Face, request: web.Request) -> web.Response:
    version = version_of(request, "config")
    spec = await body_of(request)
    config = find_config(face.store, request.match_info["id"])
    if spec.get("Name") != config.name or ("Data" in spec and _data(spec) != config.data):
        raise Refused(400, f"{_INVALID}only updates to Labels are allowed")
    try:
        face.swarm.label_config(config.id, version, _labels(spec))
    except EngineError as error:
        raise refusal(error) from error
    return done()


async def remove_config(face: Face, request: web.Request) -> web.Response:
    config = find_config(face.store, request.match_info["id"])
    for service in face.store.services.values():
        container = service.spec["TaskTemplate"]["ContainerSpec"]
        if any(one.get("ConfigID") == config.id for one in container.get("Configs") or ()):
            raise Refused(
                400,
                f"{_INVALID}config '{config.name}' is in use by the following service: "
                f"{service.name}",
            )
    face.swarm.remove_config(config.name)
    return done(204)


def _labels(spec: Spec) -> dict[str, str]:
    return {str(key): str(value) for key, value in (spec.get("Labels") or {}).items()}


def _data(spec: Spec) -> bytes:
    try:
        return base64.b64decode(str(spec.get("Data", "")), validate=True)
    except binascii.Error as error:
        raise Refused(400, f"invalid JSON: Data: {error}") from None
