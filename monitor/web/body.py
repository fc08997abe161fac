"""What a request brings along: bounded JSON, checked by a model."""

import asyncio
import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.web.state import Refused

SMALL = 64 * 1024
LARGE = 1024 * 1024
"""Bytes of a body at most, as it is sent."""

_READING = 10.0
"""Seconds that a body may take to arrive."""

Model = TypeVar("Model", bound="Body")


class Body(BaseModel):
    """Nothing is guessed: unknown fields and values of another type are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


async def body_of(request: web.Request, model: type[Model], most: int) -> Model:
    """The body as `model`. Raises Refused (400, 408, 413, 415)."""
    if request.content_type != "application/json":
        raise Refused(415, "Send JSON, with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused(415, "Send the body as it is, without Content-Encoding.")
    raw = await _read(request, most)
    try:
        value: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(400, "The body is no JSON.") from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Refused(400, _sentence(error)) from None


async def _read(request: web.Request, most: int) -> bytes:
    too_large = Refused(413, f"The body is larger than {most // 1024} KiB.")
    if (request.content_length or 0) > most:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_READING):
            async for chunk in request.content.iter_chunked(SMALL):
                body += chunk
                if len(body) > most:
                    raise too_large
    except TimeoutError:
        raise Refused(408, f"The body did not arrive within {_READING:.0f} s.") from None
    return bytes(body)


def _sentence(error: ValidationError) -> str:
    """The first of its problems: `for: must be a duration ...`."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part)[:80] for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}." if place else f"{message}."
