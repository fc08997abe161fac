"""A number in the JSON that a URL answers."""

import json
import math
import re

from monitor.model.jsonpath import BadPathError, NotThereError, kind, parse_path, shown, value_at
from monitor.model.scalar import JsonUrl
from monitor.sources.fault import ServerFault, SourceFault
from monitor.sources.fetch import Answer, Fetch, Request, http_url, where

_NUMBER = re.compile(r"[-+]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][-+]?[0-9]{1,4})?")
_EXAMPLE = "http://HOST:PORT/PATH"


async def read_json(source: JsonUrl, fetch: Fetch) -> float:
    """Finite. Raises SourceFault."""
    url = http_url(source.url, _EXAMPLE)
    place = where(url)
    try:
        steps = parse_path(source.path)
    except BadPathError as error:
        raise SourceFault(f"the path {source.path!r}: {error}") from None
    answer = await fetch(Request(url, source.credentials, source.timeout))
    document = _document(answer, place)
    try:
        value = value_at(document, steps)
    except NotThereError as error:
        raise SourceFault(f"the JSON at {place} {error}") from None
    return _number(value, f"the JSON at {place} has", _at(shown(steps)))


def _document(answer: Answer, place: str) -> object:
    if answer.status in {401, 403}:
        raise ServerFault(f"{place} refuses us ({answer.status_text}): check the credentials")
    if not 200 <= answer.status < 300:
        raise SourceFault(f"{place} answers {answer.status_text}")
    try:
        document: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        what = answer.content_type or "something"
        raise SourceFault(f"{place} answers {what} that is not JSON") from None
    return document


def _number(value: object, begin: str, place: str) -> float:
    """Numbers, and texts that are nothing but one; true and false are none."""
    number: float | None = None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if number is None:
        raise SourceFault(f"{begin} {kind(value)} {place}, not a number{_instead(value)}")
    if not math.isfinite(number):
        raise SourceFault(f"{begin} {_word(number)} {place}: that is nothing to scale by")
    return number


def _at(path: str) -> str:
    return f"at {path!r}" if path else "at its top"


def _word(number: float) -> str:
    return "NaN" if math.isnan(number) else "a number beyond all bounds"


def _instead(value: object) -> str:
    match value:
        case list() if value:
            return f": name one element, [0] to [{len(value) - 1}]"
        case dict() if value:
            some = ", ".join(repr(str(key)[:40]) for key in sorted(value, key=str)[:10])
            return f": go on to one of {some}"
        case _:
            return ""
