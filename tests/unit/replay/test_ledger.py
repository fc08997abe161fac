"""The score of a replay, against figures computed by hand."""

import pytest

from monitor.replay.ledger import Ledger, Stretch, ideal


def test_accuracy_timeshare_and_instability_are_those_computed_by_hand() -> None:
    """Demand 2, 4, 4, 1 against supply 2, 2, 4, 4, a minute each, gives the formulas' numbers."""
    ledger = Ledger(good_until=1.0)
    for demand, supply in ((2, 2), (4, 2), (4, 4), (1, 4)):
        ledger.add(Stretch(60, demand, supply, supply))
        ledger.point(demand, supply)
    score = ledger.score()
    assert score.under_accuracy == pytest.approx(100 / 4 * (2 / 4))
    assert score.over_accuracy == pytest.approx(100 / 4 * (3 / 1))
    assert score.under_timeshare == pytest.approx(25)
    assert score.over_timeshare == pytest.approx(25)
    assert score.instability == pytest.approx(100)  # +/0, 0/+, -/0
    assert score.replica_hours == pytest.approx(12 / 60)
    assert score.ideal_hours == pytest.approx(11 / 60)
    assert score.over_capacity == pytest.approx(25)


def test_supply_that_follows_demand_at_once_is_stable() -> None:
    """Where both change the same way at each point instability is 0, and so is all else."""
    ledger = Ledger(good_until=1.0)
    for count in (2, 3, 5, 4, 4, 1):
        ledger.add(Stretch(60, count, count, count))
        ledger.point(count, count)
    score = ledger.score()
    assert (score.instability, score.under_accuracy, score.over_accuracy) == (0, 0, 0)
    assert score.replica_hours == score.ideal_hours


@pytest.mark.parametrize(
    ("load", "good_until", "count"),
    [(0, 0.8, 1), (0.8, 0.8, 1), (0.81, 0.8, 2), (2.4, 0.8, 3), (7, 1.0, 7), (0.3, 0.1, 3)],
)
def test_the_ideal_is_the_fewest_replicas_that_serve_well(
    load: float, good_until: float, count: int
) -> None:
    """Each has at most the share of load up to which it serves well; one is always there."""
    assert ideal(load, good_until) == count
