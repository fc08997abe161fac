"""`/secrets`: as configs, but that what they hold is never shown."""

from aiohttp import web

from monitor.model.event import Event
from monitor.simulate.http.answers import Refused, done, object_answer
from monitor.simulate.http.configs import INVALID, data_of, new_data_of, users_of
from monitor.simulate.http.face import Face, body_of, version_of
from monitor.simulate.http.filters import begins, filters_of, labelled, one_of
from monitor.simulate.http.lookup import find_secret
from monitor.simulate.http.specs import check_kept_name, strings
from monitor.simulate.rawjson import config_json
from monitor.simulate.state import SimConfig, Spec

_MOST_BYTES = 512_000


async def list_secrets(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, ("id", "name", "names", "label"))
    return object_answer(
        [
            _json(secret)
            for secret in face.extras.secrets.values()
            if begins(filters, "id", secret.id)
            and begins(filters, "name", secret.name)
            and one_of(filters, "names", secret.name)
            and labelled(filters, secret.labels)
        ]
    )


async def inspect_secret(face: Face, request: web.Request) -> web.Response:
    return object_answer(_json(find_secret(face.extras.secrets, request.match_info["id"])))


async def create_secret(face: Face, request: web.Request) -> web.Response:
    spec = await body_of(request)
    name = str(spec.get("Name", ""))
    check_kept_name(name)
    if driver := (spec.get("Driver") or {}).get("Name"):
        raise Refused(500, f'rpc error: code = Unknown desc = plugin "{driver}" not found')
    data = new_data_of(spec, "secret", _MOST_BYTES)
    if any(secret.name == name for secret in face.extras.secrets.values()):
        raise Refused(409, f"rpc error: code = AlreadyExists desc = secret {name} already exists")
    stamp = face.store.stamp()
    secret = SimConfig(
        id=face.store.new_id(),
        name=name,
        data=data,
        templating=spec.get("Templating"),
        labels=strings(spec.get("Labels")),
        version=face.store.next_version(),
        created_ns=stamp,
        updated_ns=stamp,
    )
    face.extras.secrets[secret.id] = secret
    _tell(face, secret, "create")
    return object_answer({"ID": secret.id}, status=201)


async def update_secret(face: Face, request: web.Request) -> web.Response:
    version = version_of(request, "secret")
    spec = await body_of(request)
    secret = find_secret(face.extras.secrets, request.match_info["id"])
    if spec.get("Name") != secret.name or ("Data" in spec and data_of(spec) != secret.data):
        raise Refused(400, f"{INVALID}only updates to Labels are allowed")
    if version != secret.version:
        raise Refused(500, "rpc error: code = Unknown desc = update out of sequence")
    secret.labels = strings(spec.get("Labels"))
    secret.version, secret.updated_ns = face.store.next_version(), face.store.stamp()
    _tell(face, secret, "update")
    return done()


async def remove_secret(face: Face, request: web.Request) -> web.Response:
    secret = find_secret(face.extras.secrets, request.match_info["id"])
    if users := users_of(face, "Secrets", "SecretID", secret.id):
        raise Refused(400, f"{INVALID}secret '{secret.name}' is in use by the following {users}")
    del face.extras.secrets[secret.id]
    _tell(face, secret, "remove")
    return done(204)


def _json(secret: SimConfig) -> Spec:
    raw = config_json(secret)
    del raw["Spec"]["Data"]
    return raw


def _tell(face: Face, secret: SimConfig, action: str) -> None:
    stamp = secret.updated_ns if action != "remove" else face.store.stamp()
    face.tell(Event("secret", action, secret.id, stamp, {"name": secret.name}, "swarm"))
