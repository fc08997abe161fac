import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.store.packing import (
    CHUNK,
    MOST,
    PREFIX,
    StateTooLarge,
    StateUnreadable,
    canonical,
    pack,
    parse,
    unpack,
)


def noise(size: int) -> str:
    return random.Random(1).randbytes(size).hex()


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans())))
def test_what_is_packed_comes_back(state):
    """Any JSON object, whatever texts are in it."""
    assert parse(unpack(pack(canonical(state)))) == state


def test_a_large_state_is_split_into_labels_of_bounded_size():
    """No label is longer than what engines were seen to take, and all of it comes back."""
    text = canonical({"noise": noise(150_000)})
    labels = pack(text)
    assert len(labels) > 4
    assert max(map(len, labels.values())) <= CHUNK
    assert unpack(labels) == text


def test_a_state_beyond_the_bound_is_refused_with_both_sizes():
    """It says how large it is and what would help, instead of an error of the managers."""
    with pytest.raises(StateTooLarge, match=f"{MOST:,} is the most"):
        pack(canonical({"noise": noise(MOST)}))


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("format", "2", "newer release"),
        ("format", "one", "no label"),
        ("format", None, "no label"),
        ("chunks", None, "missing"),
        ("chunks", "-1", "-1 parts"),
        ("chunks", "many", "damaged"),
        ("chunks", "3", "missing"),
        ("1", None, "missing"),
        ("0", "", "damaged|checksum"),
        ("0", "####", "damaged"),
        ("sha256", "0", "checksum"),
    ],
)
def test_damage_is_told_and_never_taken_for_an_empty_state(label, value, said):
    """A label that was changed or removed, or a newer format: one sentence on what is wrong."""
    labels = pack(canonical({"noise": noise(90_000)}))
    assert f"{PREFIX}1" in labels
    if value is None:
        del labels[PREFIX + label]
    else:
        labels[PREFIX + label] = value
    with pytest.raises(StateUnreadable, match=said):
        unpack(labels)


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_any_changed_character_is_noticed(place, value):
    """One character of one chunk, anywhere."""
    labels = pack(canonical({"noise": noise(500)}))
    chunk = labels[f"{PREFIX}0"]
    at = place % len(chunk)
    changed = chunk[:at] + value.hex()[0] + chunk[at + 1 :]
    if changed == chunk:
        return
    with pytest.raises(StateUnreadable):
        unpack(labels | {f"{PREFIX}0": changed})


@pytest.mark.parametrize("text", ["[]", "null", "3", "{", ""])
def test_what_is_no_object_is_unreadable(text):
    """With a right checksum, too: somebody may have packed it by hand."""
    with pytest.raises(StateUnreadable):
        parse(unpack(pack(text)))
