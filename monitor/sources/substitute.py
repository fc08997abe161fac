"""`$service`, `$stack` and `$rule` in queries and URLs; also `${service}` and so on.

Whatever else begins with a dollar sign is left as it is: it ends a regular expression.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from monitor.model.scalar import JsonUrl, PrometheusQuery

_VARIABLE = r"\$(?:(service|stack|rule)(?![A-Za-z0-9_])|\{(service|stack|rule)\})"
_NAME = re.compile(_VARIABLE)
_IN_QUOTES = re.compile(rf"\\.|{_VARIABLE}", re.DOTALL)
_PARTS = re.compile(
    r"#[^\n]*"
    r"|\"(?:[^\"\\]|\\.)*+(?:\"|\\?\Z)"
    r"|'(?:[^'\\]|\\.)*+(?:'|\\?\Z)"
    r"|`[^`]*+(?:`|\Z)"
    rf"|{_VARIABLE}",
    re.DOTALL,
)
"""Comments, texts in each kind of quotes (closed or not), and names outside of them."""

_NO_NAME_SIGN = re.compile(r"[^A-Za-z0-9_:]")


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
    if _NAME.search(query) is None:
        return query

    def part(found: re.Match[str]) -> str:
        text = found[0]
        match text[0]:
            case "#":
                return text
            case "$":
                return _NO_NAME_SIGN.sub("_", _value(found, values))
            case quotes:
                return _IN_QUOTES.sub(lambda name: _quoted(name, values, quotes), text)

    return _PARTS.sub(part, query)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    return values[found[1] or found[2]]


def _quoted(found: re.Match[str], values: Mapping[str, str], quotes: str) -> str:
    if not (found[1] or found[2]):
        return found[0]
    value = _value(found, values)
    if quotes == "`":
        return re.sub(r"[`\r\n]", "", value)
    escaped = value.replace("\\", "\\\\").replace(quotes, f"\\{quotes}")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")
