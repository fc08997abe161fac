"""Scaling by metrics: what is wanted, what binds, and what the sentence says of it."""

from dataclasses import replace

import pytest

from monitor.decide import decide
from monitor.model.action import ScaleTo
from monitor.model.reason import Reason
from monitor.model.rule import Basis, Metric, Policy, PolicyType, Quantity, SelectPolicy
from monitor.model.task import TaskState
from monitor.model.usage import MetricKind, Sample, Usage
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    calm_rule,
    condition,
    cpu,
    down,
    event,
    history,
    rule,
    service,
    stage,
    task,
    up,
    view,
)


def test_load_above_target_scales_up():
    """95 % of the limit against a target of 50 % on 2 tasks: ratio 1.9, so 4 replicas."""
    decision = decide(rule(), view(2), cpu(0.95, 2), history(), NOW)
    assert decision.action == ScaleTo(4)
    assert decision.reason is Reason.ABOVE_TARGET
    assert decision.sentence == "web: 2 -> 4 replicas: cpu is at 95% of its limit, target 50%"
    assert [one.name for one in decision.stages] == [
        "raw", "tolerance", "stabilized", "rate_limited", "bounded", "final",
    ]  # fmt: skip
    assert (decision.version, decision.current, decision.desired) == (42, 2, 4)


def test_load_within_tolerance_changes_nothing():
    """52 % against 50 % is within 10 %: no action, but the raw number is still shown."""
    decision = decide(rule(), view(), cpu(0.52), history(), NOW)
    assert decision.action is None
    assert decision.reason is Reason.WITHIN_TOLERANCE
    assert stage(decision, "raw") == 5
    assert stage(decision, "final") == 4
    assert "within tolerance (cpu is at 52% of its limit, target 50%)" in decision.sentence


def test_load_below_target_scales_down():
    """20 % against 50 % on 4 tasks asks for 2; with no window that happens at once."""
    decision = decide(calm_rule(), view(), cpu(0.2), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(2), Reason.BELOW_TARGET)


def test_a_recent_higher_need_holds_scale_down():
    """A need of 4 was seen 80 s ago: scale-down waits out the rest of 5 minutes, and says so."""
    decision = decide(rule(), view(), cpu(0.2), history((80, 4)), NOW)
    assert (decision.action, decision.reason) == (None, Reason.STABILIZED)
    assert decision.sentence == (
        "web stays at 4 although 2 would do: a higher count was needed 80 s ago; "
        "scale-down waits another 3m40s"
    )
    assert decision.recheck_after == pytest.approx(220)
    assert condition(decision, "AbleToScale") == (True, "ScaleDownStabilized")


def test_scale_down_goes_as_far_as_the_window_allows():
    """From 8, with 6 needed a minute ago and 2 now: 6."""
    decision = decide(rule(), view(8), cpu(0.1, 8), history((60, 6)), NOW)
    assert decision.action == ScaleTo(6)
    assert "6 were needed 60 s ago" in decision.sentence


def test_the_first_look_at_a_service_never_scales_down():
    """A fresh history takes the size it finds as the first recommendation."""
    decision = decide(rule(), view(), cpu(0.1), replace(history(), started=False), NOW)
    assert (decision.action, decision.reason) == (None, Reason.STABILIZED)
    assert "first look" in decision.sentence


def test_an_up_window_waits_for_lasting_load():
    """With a minute of scale-up stabilization a need of 4 seen 10 s ago holds 8 back."""
    slow = rule(scale_up=up(window=60.0))
    decision = decide(slow, view(), cpu(1.0), history((10, 4)), NOW)
    assert (decision.action, decision.reason) == (None, Reason.STABILIZED)
    assert "scale-up waits another 50 s" in decision.sentence


def test_rates_bound_a_step_and_are_named():
    """4 tasks at five times the target ask for 20; at most +100 % or +4 per 15 s allow 8."""
    decision = decide(rule(most=50), view(), cpu(2.5), history(), NOW)
    assert (decision.action, decision.reason) == (ScaleTo(8), Reason.ABOVE_TARGET)
    assert "20 are wanted, the policies of scale_up allow this" in decision.sentence
    assert condition(decision, "ScalingLimited") == (True, "ScaleUpLimit")


def test_rates_that_are_used_up_allow_nothing():
    """All of the rate was used 5 s ago: RATE_LIMITED, to be looked at again 10 s later."""
    slow = rule(most=50, scale_up=up(policies=(Policy(PolicyType.REPLICAS, 2, 15.0),)))
    past = history(events=(event(5, 2),))
    decision = decide(slow, view(), cpu(1.0), past, NOW)
    assert (decision.action, decision.reason) == (None, Reason.RATE_LIMITED)
    assert decision.recheck_after == pytest.approx(10)
    later = replace(NOW, mono=NOW.mono + 10)
    assert decide(slow, view(), cpu(1.0), past, later).action == ScaleTo(6)


def test_a_disabled_direction_says_so():
    """select_policy disabled: no scale-down, and the sentence names the setting."""
    fixed = rule(scale_down=down(window=0.0, select_policy=SelectPolicy.DISABLED))
    decision = decide(fixed, view(), cpu(0.1), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.RATE_LIMITED)
    assert "the rule disables scale_down" in decision.sentence


