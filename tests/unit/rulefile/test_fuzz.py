"""Rule files as they look when fingers slip, disks fill and editors crash."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.rulefile.load import LoadResult
from tests.unit.rulefile import bad
from tests.unit.rulefile.helpers import parsed
from tests.unit.rulefile.test_convert import CONTRACT, METRICS

GOOD = [CONTRACT, METRICS, bad.SCALE, bad.RESTART] + [
    path.read_text()
    for path in sorted((Path(__file__).parents[3] / "rules").glob("*.yml"))
    if not path.name.endswith(".test.yml")
]
BITS = [
    "\t",
    "\x00",
    "*a",
    "&a ",
    "<<: ",
    "!!python/none ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
]
BITS += [
    "\n",
    "  ",
    "#",
    "%",
    "---\n",
    "null",
    "1e3",
    "010",
    "0x1F",
    "off",
    "60",
    "5m",
    "é",
    "😀",
    "|",
]
BITS += ["9" * 50, "a" * 300, "\u2028", "? ", ">-\n", "\r", "-1", ".inf", "scale:", "name: web\n"]


def check(result: LoadResult) -> None:
    """Either rules or problems, and every problem has a place and a short sentence."""
    assert (result.rules is None) == bool(result.problems)
    for problem in result.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in str(problem)
        assert len(str(problem)) < 500
        assert "Input should" not in problem.message


def mutate(text: str, draw: Callable[[st.SearchStrategy[int]], int]) -> str:
    """One slip: something put in, taken out, doubled, swapped or cut off."""
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(0, 40)))
    bit = BITS[draw(st.integers(0, len(BITS) - 1))]
    match draw(st.integers(0, 5)):
        case 0:
            return text[:start] + bit + text[start:]
        case 1:
            return text[:start] + text[end:]
        case 2:
            return text[:start] + text[start:end] * 2 + text[end:]
        case 3:
            return text[:start] + bit + text[end:]
        case 4:
            return text[:start]
        case _:
            lines = text.splitlines(keepends=True) or [""]
            first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            lines[first], lines[second] = lines[second], lines[first]
            return "".join(lines)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        text = mutate(text, draw)
    return text


@settings(max_examples=500, deadline=None)
@given(mutated())
def test_mutated_file_is_rules_or_problems(text: str) -> None:
    """No slip of the pen ends in an exception."""
    check(parsed(text))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_problems(data: bytes) -> None:
    """Bytes that are no text, or text that is no rules, are refused with a place."""
    result = parsed(data)
    check(result)
    assert result.rules is None


KEYS = sorted(
    {"version", "rules", "name", "services", "scale", "restart", "min", "max", "metrics", "type"}
    | {"target", "when", "any", "all", "for", "memory_above", "policies", "scale_up", "of", "stack"}
    | {"query", "url", "path", "per", "activation", "formula", "auth", "schedules", "fallback"}
    | {"cron", "duration", "timezone", "window", "rising_window", "cooldown", "(cpu)"}
    | {"budget", "backoff", "initial", "count", "names", "exclude", "mode", "label", "(list)"}
)
LEAVES = st.sampled_from(
    [
        "1",
        "60%",
        "5m",
        "700MiB",
        "cpu",
        "null",
        "''",
        "true",
        "web",
        "-1",
        "0.5",
        "act",
        "limit",
        "prometheus",
        "formula",
        "[]",
    ]
)


def flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return str(value)


TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_known_fields_in_wrong_places(tree: object) -> None:
    """Any value under any field, at any depth, is accepted or refused with a place."""
    check(parsed(f"version: 1\nrules: [{{name: a, services: [b], scale: {flow(tree)}}}]\n"))
    check(parsed(f"version: 1\nrules: [{{name: a, services: [b], restart: {flow(tree)}}}]\n"))
    check(parsed(f"version: 1\nrules: {flow(tree)}\n"))
