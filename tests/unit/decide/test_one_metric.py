"""One metric asked by itself: which tasks count, what is filled in, and how it fails."""

from dataclasses import replace

import pytest

from monitor.decide.measure import Mean, Share
from monitor.decide.proposal import (
    Counting,
    Fault,
    Held,
    Tolerance,
    Wanted,
    from_average,
    from_value,
    per_task,
)
from monitor.decide.readiness import Group
from monitor.model.tuning import Count

BAND = Tolerance(0.1, 0.1)


def test_a_total_is_rounded_as_told():
    """28 / 25 of 25 tasks are 28 replicas, and 29 in binary fractions."""
    exact = Counting(25, BAND, noise=1e-6)
    assert from_value(28, 25, 25, 25, exact).replicas == 28
    assert from_value(28, 25, 25, 25, replace(exact, noise=0.0)).replicas == 29


def test_totals_and_averages_tell_their_numbers():
    """The raw number, the level and the average go along, whether tolerated or not."""
    calm = from_value(21, 20, 4, 4, Counting(4, BAND))
    assert (calm.replicas, calm.raw, calm.level.level, calm.level.average) == (4, 5, 21, 21)
    sleeping = from_value(21, 20, 0, 0, Counting(0, BAND))
    assert (sleeping.replicas, sleeping.raw, sleeping.level.ratio) == (2, 2, 1.05)
    against = from_value(40, 20, 1, 1, Counting(4, BAND, never_against_load=True))
    assert (against.replicas, against.raw, against.level.level) == (4, 2, 40)
    shared = from_average(90, 20, 4, Counting(4, BAND))
    assert (shared.replicas, shared.raw, shared.level.average) == (5, 5, 23)
    tolerated = from_average(85, 20, 4, Counting(4, BAND))
    assert (tolerated.replicas, tolerated.raw) == (4, 5)
    alone = from_average(90, 20, 0, Counting(0, BAND))
    assert (alone.replicas, alone.level.average, alone.level.level) == (5, 90, 90)


