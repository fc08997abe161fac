"""Plain YAML scalars, read so that nobody is surprised.

YAML 1.1 turns `off`, `no`, `010` and `1:30` into something else than what stands there. Here a
plain scalar is null, true, false, a decimal number, or the text as written. What looks like a
number of another kind stays text, and the field's own check says what to write instead.
"""

import re

from monitor.rulefile.node import Scalar

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]{1,18}|[-+]?(0|[1-9][0-9]{0,17})\.")
_NAMED: tuple[tuple[frozenset[str], Scalar], ...] = (
    (frozenset({"", "~", "null", "Null", "NULL"}), None),
    (frozenset({"true", "True", "TRUE"}), True),
    (frozenset({"false", "False", "FALSE"}), False),
)


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    for names, value in _NAMED:
        if text in names:
            return value
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
