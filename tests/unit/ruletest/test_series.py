import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ruletest.series import parse_series, parse_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2 3", (1, 2, 3)),
        ("0+10x5", (0, 10, 20, 30, 40, 50)),
        ("5x3", (5, 5, 5, 5)),
        ("10-2x2", (10, 8, 6)),
        ("-1+1x2", (-1, 0, 1)),
        ("0.5+.25x1", (0.5, 0.75)),
        ("1e2x1", (100, 100)),
        ("1 _ 3", (1, None, 3)),
        ("_x3 7", (None, None, None, 7)),
        ("stale", (None,)),
    ],
)
def test_values_are_read_as_promtool_reads_them(text, values):
    """`a+bxn` gives n+1 values, `_` gives none; both may stand beside plain numbers."""
    assert parse_values(text) == values


@pytest.mark.parametrize("text", ["", "a", "1+2", "1x", "1 2,3", "1x9999999", "0x99999 0x99999"])
def test_what_cannot_be_read_is_refused_in_words(text):
    """A slip in the notation is not passed over; one in a number does not fill the memory."""
    with pytest.raises(ValueError, match=r"write|more than"):
        parse_values(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    """Nothing that stands in a file raises anything but a ValueError."""
    for parse in (parse_values, lambda given: parse_series(given, "1")):
        with contextlib.suppress(ValueError):
            parse(text)


def test_a_series_names_what_it_is_of():
    """The kind, the service and, of a number, the metric."""
    series = parse_series('number{service="web", metric="queue"}', "1")
    assert (series.kind, series.service, series.metric) == ("number", "web", "queue")


@pytest.mark.parametrize(
    "name", ["cpu", "cpu{}", 'cpus{service="web"}', 'number{service="web"}', "cpu{service=web}"]
)
def test_a_name_that_says_too_little_is_refused(name):
    """The sentence shows how it is written."""
    with pytest.raises(ValueError, match="write"):
        parse_series(name, "1")


def test_values_hold_for_an_interval_and_the_last_one_goes_on():
    """Before the start the first value holds, after the end the last."""
    series = parse_series('cpu{service="web"}', "1 2")
    assert [series.at(at, 15.0) for at in (-5, 0, 14.9, 15, 1000)] == [1, 1, 1, 2, 2]
