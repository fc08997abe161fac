"""`/api/v1/...`, `/healthz` and `/readyz`."""

import difflib
import json
from collections.abc import Sequence
from heapq import merge
from itertools import islice
from typing import Any

from aiohttp import web

from monitor.web.keys import DOOR, STATE
from monitor.web.present import present_entry, present_recorded, present_status
from monitor.web.state import DecisionEntry, WebState

DEFAULT_LIMIT = 20
MAX_LIMIT = 1000
_MAX_NAME = 256


def answer(value: Any, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return web.Response(text=text, status=status, content_type="application/json")


def problem(status: int, message: str, **more: Any) -> web.Response:
    """An error as JSON: one sentence in `error`."""
    return answer({"error": message, **more}, status)


async def healthz(_request: web.Request) -> web.Response:
    """Alive: the event loop answers."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    why_not = request.app[STATE].not_ready()
    if why_not is not None:
        return web.Response(text=f"{why_not}\n", status=503)
    return web.Response(text="ready\n")


async def status(request: web.Request) -> web.Response:
    return answer(present_status(request.app[STATE].status()))


def unknown_service(state: WebState, name: str) -> web.Response:
    shown = name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "…"
    names = sorted(state.service_names())
    if not names:
        why = state.not_ready() or "it knows no services; ask the agent of a manager node"
        return problem(404, f"This agent does not know a service {shown!r}: {why}", close=[])
    close = difflib.get_close_matches(shown, names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else "."
    return problem(404, f"There is no service {shown!r}{hint}", close=close)


def _limit(text: str) -> int | None:
    """A limit between 1 and MAX_LIMIT, None if it is not one."""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT else None


def _selected(
    groups: Sequence[Sequence[DecisionEntry]], rule: str | None, limit: int
) -> list[DecisionEntry]:
    """The newest `limit` decisions of the groups, newest first; looks at few more than those."""
    newest_first = (
        (entry for entry in reversed(group) if rule in (None, entry.decision.rule))
        for group in groups
    )
    merged = merge(*newest_first, key=lambda entry: entry.decision.time.mono, reverse=True)
    return list(islice(merged, limit))


async def decisions(request: web.Request) -> web.Response:
    """`?service=NAME&rule=NAME&limit=N`, each optional; newest first.

    `&recorded=1` adds to the newest few of a service all that they were decided on. That needs the
    token, since URLs and queries of rules are among it, which may hold keys.
    """
    state = request.app[STATE]
    limit = _limit(request.query.get("limit", str(DEFAULT_LIMIT))[:8])
    if limit is None:
        return problem(400, f"limit must be a number from 1 to {MAX_LIMIT}, as in ?limit=20.")
    service, rule = request.query.get("service"), request.query.get("rule")
    kept = state.decisions()
    if service is None:
        groups: Sequence[Sequence[DecisionEntry]] = tuple(kept.values())
    elif service in kept or service in state.service_names():
        groups = (kept.get(service, ()),)
    else:
        return unknown_service(state, service)
    present = present_entry
    if request.query.get("recorded", "0") != "0":
        if service is None:
            return problem(400, "Whole inputs are given of one service: add service=NAME.")
        await request.app[DOOR].admit(request, "reading the recorded inputs of decisions")
        present = present_recorded
    return answer([present(entry) for entry in _selected(groups, rule, limit)])
