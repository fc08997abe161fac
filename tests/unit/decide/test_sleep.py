"""To and from zero replicas, where a rule's min is 0."""

import pytest

from monitor.decide import decide, record_write, remember
from monitor.model.action import ScaleTo
from monitor.model.history import History, Seen
from monitor.model.reason import Reason
from monitor.model.rule import Basis, Metric, Policy, PolicyType, Quantity, SelectPolicy
from monitor.model.usage import MetricKind, Usage
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    VERSION,
    calm_rule,
    cpu,
    history,
    later,
    numbers,
    queue,
    rule,
    service,
    stage,
    up,
    view,
)

SLEEPY = {"metrics": (queue(10.0, activation=5.0),)}


def with_cpu(activation=None):
    cpu_metric = Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.LIMIT), activation=activation)
    return calm_rule(0, metrics=(cpu_metric, queue(10.0, activation=5.0)))


def both(share, value, count=4):
    return Usage(cpu(share, count).samples, numbers(value).numbers)


@pytest.mark.parametrize(("value", "replicas"), [(5.5, 1), (10.0, 1), (25.0, 3), (400.0, 4)])
def test_a_number_above_its_activation_wakes_a_service(value, replicas):
    """From zero to at least 1 and to what the target asks, within the rates (4 in 15 s)."""
    decision = decide(rule(0, **SLEEPY), view(0), numbers(value), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(replicas), Reason.ACTIVATED)
    assert "woken up, queue is at" in decision.sentence


@pytest.mark.parametrize("value", [0.0, 4.0, 5.0])
def test_at_or_below_its_activation_it_sleeps_on(value):
    """Only strictly above does wake; what would is said."""
    decision = decide(rule(0, **SLEEPY), view(0), numbers(value), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.AT_MIN)
    assert (decision.desired, decision.would_change) == (0, "queue above 5")
    assert f"nothing wakes it (queue is at {value:g}, activation 5)" in decision.sentence


def test_an_unreadable_number_neither_wakes_nor_puts_to_sleep():
    """At zero it stays, with the reason; at one it stays as well."""
    asleep = decide(rule(0, **SLEEPY), view(0), numbers(None, 1.0, "refused"), history(), NOW)
    assert (asleep.action, asleep.reason) == (None, Reason.MISSING_SAMPLES)
    awake = decide(calm_rule(0, **SLEEPY), view(1), numbers(None, 1.0, "refused"), history(), NOW)
    assert (awake.action, awake.reason) == (None, Reason.MISSING_SAMPLES)
    assert awake.desired == 1


def test_one_readable_active_number_is_enough_to_wake():
    """The second number fails; the first alone wakes."""
    two = rule(0, metrics=(*SLEEPY["metrics"], queue(10.0, name="other")))
    decision = decide(two, view(0), numbers(30.0), history(), NOW)
    assert decision.action == ScaleTo(3)
    calm = decide(two, view(0), numbers(0.0), history(), NOW)
    assert (calm.action, calm.reason) == (None, Reason.MISSING_SAMPLES)


def test_a_service_sleeps_when_all_numbers_are_inactive():
    """Though its target asks for one replica at 3, an activation of 5 puts it to sleep."""
    decision = decide(calm_rule(0, **SLEEPY), view(2), numbers(3.0), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(0), Reason.INACTIVE)
    assert decision.sentence == (
        "web: 2 -> 0 replicas: nothing keeps it awake (queue is at 3, activation 5)"
    )
    assert stage(decision, "activation") == 0
    assert decision.would_change == "queue above 5"


def test_sleep_waits_for_the_window():
    """A need of 1 was seen 100 s ago: it goes to sleep 200 s later, not now."""
    past = history((100, 1))
    decision = decide(rule(0, **SLEEPY), view(1), numbers(0.0), past, NOW)
    assert (decision.action, decision.reason) == (None, Reason.STABILIZED)
    assert decision.recheck_after == pytest.approx(200)
    from_three = decide(rule(0, **SLEEPY), view(3), numbers(0.0), past, NOW)
    assert (from_three.action, from_three.reason) == (ScaleTo(1), Reason.BELOW_TARGET)
    assert decide(rule(0, **SLEEPY), view(1), numbers(0.0), past, later(200)).action == ScaleTo(0)


def test_awake_means_one_replica_at_least():
    """Active at 6 with a target of 1000: one replica is kept, and none below."""
    lazy = calm_rule(0, metrics=(queue(1000.0, activation=5.0),))
    assert decide(lazy, view(3), numbers(6.0), history(), NOW).action == ScaleTo(1)
    usage = cpu(0.0, 1)
    awake = calm_rule(0, metrics=(HALF_CPU, queue(None)))
    kept = decide(awake, view(1), usage, history(), NOW)
    assert (kept.action, kept.reason, kept.desired) == (None, Reason.AT_MIN, 1)
    assert "one replica is kept while it is awake" in kept.sentence


def test_without_a_number_nothing_could_wake_it_so_it_never_sleeps():
    """CPU alone is zero at zero replicas: with min 0 an idle service keeps one."""
    decision = decide(calm_rule(0), view(), cpu(0.0), history(), NOW)
    assert decision.action == ScaleTo(1)
    stuck = decide(calm_rule(0), view(0), Usage(), history(), NOW)
    assert (stuck.action, stuck.reason) == (None, Reason.AT_MIN)
    assert "scale it to 1 or more" in stuck.sentence


