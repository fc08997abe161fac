"""`/api/v1/rollback` and `/api/v1/unpark`: a service back to what it was before."""

from aiohttp import web

from monitor.web.api import answer, unknown_service
from monitor.web.body import SMALL, Body, body_of
from monitor.web.keys import DOOR, STATE
from monitor.web.pauses import Name, Text


class ServiceBody(Body):
    service: Name
    by: Text = ""


async def roll_back(request: web.Request) -> web.Response:
    """{service, by}; answers one sentence. Refused with a reason where there is nothing to go
    back to."""
    await request.app[DOOR].admit(request, "rolling back")
    body = await body_of(request, ServiceBody, SMALL)
    state = request.app[STATE]
    if body.service not in state.service_names():
        return unknown_service(state, body.service)
    by = body.by or request.remote or ""
    sentence = await state.operations.roll_back(body.service, by=by)
    return answer({"service": body.service, "sentence": sentence})


async def unpark(request: web.Request) -> web.Response:
    """{service, by}; answers one sentence. Refused where no rule has parked the service."""
    await request.app[DOOR].admit(request, "unparking")
    body = await body_of(request, ServiceBody, SMALL)
    state = request.app[STATE]
    if body.service not in state.service_names():
        return unknown_service(state, body.service)
    by = body.by or request.remote or ""
    sentence = await state.operations.unpark(body.service, by=by)
    return answer({"service": body.service, "sentence": sentence})
