"""`/api/v1/explain`: what rules would decide on a service now; nothing is remembered or done."""

import asyncio
from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from monitor.model.rule import AnyRule
from monitor.model.scalar import NO_CREDENTIALS, JsonUrl, PrometheusQuery
from monitor.model.sources import sources_of
from monitor.rulefile.load import LoadResult, parse
from monitor.rulefile.read import Snapshot, Source
from monitor.web.api import answer, problem, unknown_service
from monitor.web.body import LARGE, Body, body_of
from monitor.web.keys import DOOR, EXPLAINING, STATE
from monitor.web.present import present_explanation
from monitor.web.state import Refused

_MOST_FILES = 100

FileName = Annotated[str, Field(min_length=1, max_length=4096)]


class ExplainBody(Body):
    """files: texts of rule files by name. rule: which of those about the service; null: the
    first scale rule."""

    files: dict[FileName, str] = Field(min_length=1, max_length=_MOST_FILES)
    service: str = Field(min_length=1)
    rule: str | None = None


async def explain(request: web.Request) -> web.Response:
    """Problems in the files are answered with 422 and a list of `file:line:col: message`."""
    body = await body_of(request, ExplainBody, LARGE)
    turn = request.app[EXPLAINING]
    if turn.locked():
        raise Refused(503, "Too many are asking for explanations right now: try again soon.")
    async with turn:
        return await _explain(request, body)


async def _explain(request: web.Request, body: ExplainBody) -> web.Response:
    state = request.app[STATE]
    result = await _parsed(body)
    if result.rules is None:
        problems = [str(found) for found in result.problems]
        return problem(422, "The rule files have problems.", problems=problems)
    if body.service not in state.service_names():
        return unknown_service(state, body.service)
    operations = state.operations
    claim, others = operations.claim(result.rules, body.service, body.rule)
    if asks_elsewhere(claim.rule):
        what = f"explaining rule {claim.rule.name}, which names servers of its own,"
        await request.app[DOOR].admit(request, what)
    explanation = await operations.explain(claim, body.service)
    if others and body.rule is None:
        note = f"about {body.service} are also: {', '.join(others)}; choose one by its name"
        explanation = replace(explanation, notes=(*explanation.notes, note))
    return answer(present_explanation(explanation))


async def _parsed(body: ExplainBody) -> LoadResult:
    sources = (Source(name, text.encode("utf-8", "replace")) for name, text in body.files.items())
    return await asyncio.to_thread(parse, Snapshot(tuple(sources)))


def asks_elsewhere(rule: AnyRule) -> bool:
    """Whether judging it makes the agent ask an address, or use a secret, that the rule names.

    Whoever reaches the port could else send the agent anywhere, with its secrets.
    """
    sources = sources_of(rule).values()
    return any(
        isinstance(source, JsonUrl)
        or (
            isinstance(source, PrometheusQuery)
            and (source.address is not None or source.credentials != NO_CREDENTIALS)
        )
        for source in sources
    )
