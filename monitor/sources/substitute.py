"""`$service`, `$stack` and `$rule` in queries and URLs; also `${service}` and so on.

Whatever else begins with a dollar sign is left as it is: it ends a regular expression.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from monitor.model.scalar import JsonUrl, PrometheusQuery

_NAME = re.compile(r"\$(?:(service|stack|rule)(?![A-Za-z0-9_])|\{(service|stack|rule)\})")
_NO_NAME_SIGN = re.compile(r"[^A-Za-z0-9_:]")
_QUOTES = "\"'`"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a source is asked about. `stack` is None where the service belongs to none."""

    service: str
    stack: str | None
    rule: str


def substituted(source: PrometheusQuery | JsonUrl, subject: Subject) -> PrometheusQuery | JsonUrl:
    """The same object where it holds none of the names."""
    text = source.query if isinstance(source, PrometheusQuery) else source.url
    if "$" not in text:
        return source
    values = {"service": subject.service, "stack": subject.stack or "", "rule": subject.rule}
    if isinstance(source, PrometheusQuery):
        return replace(source, query=in_query(text, values))
    return replace(source, url=in_url(text, values))


def in_url(url: str, values: Mapping[str, str]) -> str:
    """Percent-encoded whole, so that a value stays within one part of the URL."""
    return _NAME.sub(lambda found: quote(_value(found, values), safe=""), url)


def in_query(query: str, values: Mapping[str, str]) -> str:
    """PromQL: escaped as the quotes around ask for, so that a value stays within them.

    Outside of quotes a value can only be part of a name: signs that no name has become `_`. In
    backquotes nothing can be escaped; a backquote and line ends are left out. Comments are left
    alone.
    """
    result: list[str] = []
    around = ""
    at = 0
    while at < len(query):
        sign = query[at]
        if not around and sign == "#":
            end = query.find("\n", at)
            end = len(query) if end < 0 else end
            result.append(query[at:end])
            at = end
            continue
        if found := _NAME.match(query, at):
            result.append(_quoted(_value(found, values), around))
            at = found.end()
            continue
        if around and around != "`" and sign == "\\":
            result.append(query[at : at + 2])
            at += 2
            continue
        if sign == around:
            around = ""
        elif not around and sign in _QUOTES:
            around = sign
        result.append(sign)
        at += 1
    return "".join(result)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    return values[found[1] or found[2]]


def _quoted(value: str, around: str) -> str:
    if not around:
        return _NO_NAME_SIGN.sub("_", value)
    if around == "`":
        return re.sub(r"[`\r\n]", "", value)
    escaped = value.replace("\\", "\\\\").replace(around, f"\\{around}")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")