def test_the_band_of_tolerance_is_inclusive():
    """Exactly 10 % off is within, to both sides."""
    assert [BAND.holds(x) for x in (0.899, 0.9, 1.0, 1.1, 1.101)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_measures():
    """Shares are all usage over all requests; what is missing counts in full, at least."""
    share = Share({"a": 100, "b": 300, "c": None}, 50.0, whole=False)
    level = share.level({"a": 50, "b": 50, "c": 7, "d": 9})
    assert level is not None
    assert (level.ratio, level.level, level.average) == (0.5, 25.0, 50)
    assert share.level({"c": 1}) is None
    assert [share.full("a"), share.full("c"), share.full("d")] == [100, 0, 0]
    assert Share({"a": 101}, 150.0, whole=True).full("a") == 151
    assert Share({"a": 3}, 50.0, whole=True).level({"a": 1}).level == 33
    assert (share.lacks(["a"]), share.lacks(["a", "c"]), share.lacks(["d"])) == (False, True, True)
    mean = Mean(40, whole=False)
    assert mean.level({}) is None
    found = mean.level({"a": 41, "b": 40})
    assert (found.level, found.average, mean.full("x"), mean.lacks(["x"])) == (40.5, 40, 40, False)
    assert Mean(40, whole=True).level({"a": 41, "b": 40}).level == 40
    assert (share.plain, mean.plain) == (False, True)


def group(ready=(), unready=(), missing=(), ignored=()):
    return Group(tuple(ready), tuple(unready), tuple(missing), tuple(ignored))


PLAIN = Counting(4, BAND)


@pytest.mark.parametrize(
    ("values", "tasks", "counting", "replicas", "held"),
    [
        # All ready: 4 tasks, 20 of 10 each.
        ({"a": 20, "b": 20, "c": 20, "d": 20}, group("abcd"), PLAIN, 8, None),
        # High load, one missing: it counts as idle. 45 / 4 = 1.125.
        ({"a": 15, "b": 15, "c": 15}, group("abc", missing="d"), PLAIN, 5, None),
        # High load, two missing: 40 / 4 is within tolerance.
        ({"a": 20, "b": 20}, group("ab", missing="cd"), PLAIN, 4, Held.MISSING),
        # High load, starting tasks count as idle as well: 60 / 4 = 1.5, and 20 / 4 crosses.
        ({"a": 30, "b": 30}, group("ab", unready="cd"), PLAIN, 6, None),
        ({"a": 20}, group("a", unready="bcd"), PLAIN, 4, Held.UNREADY),
        # Low load, starting tasks are left out: 2 tasks at half are enough.
        ({"a": 5, "b": 5}, group("ab", unready="cd"), PLAIN, 1, None),
        # Low load, a missing task counts as at its target: 15 / 3 = 0.5, 20 / 4 = 0.5.
        ({"a": 1, "b": 1, "c": 1}, group("abc", missing="d"), PLAIN, 2, None),
        # A little too low: with the missing ones it is within tolerance.
        ({"a": 8}, group("a", missing="bcd"), PLAIN, 4, Held.MISSING),
        # Within tolerance from the start: nothing is held.
        ({"a": 10, "b": 10, "c": 10}, group("abc", missing="d"), PLAIN, 4, None),
        # Missing ones at exactly the target change nothing here, and are idle for an autoscaler.
        ({"a": 10, "b": 10}, group("ab", missing="cd"), PLAIN, 4, None),
        ({"a": 10, "b": 10}, group("ab", missing="cd"), replace(PLAIN, strangers=True), 2, None),
        # Two tasks of ten that are wanted, by the tasks counted or by the replicas.
        ({"a": 20, "b": 20}, group("ab"), PLAIN, 4, None),
        ({"a": 20, "b": 20}, group("ab"), replace(PLAIN, count=Count.REPLICAS), 8, None),
        # Against the load: 2 at 130 % ask for 3 of the 4 there are.
        ({"a": 13, "b": 13}, group("ab"), PLAIN, 3, None),
        ({"a": 13, "b": 13}, group("ab"), replace(PLAIN, never_against_load=True), 4, None),
        # A stranger counts where that is wanted only.
        ({"a": 10, "x": 50}, group("a", ignored="b"), Counting(1, BAND), 1, None),
        ({"a": 10, "x": 50}, group("a"), Counting(1, BAND, strangers=True), 3, None),
    ],
)
def test_what_one_metric_asks_for(values, tasks, counting, replicas, held):
    """Averages against a target of 10, filled in where tasks have no sample."""
    found = per_task(values, tasks, Mean(10, whole=False), counting)
    assert isinstance(found, Wanted)
    assert (found.replicas, found.held) == (replicas, held)


def test_filled_in_tasks_use_nothing_or_all():
    """To the unit: idle is 0, and all is the request."""
    small = Counting(3, Tolerance(0.0, 0.0))
    idle = per_task({"a": 3, "b": 3}, group("ab", missing="c"), Mean(2, whole=False), small)
    assert idle.replicas == idle.raw == 3
    starting = per_task({"a": 3, "b": 3}, group("ab", unready="c"), Mean(2, whole=False), small)
    assert starting.replicas == 3
    share = Share(dict.fromkeys("abc", 4), 50.0, whole=False)
    full = per_task({"a": 1, "b": 0}, group("ab", missing="c"), share, small)
    assert (full.raw, full.replicas) == (3, 3)
    at_target = per_task({"a": 2, "b": 2}, group("ab", missing="c"), share, small)
    assert (at_target.raw, at_target.replicas, at_target.level.ratio) == (2, 3, 1.0)


@pytest.mark.parametrize(
    ("values", "tasks", "fault"),
    [
        ({}, group(missing="a"), Fault.NO_SAMPLES),
        ({}, group(), Fault.NO_SAMPLES),
        ({"x": 1}, group(), Fault.NO_TASKS),
        ({"a": 1}, group(unready="a"), Fault.NONE_USABLE),
        ({"a": 1}, group(ignored="a", missing="b"), Fault.NONE_USABLE),
        ({"x": 1}, group(missing="a"), Fault.NO_MATCH),
        ({"x": 1}, group(missing="z"), Fault.MISSING_REQUEST),
        ({"a": 1}, group("a", missing="z"), Fault.MISSING_REQUEST),
        ({"a": 1}, group("a", unready="z"), Fault.MISSING_REQUEST),
        ({"a": 1}, group("a", ignored="z"), Fault.MISSING_REQUEST),
    ],
)
def test_why_a_metric_asks_for_nothing(values, tasks, fault):
    """The first of the causes, in the order in which they hide each other; z has no request."""
    share = Share({"a": 4, "b": 4}, 50.0, whole=False)
    assert per_task(values, tasks, share, PLAIN) is fault
