"""Bounds, and services that no rule may scale whatever their load."""

import pytest

from monitor.decide import decide
from monitor.model.action import ScaleTo
from monitor.model.reason import Reason
from monitor.model.service import ServiceMode
from monitor.model.usage import Usage
from tests.unit.decide.make import (
    NOW,
    calm_rule,
    cpu,
    history,
    rule,
    service,
    view,
)


def test_bounds_hold():
    """At max under load: AT_MAX; at min without load: AT_MIN; in between the bound itself."""
    high = decide(rule(1, 4), view(), cpu(1.0), history(), NOW)
    assert (high.action, high.reason) == (None, Reason.AT_MAX)
    assert "8 are wanted, max is 4" in high.sentence
    low = decide(calm_rule(4), view(), cpu(0.1), history(), NOW)
    assert (low.action, low.reason) == (None, Reason.AT_MIN)
    assert decide(rule(1, 5), view(), cpu(1.0), history(), NOW).action == ScaleTo(5)
    assert decide(calm_rule(3), view(), cpu(0.1), history(), NOW).action == ScaleTo(3)


def test_sizes_outside_the_bounds_are_corrected_without_samples():
    """12 over max 10 and 1 under min 2 are corrected at once, whatever is known of load."""
    above = decide(rule(), view(12), Usage(), history((1, 12)), NOW)
    assert (above.action, above.reason) == (ScaleTo(10), Reason.ABOVE_MAX)
    below = decide(rule(2), view(1), Usage(), history(), NOW)
    assert (below.action, below.reason) == (ScaleTo(2), Reason.BELOW_MIN)


def test_a_persons_zero_is_left_alone():
    """Scaled to 0 by hand: hands off; a zero of our own goes back to min."""
    person = decide(rule(2), view(0), Usage(), history(), NOW)
    assert (person.action, person.reason) == (None, Reason.SCALED_TO_ZERO_BY_USER)
    ours = decide(rule(2), view(0), Usage(), history(scaled_to_zero_by_us=True), NOW)
    assert ours.action == ScaleTo(2)


@pytest.mark.parametrize(
    "mode", [ServiceMode.GLOBAL, ServiceMode.REPLICATED_JOB, ServiceMode.GLOBAL_JOB]
)
def test_only_replicated_services_are_scaled(mode):
    """Global services and jobs are refused with a reason, never written."""
    decision = decide(rule(), view(of=service(None, mode=mode)), cpu(1.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.UNSUPPORTED_MODE)
    assert mode.value in decision.sentence


def test_the_agents_own_service_is_left_alone():
    """No rule touches the service that the agent runs in."""
    decision = decide(rule(), view(), cpu(1.0), history(), NOW, own_service=True)
    assert (decision.action, decision.reason) == (None, Reason.OWN_SERVICE)


def test_a_bound_is_corrected_only_when_no_rollout_runs():
    """Below min during the two seconds after somebody's change: no write, the wish is shown."""
    fresh = view(1, version_since=NOW.mono - 0.5)
    decision = decide(rule(2), fresh, Usage(), history(own_version=1), NOW)
    assert (decision.action, decision.reason) == (None, Reason.ROLLOUT_IN_PROGRESS)
    assert decision.desired == 2
    assert decision.recheck_after == pytest.approx(1.5)
