"""A crash loop through the decision core: budget, back-off, breaker, and what closes it."""

from itertools import pairwise

import pytest

from monitor.model.condition import Exits
from monitor.model.reason import Reason
from monitor.model.rule import Backoff, Breaker, Budget, RestartAction, RestartRule
from monitor.model.selector import Selector
from tests.unit.decide.crashes import CrashLoop

DAY = 86400.0
EXITS = Exits(3, 600.0)


def rule(**changes):
    plain = {
        "budget": Budget(3, 3600.0),
        "backoff": Backoff(60.0, 3600.0),
        "breaker": Breaker(5, 900.0),
    }
    return RestartRule(
        name="crash", selector=Selector(names=("web",)), when=EXITS, **(plain | changes)
    )


def most_within(times, window):
    return max((sum(a <= b < a + window for b in times) for a in times), default=0)


def test_a_day_of_crashes_is_restarted_five_times_and_then_given_up():
    """24 virtual hours: within the budget at any time, ever slower, until the breaker opens."""
    loop = CrashLoop(rule())
    last = loop.run(DAY)
    assert len(loop.acted) == 5
    assert most_within(loop.acted, 3600.0) <= 3
    gaps = [b - a for a, b in pairwise(loop.acted)]
    assert all(gap >= 60 * 2**place for place, gap in enumerate(gaps))
    assert last.reason is Reason.BREAKER_OPEN
    opened = next(at for at, reason in loop.reasons if reason is Reason.BREAKER_OPEN)
    assert loop.acted[-1] < opened < loop.acted[-1] + 1500
    assert loop.history.course.breaker.open_since is not None
    assert [one.type for one in last.conditions] == ["Breaker"]


def test_a_later_healthy_deploy_closes_the_breaker():
    """A deploy that goes on crashing leaves it open; one that runs well for 15 minutes does not."""
    loop = CrashLoop(rule())
    loop.run(DAY)
    count = len(loop.acted)
    loop.deploy(healthy=False)
    loop.run(DAY + 7200)
    assert len(loop.acted) == count
    assert loop.history.course.breaker.open_since is not None
    loop.deploy(healthy=True)
    loop.run(DAY + 7200 + 890)
    assert loop.history.course.breaker.open_since is not None
    loop.run(DAY + 7200 + 930)
    assert loop.history.course.breaker.open_since is None
    loop.sick = True
    loop.run(DAY + 12000)
    assert len(loop.acted) > count


def test_restarts_that_help_never_open_it():
    """Crashes that come back hours later only: restarted each time, for a whole day."""
    loop = CrashLoop(rule(budget=Budget(50, 3600.0)), sick=False)
    for hour in range(24):
        loop.sick = True
        loop.run(hour * 3600 + 250)
        loop.sick = False
        loop.run((hour + 1) * 3600)
    assert len(loop.acted) == 24
    assert loop.history.course.breaker.open_since is None


@pytest.mark.parametrize("action", ["notify", "rollback", "park"])
def test_what_restarts_nothing_has_no_breaker(action):
    """A notice is given again and again, within the budget."""
    loop = CrashLoop(rule(action=RestartAction(action)))
    loop.run(4 * 3600)
    assert loop.history.course.breaker.trials == ()
    if action == "notify":
        assert 8 <= len(loop.acted) <= 12
        assert most_within(loop.acted, 3600.0) <= 3


def test_a_service_in_a_crash_loop_is_not_restarted_while_the_swarm_waits():
    """Its restart delay is respected: nothing is done while its task is gone."""
    loop = CrashLoop(rule(), every=5.0, delay=100.0)
    loop.run(7200)
    waits = {reason for _, reason in loop.reasons}
    assert Reason.NOT_CONVERGED in waits