def test_the_rising_window_is_believed_upwards_only():
    """Short-window load of 95 % beats a calm 50 %; a short dip to 5 % changes nothing."""
    rises = decide(rule(), view(2), cpu(0.5, 2, rising=0.95), history(), NOW)
    assert rises.action == ScaleTo(4)
    assert "95% of its limit over the last 5 s" in rises.sentence
    dips = decide(calm_rule(), view(2), cpu(0.5, 2, rising=0.05), history(), NOW)
    assert (dips.action, dips.reason) == (None, Reason.WITHIN_TOLERANCE)


def test_the_largest_of_several_metrics_wins():
    """CPU asks for 2, memory for 8 of 4: 8, and the sentence names memory."""
    memory = Metric("memory", MetricKind.MEMORY, Quantity(100 * 2.0**20))
    usage = Usage(
        {**cpu(0.25).samples, "memory": {f"task{n}": Sample(200 * 2.0**20, 0) for n in range(1, 5)}}
    )
    decision = decide(rule(metrics=(HALF_CPU, memory)), view(), usage, history(), NOW)
    assert decision.action == ScaleTo(8)
    assert "memory is at 200MiB per task, target 100MiB" in decision.sentence


def test_a_failing_metric_blocks_scale_down_but_not_up():
    """With no memory sample CPU may still ask for more, but not for less."""
    memory = Metric("memory", MetricKind.MEMORY, Quantity(100 * 2.0**20))
    both = calm_rule(metrics=(HALF_CPU, memory))
    low = decide(both, view(), cpu(0.1), history(), NOW)
    assert (low.action, low.reason) == (None, Reason.MISSING_SAMPLES)
    assert decide(both, view(), cpu(0.9), history(), NOW).action == ScaleTo(8)


def test_absolute_targets_need_no_request():
    """0.08 cores per task against 0.04: twice as many, without reservation or limit."""
    cores = rule(metrics=(Metric("cpu", MetricKind.CPU, Quantity(0.04)),))
    bare = view(of=service(4, cpu_limit=None))
    decision = decide(cores, bare, cpu(0.8), history(), NOW)
    assert decision.action == ScaleTo(8)
    assert "0.08 cores per task, target 0.04 cores" in decision.sentence


def test_a_share_of_nothing_is_an_explicit_error():
    """Neither reservation nor limit: no action, and what to set where is said."""
    auto = rule(metrics=(Metric("cpu", MetricKind.CPU, Quantity(0.6, Basis.AUTO)),))
    decision = decide(auto, view(of=service(4, cpu_limit=None)), cpu(1.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_REQUEST)
    assert "web has neither a CPU reservation nor a CPU limit" in decision.sentence
    assert "deploy.resources.reservations.cpus" in decision.sentence
    assert condition(decision, "ScalingActive") == (False, "FailedGetResourceMetric")


def test_auto_prefers_the_reservation():
    """0.05 cores are 50 % of a limit of 0.1, but 100 % of a reservation of 0.05."""
    auto = rule(metrics=(Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.AUTO)),))
    reserved = view(2, of=service(2, cpu_reservation=0.05))
    decision = decide(auto, reserved, cpu(0.5, 2), history(), NOW)
    assert decision.action == ScaleTo(4)
    assert "of its reservation" in decision.sentence


def test_starting_tasks_hold_further_scale_up():
    """Two of four tasks still start: 95 % on the other two is 47 % for all, so nothing is added."""
    tasks = [task(1), task(2), *(task(n, state=TaskState.STARTING) for n in (3, 4))]
    decision = decide(rule(), view(tasks=tasks), cpu({1: 0.95, 2: 0.95}), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)
    assert "still starting will take a part" in decision.sentence


def test_scale_down_waits_for_all_tasks():
    """One of four tasks is not running: its load may be out of sight, so nothing is removed."""
    decision = decide(
        calm_rule(), view(tasks=[task(1), task(2), task(3)]), cpu(0.1, 3), history(), NOW
    )
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)
    assert decision.recommendation == 4
    assert "only 3 of 4 tasks run" in decision.sentence


def test_a_task_too_fresh_to_judge_holds_scale_down():
    """A sample that covers 1 s tells nothing yet; it will by time alone 2 s later."""
    fresh = cpu(0.1, 3).samples["cpu"]
    usage = Usage({"cpu": {**fresh, "task4": Sample(0.001, 0.1, None, 1.0)}})
    decision = decide(calm_rule(), view(), usage, history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)
    assert decision.recheck_after == pytest.approx(2)


def test_few_ready_tasks_never_lower_the_count_under_load():
    """Two tasks at 75 % of four wanted ones ask for 3 by themselves; under load 4 stay."""
    decision = decide(calm_rule(), view(tasks=[task(1), task(2)]), cpu(0.75, 2), history(), NOW)
    assert decision.action is None
    assert stage(decision, "raw") == 3
    assert stage(decision, "tolerance") == 4


def test_inputs_tell_used_from_ignored():
    """Every task of the service is listed with its value, whether it counted, and why not."""
    tasks = [task(1), task(2, state=TaskState.STARTING), task(3), task(4, node_id="gone")]
    decision = decide(rule(), view(tasks=tasks), cpu({1: 0.5}), history(), NOW)
    seen = {one.task_id: (one.used, one.note) for one in decision.inputs}
    assert seen["task1"] == (True, "")
    assert seen["task2"] == (False, "does not run yet")
    assert seen["task3"] == (False, "no sample")
