"""Escaping and formatting: the one place where text becomes exposition.

Formats: Prometheus text 0.0.4 and OpenMetrics 1.0. Sample lines are the same in both; only the
headers differ.
"""

import math
import re

from monitor.export.family import Family, MetricType

TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
EOF = b"# EOF\n"

LABEL_LIMIT = 1024
"""Characters of a label value that are kept: names and images are far shorter."""

_SPECIAL = re.compile('[\\\\"\n\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


def escape_label(value: str) -> str:
    """A label value as it stands between quotes.

    Cut to LABEL_LIMIT characters; control characters, line separators and lone surrogates, of
    which some parsers make a new line or nothing at all, become U+FFFD.
    """
    if len(value) > LABEL_LIMIT:
        value = value[: LABEL_LIMIT - 1] + "…"
    if _SPECIAL.search(value) is None:
        return value
    return _SPECIAL.sub(lambda match: _ESCAPES.get(match[0], "\ufffd"), value)


def escape_labels(values: tuple[str, ...]) -> tuple[str, ...]:
    """All label values of a sample; those that need nothing are told by one look at all."""
    together = "".join(values)
    if (
        len(together) <= LABEL_LIMIT
        and together.isprintable()
        and '"' not in together
        and "\\" not in together
    ):
        return values
    return tuple(map(escape_label, values))


def printable(value: str) -> str:
    """A label value for a writer that escapes by itself, made harmless in the same way."""
    cut = value if len(value) <= LABEL_LIMIT else value[: LABEL_LIMIT - 1] + "…"
    return _SPECIAL.sub(lambda match: match[0] if match[0] in _ESCAPES else "\ufffd", cut)


def format_value(value: float) -> str:
    """A number as both formats spell it; whole numbers without a fraction."""
    if type(value) is int:
        return str(value)
    number = float(value)
    if math.isfinite(number):
        return repr(number)
    if math.isnan(number):
        return "NaN"
    return "+Inf" if number > 0 else "-Inf"


def line_template(family: Family) -> str:
    """A `%` template of one sample line: the label values, then the value."""
    labels = ",".join(f'{label}="%s"' for label in family.labels)
    return f"{family.name}{{{labels}}} %s\n" if labels else f"{family.name} %s\n"


def open_line(family: Family, values: tuple[str, ...], extra: tuple[tuple[str, str], ...]) -> str:
    """A sample line without its value, of a family with open labels."""
    pairs = (*zip(family.labels, values, strict=True), *extra)
    labels = ",".join(f'{name}="{escape_label(value)}"' for name, value in pairs)
    return f"{family.name}{{{labels}}} "


def header(family: Family, *, openmetrics: bool) -> bytes:
    """HELP and TYPE; in text format an info is a gauge and a counter keeps its `_total`."""
    help_text = family.text.replace("\\", "\\\\").replace("\n", "\\n")
    name, kind = family.name, family.type
    if openmetrics:
        help_text = help_text.replace('"', '\\"')
        name = family.base_name
    elif kind is MetricType.INFO:
        kind = MetricType.GAUGE
    return f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n".encode()
