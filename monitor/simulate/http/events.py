"""`/events`: what the simulated daemon tells, as a stream that ends with the daemon alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from monitor.model.event import Event
from monitor.ports.errors import EngineError
from monitor.simulate.bus import EventBus
from monitor.simulate.http.answers import Refused
from monitor.simulate.http.face import Face
from monitor.simulate.http.filters import Filters, filters_of, labelled, one_of
from monitor.simulate.spec import NANO

_BY_ACTOR = ("service", "node", "config", "container", "network", "volume", "secret")


def event_json(event: Event) -> dict[str, Any]:
    """With the older spelling beside it for containers, as daemons before API 1.52 have it."""
    raw = {
        "Type": event.type,
        "Action": event.action,
        "Actor": {"ID": event.actor_id, "Attributes": dict(event.attributes)},
        "scope": event.scope,
        "time": event.time_ns // NANO,
        "timeNano": event.time_ns,
    }
    if event.type != "container":
        return raw
    image = event.attributes.get("image", "")
    return {"status": event.action, "id": event.actor_id, "from": image, **raw}


def fits(filters: Filters, event: Event) -> bool:
    """By the daemon's rules (moby daemon/events/filter.go), a change of health by its beginning."""
    actions = filters.get("event")
    if actions and event.action not in actions:
        health = event.action.startswith("health_status")
        if not (health and any(event.action.startswith(action) for action in actions)):
            return False
    for kind in _BY_ACTOR:
        if filters.get(kind) and not _named(filters[kind], event, kind):
            return False
    image = event.attributes.get("image", "")
    return (
        one_of(filters, "type", event.type)
        and one_of(filters, "scope", event.scope)
        and (
            not filters.get("image")
            or image.split(":")[0] in filters["image"]
            or image in filters["image"]
        )
        and labelled(filters, event.attributes)
    )


def _named(wanted: Any, event: Event, kind: str) -> bool:
    name = event.attributes.get("name", "")
    return event.type == kind and any(
        event.actor_id.startswith(one) or name == one for one in wanted
    )


async def stream_events(face: Face, request: web.Request) -> web.StreamResponse:
    filters = filters_of(request, None)  # one that it does not know takes nothing away
    since, until = _moment(request, "since"), _moment(request, "until")
    if since is not None and until is not None and since > until:
        told = [request.query[name].partition(".")[0] for name in ("since", "until")]
        raise Refused(400, f"`since` time ({told[0]}) cannot be after `until` time ({told[1]})")
    response = web.StreamResponse()
    response.content_type = "application/json"
    response.enable_chunked_encoding()
    buses = _buses(face)
    if until is not None and until <= face.store.stamp():
        await response.prepare(request)
        past = [event for bus in buses for event in bus.replay(since)]
        for event in sorted(past, key=lambda one: one.time_ns):
            if event.time_ns <= until and fits(filters, event):
                await _write(response, event)
        return response
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(bus.subscribe(since)) for bus in buses]
        await response.prepare(request)
        ends = None if until is None else (until - face.store.stamp()) / NANO
        with suppress(TimeoutError, ConnectionResetError):
            async with asyncio.timeout(ends):
                await _tell(response, streams, filters, until)
    return response


async def _write(response: web.StreamResponse, event: Event) -> None:
    await response.write(json.dumps(event_json(event)).encode() + b"\n")


def _buses(face: Face) -> list[EventBus]:
    """Swarm-scope events are told by every manager: one of them is enough."""
    if not face.whole:
        return [face.engine.bus]
    others = [node.id for node in face.store.nodes.values() if node.role != "manager"]
    return [face.engine.bus, *(face.swarm.engine(node_id).bus for node_id in others)]


async def _tell(
    response: web.StreamResponse,
    streams: list[AsyncIterator[Event]],
    filters: Filters,
    until: int | None,
) -> None:
    async def forward(stream: AsyncIterator[Event]) -> None:
        try:
            async for event in stream:
                if until is not None and event.time_ns > until:
                    continue
                if fits(filters, event):
                    await _write(response, event)
        except EngineError as error:  # the daemon is gone: it ends nothing in order
            raise ConnectionResetError(str(error)) from error

    if len(streams) == 1:
        await forward(streams[0])
        return
    pending = [asyncio.ensure_future(forward(stream)) for stream in streams]
    try:
        await asyncio.gather(*pending)
    finally:
        for task in pending:
            task.cancel()


def _moment(request: web.Request, name: str) -> int | None:
    """Epoch nanoseconds of "seconds.nanoseconds"; None where the parameter is not given."""
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return int(Decimal(text) * NANO)
    except (InvalidOperation, ValueError, OverflowError):
        raise Refused(400, f'invalid {name}: "{text}" is not a Unix timestamp') from None
