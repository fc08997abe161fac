"""Paths into JSON documents."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.jsonpath import (
    BadPathError,
    NotThereError,
    Step,
    kind,
    parse_path,
    path_error,
    shown,
    value_at,
)

STEPS = st.lists(st.text(max_size=8) | st.integers(-999, 999_999), max_size=6).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ("[0]", (0,)),
        ("[-1].x", (-1, "x")),
        ('a["key with.dots"].b', ("a", "key with.dots", "b")),
        (r'["a \"quoted\" one"][2]', ('a "quoted" one', 2)),
        ("messages_ready", ("messages_ready",)),
        ("queue-1.größe", ("queue-1", "größe")),
        ("0", ("0",)),
    ],
)
def test_a_path_is_read_from_the_outside_in(path: str, steps: tuple[Step, ...]) -> None:
    """Dots, indices from both ends and quoted keys mix freely."""
    assert parse_path(path) == steps
    assert path_error(path) is None


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("$.a", "leave out the $"),
        ("a.$b", "leave out the $"),
        ("a.", "ends with a dot"),
        (".a", "is not a key"),
        ("a..b", "is not a key"),
        ("a b", "a dot is missing"),
        ("a[b]", "write [0] for an element"),
        ("a[0", "write [0] for an element"),
        ("a['b']", 'or ["key"] for a key'),
        ("a[*]", "write [0] for an element"),
        ("a[0]b", "a dot is missing before 'b'"),
        (r'["\x"]', "is not a JSON string"),
        ("a" * 1001, "longer than 1000"),
    ],
)
def test_a_bad_path_is_told_what_to_write(path: str, part: str) -> None:
    """The sentence names the place and the right spelling."""
    said = path_error(path)
    assert said is not None
    assert part in said


@given(steps=STEPS)
def test_any_steps_can_be_written_as_a_path(steps: tuple[Step, ...]) -> None:
    """`shown` and `parse_path` undo each other, whatever the keys hold."""
    assert parse_path(shown(steps)) == steps


@given(path=st.text(alphabet='ab.[]"\\0-$ ', max_size=20))
def test_any_text_is_a_path_or_a_sentence(path: str) -> None:
    """Nothing else is ever raised, and what parses means the same when shown."""
    said = path_error(path)
    if said is None:
        steps = parse_path(path)
        assert parse_path(shown(steps)) == steps
    else:
        with pytest.raises(BadPathError, match=re.escape(said)):
            parse_path(path)


@given(document=JSON, steps=STEPS)
def test_any_document_has_a_value_or_not(document: Any, steps: tuple[Step, ...]) -> None:
    """The value is what plain indexing gives; where that fails, so does the path."""
    expected: Any = document
    found = True
    for step in steps:
        fits = isinstance(expected, list if isinstance(step, int) else dict)
        try:
            expected = expected[step] if fits else None
        except LookupError:
            fits = False
        if not fits:
            found = False
            break
    if found:
        assert value_at(document, steps) is expected
    else:
        with pytest.raises(NotThereError):
            value_at(document, steps)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("stats.queue", "has no key 'queue' under 'stats'; there is 'queues', 'workers'"),
        ("other", "has no key 'other' at its top; there is 'stats'"),
        ("stats.workers[0]", "has 3 under 'stats.workers', which has no element [0]"),
        ("stats.queues.a", "has a list of 2 under 'stats.queues', which has no keys such as 'a'"),
        ("stats.queues[2]", "has a list of 2 under 'stats.queues', which has no element [2]"),
    ],
)
def test_what_is_there_is_said(path: str, said: str) -> None:
    """Who mistypes a key sees those that there are."""
    document = {"stats": {"queues": [1, 2], "workers": 3}}
    with pytest.raises(NotThereError) as caught:
        value_at(document, parse_path(path))
    assert str(caught.value) == said


def test_long_documents_make_no_long_sentences() -> None:
    """A thousand keys, or keys and texts as long as a book, are cut short."""
    with pytest.raises(NotThereError) as caught:
        value_at({f"{n:0900}": 0 for n in range(1000)}, ("a",))
    assert len(str(caught.value)) < 600
    assert len(kind("x" * 10_000)) < 80