def test_usage_has_a_say_only_with_an_activation_of_its_own():
    """Without one a busy CPU does not keep it awake; with 20 % it does above that."""
    assert decide(with_cpu(), view(), both(0.9, 0.0), history(), NOW).action == ScaleTo(0)
    busy = decide(with_cpu(0.2), view(), both(0.21, 0.0), history(), NOW)
    assert busy.action == ScaleTo(2)
    calm = decide(with_cpu(0.2), view(), both(0.2, 0.0), history(), NOW)
    assert calm.action == ScaleTo(0)
    assert "cpu is at 20%, activation 20%; queue is at 0, activation 5" in calm.sentence


def test_missing_usage_keeps_it_awake():
    """All must be readable before it sleeps: a task without a sample may be busy."""
    usage = Usage(cpu({1: 0.0, 2: 0.0}).samples, numbers(0.0).numbers)
    decision = decide(with_cpu(0.2), view(), usage, history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)


def test_absolute_activation_is_in_the_targets_terms():
    """0.02 cores per task keep a rule on cores awake above 0.01."""
    cores = Metric("cpu", MetricKind.CPU, Quantity(0.1), activation=0.01)
    the_rule = calm_rule(0, metrics=(cores, queue(10.0)))
    assert decide(the_rule, view(2), both(0.2, 0.0, 2), history(), NOW).action == ScaleTo(1)
    assert decide(the_rule, view(2), both(0.1, 0.0, 2), history(), NOW).action == ScaleTo(0)


def test_with_a_min_above_zero_activation_means_nothing():
    """A quiet queue goes to min, not below."""
    decision = decide(calm_rule(1, **SLEEPY), view(), numbers(0.0), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(1), Reason.BELOW_TARGET)


def test_percentages_of_zero_still_allow_the_first_replica():
    """With +50 % a minute as the only policy a sleeping service still wakes to one."""
    slow = up(policies=(Policy(PolicyType.PERCENT, 50, 60.0),))
    decision = decide(rule(0, scale_up=slow, **SLEEPY), view(0), numbers(400.0), history(), NOW)
    assert decision.action == ScaleTo(1)
    never = up(select_policy=SelectPolicy.DISABLED)
    held = decide(rule(0, scale_up=never, **SLEEPY), view(0), numbers(400.0), history(), NOW)
    assert (held.action, held.reason) == (None, Reason.RATE_LIMITED)


def test_nothing_wakes_beyond_max():
    """A schedule that sets max to 0 keeps a service asleep whatever is queued."""
    decision = decide(rule(0, 0, **SLEEPY), view(0), numbers(400.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.AT_MAX)


def seen(replicas, version=VERSION, **changes):
    return Seen(version, replicas, "t", **changes)


def test_a_persons_zero_stays_where_it_was_seen_being_made():
    """4 became 0 by another's hand: hands off until it is non-zero, whatever is queued."""
    past = history(seen=seen(4, 41), own_version=41)
    the_rule = rule(0, **SLEEPY)
    decision = decide(the_rule, view(0), numbers(400.0), past, NOW)
    assert (decision.action, decision.reason) == (None, Reason.SCALED_TO_ZERO_BY_USER)
    past = remember(past, decision)
    assert past.zero_by_user
    again = decide(the_rule, view(0), numbers(400.0), past, later(60))
    assert again.reason is Reason.SCALED_TO_ZERO_BY_USER
    back = decide(the_rule, view(1, of=service(1, version=43)), numbers(5.5), past, later(90))
    assert back.reason is not Reason.SCALED_TO_ZERO_BY_USER
    assert not remember(past, back).zero_by_user


def test_a_zero_of_our_own_and_one_found_at_start_may_wake():
    """Our own write, or no memory at all after a restart of the agent: the queue wakes it."""
    the_rule = rule(0, **SLEEPY)
    ours = history(seen=seen(4, 41), own_version=41)
    sleep = decide(calm_rule(0, **SLEEPY), view(4, of=service(4, version=41)), numbers(0.0), ours,
                   NOW)  # fmt: skip
    after = record_write(remember(ours, sleep), sleep, NOW)
    assert decide(the_rule, view(0), numbers(400.0), after, later(20)).action == ScaleTo(4)
    assert decide(the_rule, view(0), numbers(400.0), History(own_version=VERSION), NOW).action == (
        ScaleTo(4)
    )


def test_a_zero_of_our_own_that_a_person_set_anew_is_the_persons():
    """We went to 0, somebody scaled to 3 and then back to 0: that zero is theirs."""
    ours = history(seen=seen(0, 41), own_version=41, scaled_to_zero_by_us=True, set_by_us=0)
    the_rule = rule(2, **SLEEPY)
    raised = decide(the_rule, view(3, of=service(3, version=42)), numbers(30.0), ours, NOW)
    after = remember(ours, raised)
    assert not after.scaled_to_zero_by_us
    lowered = decide(the_rule, view(0, of=service(0, version=43)), numbers(30.0), after, later(5))
    assert lowered.reason is Reason.SCALED_TO_ZERO_BY_USER
