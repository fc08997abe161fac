"""Labels of the lease: what is written is read, and anything else is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fleet.lease_labels import PREFIX, Claim, read_claim
from monitor.fleet.lease_sight import Sight
from monitor.model.config import Config

TEXT = st.text(max_size=256)
NUMBER = st.integers(0, 10**15 - 1)
CLAIMS = st.builds(Claim, TEXT, TEXT, TEXT, NUMBER, NUMBER, TEXT, st.booleans())


@given(CLAIMS, st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_what_is_written_is_read(claim: Claim, others: dict[str, str]) -> None:
    """Every claim, beside labels of other people, which stay."""
    labels = claim.labels(others)
    assert read_claim(labels) == claim
    assert {key: labels[key] for key in others} == others
    assert read_claim(Claim().labels(labels)) == Claim()


@given(
    CLAIMS,
    st.sampled_from(["holder", "term", "beat", "released", "digest"]),
    st.none() | st.text(max_size=300),
)
def test_labels_by_anyone_are_a_claim_or_a_sentence(
    claim: Claim, key: str, value: str | None
) -> None:
    """No label breaks the reading; what is wrong is named with its label, in bounds."""
    labels = claim.labels({})
    if value is None:
        del labels[PREFIX + key]
    else:
        labels[PREFIX + key] = value
    said = f"{PREFIX}{key}"
    try:
        read_claim(labels)
    except ValueError as error:
        said = str(error)
    assert f"{PREFIX}{key}" in said
    assert len(said) < 120


@pytest.mark.parametrize(
    ("key", "value"),
    [("term", "-1"), ("term", "1e3"), ("term", "٣"), ("beat", "1" * 16), ("released", "True")],
)
def test_near_misses_are_refused(key: str, value: str) -> None:
    """Numbers are plain digits, the flag is one of two words."""
    with pytest.raises(ValueError, match=PREFIX + key):
        read_claim(Claim().labels({}) | {PREFIX + key: value})


def config(version: int, claim: Claim | None, id_: str = "c") -> Config:
    return Config(id_, "lease", version, claim.labels({}) if claim else {})


def test_waiting_begins_anew_with_every_change() -> None:
    """Also where the config is another one of the same version, or gone."""
    sight = Sight()
    held = Claim("boot", term=4, beat=1)
    for now, seen, free_at in (
        (1.0, config(7, held), 11.0),
        (5.0, config(7, held), 11.0),
        (6.0, config(8, held), 16.0),
        (7.0, config(8, held, "d"), 17.0),
        (8.0, None, 18.0),
        (9.0, config(9, None), 19.0),
    ):
        sight.saw(seen, now, 10.0)
        assert sight.free_at() == free_at
    sight.saw(config(10, Claim("boot", released=True)), 20.0, 10.0)
    assert sight.free_at() == 20.0


def test_terms_only_rise() -> None:
    """Above the newest, above the highest ever seen, and above all where none is known."""
    sight = Sight()
    sight.saw(config(7, Claim("boot", term=4)), 1.0, 10.0)
    assert sight.next_term() == 5
    sight.saw(config(8, Claim("boot", term=2)), 2.0, 10.0)
    assert sight.next_term() == 5
    sight.saw(config(9, None), 3.0, 10.0)
    assert sight.next_term() == 9
    sight.saw(config(3, Claim(), "new"), 4.0, 10.0)
    assert sight.next_term() == 5
    assert sight.odd == ""
    fresh = Sight()
    fresh.saw(config(41, Claim(released=True)), 1.0, 10.0)
    assert fresh.next_term() == 41
