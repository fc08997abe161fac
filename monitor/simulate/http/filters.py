"""The `filters` parameter: which objects a list is to hold."""

import json
from collections.abc import Collection, Mapping, Sequence

from aiohttp import web

from monitor.simulate.http.answers import Refused

Filters = Mapping[str, Sequence[str]]


def filters_of(request: web.Request, known: Collection[str] | None) -> Filters:
    """Values by kind; raises Refused where a kind is not among the `known` ones (None: any is).

    Clients write `{"name": ["web"]}` or, as the docker client does, `{"name": {"web": true}}`.
    """
    text = request.query.get("filters", "")
    if not text:
        return {}
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise Refused(400, f"invalid filters: {error}") from None
    if not isinstance(raw, dict):
        raise Refused(400, "invalid filters: not an object")
    found: dict[str, list[str]] = {}
    for kind, values in raw.items():
        if known is not None and kind not in known:
            raise Refused(400, f"invalid filter '{kind}'")
        if isinstance(values, dict):
            found[kind] = [str(value) for value, wanted in values.items() if wanted]
        elif isinstance(values, list):
            found[kind] = [str(value) for value in values]
        else:
            raise Refused(400, f"invalid filter '{kind}': neither a list nor an object")
    return found


def one_of(filters: Filters, kind: str, value: str) -> bool:
    """Whether `value` is among those asked for; True where none were."""
    return not filters.get(kind) or value in filters[kind]


def begins(filters: Filters, kind: str, value: str) -> bool:
    """Whether `value` begins with one of those asked for: so managers match names and ids."""
    return not filters.get(kind) or any(value.startswith(start) for start in filters[kind])


def labelled(filters: Filters, labels: Mapping[str, str], kind: str = "label") -> bool:
    """Whether the labels hold all that were asked for, as `key` or `key=value`."""
    for wanted in filters.get(kind, ()):
        key, equals, value = wanted.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True
