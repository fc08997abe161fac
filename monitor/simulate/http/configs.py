"""`/configs`: of which only the labels can be changed."""

import base64
import binascii

from aiohttp import web

from monitor.ports.errors import EngineError
from monitor.simulate.http.answers import Refused, done, list_answer, object_answer, refusal
from monitor.simulate.http.face import Face, body_of, version_of
from monitor.simulate.http.filters import begins, filters_of, labelled, one_of
from monitor.simulate.http.lookup import find_config
from monitor.simulate.http.specs import check_kept_name, strings
from monitor.simulate.rawjson import config_json
from monitor.simulate.state import Spec

_MOST_BYTES = 1_024_000
INVALID = "rpc error: code = InvalidArgument desc = "


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
    check_kept_name(name)
    data = new_data_of(spec, "config", _MOST_BYTES)
    try:
        created = face.swarm.create_config(name, strings(spec.get("Labels")), data)
    except EngineError as error:
        raise refusal(error) from error
    face.store.configs[created].templating = spec.get("Templating")
    return object_answer({"ID": created}, status=201)


async def update_config(face: Face, request: web.Request) -> web.Response:
    version = version_of(request, "config")
    spec = await body_of(request)
    config = find_config(face.store, request.match_info["id"])
    if spec.get("Name") != config.name or ("Data" in spec and data_of(spec) != config.data):
        raise Refused(400, f"{INVALID}only updates to Labels are allowed")
    try:
        face.swarm.label_config(config.id, version, strings(spec.get("Labels")))
    except EngineError as error:
        raise refusal(error) from error
    return done()


async def remove_config(face: Face, request: web.Request) -> web.Response:
    config = find_config(face.store, request.match_info["id"])
    if users := users_of(face, "Configs", "ConfigID", config.id):
        raise Refused(400, f"{INVALID}config '{config.name}' is in use by the following {users}")
    face.swarm.remove_config(config.name)
    return done(204)


def users_of(face: Face, part: str, key: str, wanted: str) -> str:
    """`service: a` or `services: a, b`, those whose containers are given it; "" for none.

    part and key: `Configs` and `ConfigID`, or `Secrets` and `SecretID`.
    """
    names = [
        service.name
        for service in face.store.services.values()
        if any(
            one.get(key) == wanted
            for one in service.spec["TaskTemplate"]["ContainerSpec"].get(part) or ()
        )
    ]
    if not names:
        return ""
    return f"service{'s' if len(names) > 1 else ''}: {', '.join(names)}"


def new_data_of(spec: Spec, what: str, most: int) -> bytes:
    """What a new config or secret is to hold, at most `most` bytes; raises Refused."""
    data = data_of(spec)
    if not 0 < len(data) < most:
        bounds = f"larger than 0 and less than {most} bytes"
        raise Refused(400, f"{INVALID}{what} data must be {bounds}")
    return data


def data_of(spec: Spec) -> bytes:
    try:
        return base64.b64decode(str(spec.get("Data", "")), validate=True)
    except binascii.Error as error:
        raise Refused(400, f"invalid JSON: Data: {error}") from None
