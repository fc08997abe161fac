"""Durations, sizes and shares."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rulefile import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("500ms", 0.5),
        ("1d2h3m4s5ms", 93784.005),
        ("1.5h", 5400),
        ("0s", 0),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    """Durations are read as compose files spell them, and in days."""
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "s",
        "30",
        "30 s",
        "30S",
        "1s1m",
        "1h1h",
        "-5s",
        "+5s",
        "5min",
        "1:30",
        30,
        1.5,
        None,
        True,
        [],
        {},
        "٣s",
        "1e3s",
        "30s\n",
        "9" * 100 + "s",
    ],
)
def test_no_duration(value: object) -> None:
    """Anything else is refused with a sentence that shows a duration."""
    with pytest.raises(ValueError, match="such as 30s"):
        units.seconds(value)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("700MiB", 700 * 1024**2),
        ("1GiB", 1024**3),
        ("1.5GiB", 1610612736),
        ("512MB", 512_000_000),
        ("64KiB", 65536),
        ("100B", 100),
        ("2kB", 2000),
    ],
)
def test_size(text: str, size: int) -> None:
    """MiB and its like are powers of 1024, MB and its like powers of 1000."""
    assert units.size(text) == size


@pytest.mark.parametrize("value", ["", "700", "700M", "700mb", "1 GiB", "GiB", 700, None, "-1B"])
def test_no_size(value: object) -> None:
    """A size without an unambiguous unit is refused with a sentence that shows one."""
    with pytest.raises(ValueError, match="such as 700MiB"):
        units.size(value)


@pytest.mark.parametrize(("text", "share"), [("60%", 0.6), ("62.5%", 0.625), ("1000%", 10.0)])
def test_share(text: str, share: float) -> None:
    """A share is its percentage over a hundred, without rounding errors of its own."""
    assert units.share(text) == share


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (60, '"60%"'),
        (0.6, '"60%"'),
        ("60", '"60%"'),
        ("60 %", '"60%"'),
    ],
)
def test_no_share(value: object, advice: str) -> None:
    """What somebody wrote instead of a share is given back as one."""
    with pytest.raises(ValueError, match=f"write {re.escape(advice)}"):
        units.share(value)


@given(st.integers(0, 10), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_durations_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    """A duration of several parts is the sum of its parts."""
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert units.seconds(f"{days}d{hours}h{minutes}m{seconds}s") == total


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()))
def test_any_value_is_read_or_refused_in_a_short_sentence(value: object) -> None:
    """Whatever stands in the file, the three readers return a number or say what to write."""
    for read in (units.seconds, units.size, units.share):
        sentence = "must be a "
        try:
            assert read(value) >= 0
        except ValueError as error:
            sentence = str(error)
        assert sentence.startswith("must be a ")
        assert len(sentence) < 300
