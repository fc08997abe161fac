"""What a rule has at least while no metric can be followed."""

import pytest

from monitor.decide import decide, remember
from monitor.model.action import ScaleTo
from monitor.model.reason import Reason
from monitor.model.room import Room
from monitor.model.rule import Policy, PolicyType
from monitor.model.schedule import Fallback
from monitor.model.service import UpdateState
from monitor.model.usage import Usage
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    calm_rule,
    condition,
    cpu,
    history,
    later,
    numbers,
    queue,
    rule,
    service,
    up,
    view,
)

SIX = {"metrics": (queue(),), "fallback": Fallback(6, 120.0)}
LONG = {"failing_since": NOW.mono - 120}


def test_it_applies_after_its_time():
    """Failing for 119 s nothing happens but a count-down; at 120 s 4 become 6."""
    soon = decide(rule(**SIX), view(), Usage(), history(failing_since=NOW.mono - 119), NOW)
    assert (soon.action, soon.reason) == (None, Reason.MISSING_SAMPLES)
    assert "at least 6 in 1 s if that goes on" in soon.sentence
    assert soon.recheck_after == pytest.approx(1)
    assert condition(soon, "Fallback") == (False, "MetricsFailing")
    now = decide(rule(**SIX), view(), Usage(), history(**LONG), NOW)
    assert (now.action, now.reason) == (ScaleTo(6), Reason.FALLBACK)
    assert now.sentence == (
        "web: 4 -> 6 replicas: no metric could be followed for 2m, so it has at least 6 "
        "(queue has not been read yet)"
    )
    assert condition(now, "Fallback") == (True, "NoMetricReadable")
    assert condition(now, "ScalingActive") == (False, "FailedGetExternalMetric")
    assert (now.binding, now.would_change) == ("fallback", "queue can be followed again")


def test_it_never_lowers():
    """With 8 in force a fallback of 6 changes nothing, and is not remembered as calm."""
    decision = decide(calm_rule(**SIX), view(8), Usage(), history(**LONG), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    assert (decision.desired, decision.recommendation) == (8, 8)
    assert condition(decision, "Fallback") == (True, "NoMetricReadable")


def test_the_time_runs_from_the_first_failure_on_end():
    """A metric that answers in between starts the time anew."""
    past = history()
    first = decide(rule(**SIX), view(), Usage(), past, NOW)
    past = remember(past, first)
    assert past.failing_since == NOW.mono
    past = remember(past, decide(rule(**SIX), view(), Usage(), past, later(60)))
    assert past.failing_since == NOW.mono
    fine = decide(rule(**SIX), view(), numbers(40.0), past, later(90))
    assert condition(fine, "Fallback") == (False, "MetricsReadable")
    past = remember(past, fine)
    assert past.failing_since is None


def test_a_rollout_does_not_stop_the_time():
    """While an update holds everything back, failing goes on counting."""
    updating = view(of=service(4, update_state=UpdateState.UPDATING))
    decision = decide(rule(**SIX), updating, Usage(), history(), NOW)
    assert decision.reason is Reason.ROLLOUT_IN_PROGRESS
    assert remember(history(), decision).failing_since == NOW.mono


def test_bounds_rates_and_room_hold_for_it_too():
    """Within max; one replica a minute; what does not fit is not asked for."""
    assert decide(rule(1, 5, **SIX), view(), Usage(), history(**LONG), NOW).action == ScaleTo(5)
    slow = rule(scale_up=up(policies=(Policy(PolicyType.REPLICAS, 1, 60.0),)), **SIX)
    assert decide(slow, view(), Usage(), history(**LONG), NOW).action == ScaleTo(5)
    full = view(room=Room(4, "no node has 0.5 cores"))
    held = decide(rule(**SIX), full, Usage(), history(**LONG), NOW)
    assert (held.action, held.reason) == (None, Reason.CAPACITY)


def test_a_metric_that_can_be_followed_keeps_it_away():
    """CPU asks for 8 while the queue fails: CPU is followed, the fallback is not."""
    both = rule(metrics=(HALF_CPU, queue()), fallback=Fallback(6, 120.0))
    busy = decide(both, view(), cpu(0.9), history(**LONG), NOW)
    assert (busy.action, busy.reason) == (ScaleTo(8), Reason.ABOVE_TARGET)
    assert not busy.failing
    calm = decide(both, view(), cpu(0.1), history(**LONG), NOW)
    assert (calm.action, calm.reason) == (ScaleTo(6), Reason.FALLBACK)


def test_it_wakes_a_sleeping_service():
    """At zero and blind for long it has its fallback, unless a person put it to zero."""
    decision = decide(rule(0, **SIX), view(0), Usage(), history(**LONG), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(4), Reason.FALLBACK)
    by_hand = history(zero_by_user=True, **LONG)
    assert decide(rule(0, **SIX), view(0), Usage(), by_hand, NOW).action is None


def test_without_one_nothing_is_said_of_it():
    """A rule without a fallback has no such condition."""
    decision = decide(rule(metrics=(queue(),)), view(), Usage(), history(**LONG), NOW)
    assert "Fallback" not in {one.type for one in decision.conditions}
    assert decision.recheck_after is None
