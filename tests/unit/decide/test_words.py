"""How numbers are spelled for people, at the edges between one spelling and the next."""

import pytest

from monitor.decide import words
from monitor.model.usage import MetricKind


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 s"), (0.0, "0 s"), (0.4, "0.4 s"), (9.0, "9 s"), (9.9, "9.9 s"), (10.0, "10 s"),
        (10.4, "10 s"), (99.4, "99 s"), (99.6, "1m40s"), (120.0, "2m"), (220.0, "3m40s"),
        (3599.0, "59m59s"), (3600.0, "1h"), (7200.0, "2h"), (7500.0, "2h5m"), (90000.0, "25h"),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    """Tenths below ten seconds, whole seconds below a hundred, then minutes, then hours."""
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"), (0.25, "0.25"), (10.5, "10.5"), (123456.0, "123456"), (-3.0, "-3"),
        (1e9, "1e+09"), (1.5e9, "1.5e+09"), (-1e9, "-1e+09"), (123456.5, "1.235e+05"),
        (999999999.0, "999999999"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    """Whole numbers in full below a milliard, others to four digits."""
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4, "0.4%"), (5.0, "5%"), (9.94, "9.9%"), (9.95, "10%"), (10.4, "10%"), (95.0, "95%")],
)
def test_percentages(value, text):
    """Tenths below ten percent, but no `.0`."""
    assert words.percent(value) == text


def test_sizes_and_amounts():
    """The largest unit of which there is one; traffic is per second."""
    assert [words.size(x) for x in (12.0, 1023.0, 1024.0, 700 * 2.0**20, 2.0**30, 1.5 * 2**40)] == [
        "12B", "1023B", "1KiB", "700MiB", "1GiB", "1.5TiB",
    ]  # fmt: skip
    spelled = [words.amount(kind, 2048.0) for kind in MetricKind]
    assert spelled == ["2.05e+03 cores", "2KiB", "2KiB/s", "2KiB/s"]
    assert [words.edge(x) for x in (55.0, 37.5, 71.25)] == ["55%", "37.5%", "71.2%"]
    assert [words.tasks(n) for n in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
    assert [words.replicas(n) for n in (0, 1, 2)] == ["0 replicas", "1 replica", "2 replicas"]
