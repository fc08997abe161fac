"""Raw JSON that is kept."""

import json

from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.raw import shared

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=100),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_shared_is_the_same(value: object) -> None:
    """Nothing is lost or changed, however it is nested."""
    assert shared(value) == value


def test_keys_and_short_strings_are_held_once() -> None:
    """Of two services with the same labels there is one copy of each key and value."""
    one, other = (shared(json.loads('{"Labels": {"team": "shop"}}')) for _ in range(2))
    (key, value), (same_key, same_value) = (
        next(iter(service["Labels"].items())) for service in (one, other)
    )
    assert key is same_key
    assert value is same_value


def test_what_is_nested_without_end_is_no_matter() -> None:
    """A thousand levels are kept as they came."""
    deep: object = "x"
    for _ in range(1_000):
        deep = [deep]
    kept, depth = shared(deep), 0
    while isinstance(kept, list):
        kept, depth = kept[0], depth + 1
    assert depth == 1_000
