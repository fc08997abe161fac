"""Metrics that are one number for the whole service, and formulas over them."""

import math

import pytest

from monitor.decide import decide
from monitor.model.action import ScaleTo
from monitor.model.node import NodeState
from monitor.model.reason import Reason
from monitor.model.rule import Basis, Metric, Quantity
from monitor.model.scalar import (
    Formula,
    JsonUrl,
    Number,
    Per,
    PrometheusQuery,
    ScalarMetric,
    TasksPending,
)
from monitor.model.task import TaskState
from monitor.model.tuning import Count
from monitor.model.usage import MetricKind, Sample, Usage
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    calm_rule,
    condition,
    cpu,
    history,
    later,
    node,
    numbers,
    queue,
    rule,
    service,
    stage,
    task,
    view,
)

CORES = Metric("cpu", MetricKind.CPU, None)


def computed(expression, target=10.0, **changes):
    return ScalarMetric("load", Formula(expression), target, **changes)


@pytest.mark.parametrize(
    ("value", "replicas"),
    [(81.0, 9), (80.0, 8), (44.5, 5), (44.0, 4), (36.0, 4), (35.0, 4), (30.0, 3), (0.0, 1)],
)
def test_a_number_per_replica_is_divided_by_its_target(value, replicas):
    """4 replicas, 10 each: ceil(value / 10) beyond 10 % of 40, else as it is."""
    decision = decide(
        calm_rule(metrics=(queue(),), scale_up=rule().scale_up), view(), numbers(value), history(),
        NOW,
    )  # fmt: skip
    assert decision.desired == min(replicas, 8)


def test_a_number_in_total_multiplies_the_ready_tasks():
    """A latency of 30 ms against 20 ms on 4 tasks asks for 6, and of 10 ms for 2."""
    latency = calm_rule(metrics=(queue(0.02, per=Per.TOTAL),))
    up = decide(latency, view(), numbers(0.03), history(), NOW)
    assert up.action == ScaleTo(6)
    assert up.sentence == "web: 4 -> 6 replicas: queue is at 0.03, target 0.02"
    assert decide(latency, view(), numbers(0.01), history(), NOW).action == ScaleTo(2)
    assert decide(latency, view(), numbers(0.0219), history(), NOW).action is None


def test_a_number_in_total_counts_tasks_as_the_rule_says():
    """Two of four tasks run: a ratio of 2.5 asks for 5 by ready tasks, for 10 by replicas."""
    tasks = [task(1), task(2), task(3, state=TaskState.STARTING), task(4, state=TaskState.STARTING)]
    seen = view(tasks=tasks)
    latency = rule(most=20, metrics=(queue(1.0, per=Per.TOTAL),))
    assert stage(decide(latency, seen, numbers(2.5), history(), NOW), "raw") == 5
    whole = rule(most=20, metrics=(queue(1.0, per=Per.TOTAL),), count=Count.REPLICAS)
    assert stage(decide(whole, seen, numbers(2.5), history(), NOW), "raw") == 10


def test_the_sentence_and_the_input_show_the_number():
    """A scalar's input belongs to no task; its condition names an external metric."""
    decision = decide(rule(metrics=(queue(),)), view(), numbers(62.0), history(), NOW)
    assert decision.sentence == "web: 4 -> 7 replicas: queue is at 62, target 10 per replica"
    assert [(one.metric, one.task_id, one.value, one.used) for one in decision.inputs] == [
        ("queue", "", 62.0, True)
    ]
    assert condition(decision, "ScalingActive") == (True, "ValidMetricFound")


@pytest.mark.parametrize(
    ("usage", "problem"),
    [
        (Usage(), "queue has not been read yet"),
        (numbers(None, 1.0, "timeout after 5 s"), "queue could not be read: timeout after 5 s"),
        (numbers(None, 1.0), "queue could not be read: no reason is known"),
        (numbers(math.nan), "queue is nan, which is no number to scale by"),
        (numbers(math.inf), "queue is inf, which is no number to scale by"),
        (numbers(-1.0), "queue is -1; below zero no replicas can be worked out"),
        (numbers(1.0, 30.5), "queue was last read 30 s ago"),
        (numbers(1.0, 31.0, "refused"), "queue was last read 31 s ago (refused)"),
    ],
)
def test_a_number_that_cannot_be_believed_changes_nothing(usage, problem):
    """What failed, is no number, negative or stale asks for nothing and says why."""
    decision = decide(calm_rule(metrics=(queue(),)), view(), usage, history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    assert decision.sentence == f"web stays at 4: {problem}"
    assert condition(decision, "ScalingActive") == (False, "FailedGetExternalMetric")
    assert (decision.failing, decision.recommendation) == (True, 4)
    assert [(one.used, one.note) for one in decision.inputs] == [(False, problem)]


def test_a_number_is_stale_after_three_intervals():
    """Read every 20 s it counts for 60 s; read every 5 s for 30 s."""
    slow = calm_rule(metrics=(queue(source=PrometheusQuery("q", interval=20.0)),))
    assert decide(slow, view(), numbers(10.0, 60.0), history(), NOW).action == ScaleTo(1)
    assert decide(slow, view(), numbers(10.0, 60.5), history(), NOW).action is None
    fast = calm_rule(metrics=(queue(source=JsonUrl("u", "p", interval=5.0)),))
    assert decide(fast, view(), numbers(10.0, 30.0), history(), NOW).action == ScaleTo(1)
    assert decide(fast, view(), numbers(10.0, 30.5), history(), NOW).action is None


def test_zero_is_a_number():
    """An empty queue is calm, not missing."""
    decision = decide(calm_rule(), view(), cpu(0.1), history(), NOW)
    assert decision.action == ScaleTo(1)
    assert decide(calm_rule(metrics=(queue(),)), view(), numbers(0.0), history(), NOW).action == (
        ScaleTo(1)
    )


def test_a_target_of_zero_is_an_error_not_a_crash():
    """Nothing is divided by zero, whatever a rule says."""
    decision = decide(rule(metrics=(queue(0.0),)), view(), numbers(5.0), history(), NOW)
    assert "write one above 0" in decision.sentence


def test_huge_and_tiny_numbers_are_rounded_without_noise():
    """A ratio of exactly 3 asks for 3 whatever the magnitude, and a huge one is clamped."""
    for scale in (1e-9, 1.0, 1e12):
        noisy = (0.1 + 0.2) * 10 * scale
        decision = decide(
            calm_rule(metrics=(queue(scale),)), view(), numbers(noisy), history(), NOW
        )
        assert decision.action == ScaleTo(3)
    assert decide(rule(most=9, metrics=(queue(1e-300),)), view(8), numbers(1e300), history(),
                  NOW).action == ScaleTo(9)  # fmt: skip


def test_the_largest_of_numbers_and_usage_wins_and_a_failing_one_blocks_scale_down():
    """CPU asks for 2 and the queue for 6: 6; with the queue unread CPU may not lower the count."""
    both = calm_rule(metrics=(HALF_CPU, queue()))
    usage = Usage(cpu(0.25).samples, numbers(60.0).numbers)
    assert decide(both, view(), usage, history(), NOW).action == ScaleTo(6)
    unread = decide(both, view(), cpu(0.25), history(), NOW)
    assert (unread.action, unread.reason) == (None, Reason.MISSING_SAMPLES)
    assert decide(both, view(), cpu(0.9), history(), NOW).action == ScaleTo(8)


def test_waiting_tasks_are_a_number():
    """2 of 4 tasks wait for a node; ended ones and those on their way do not count."""
    tasks = [
        task(1), task(2, state=TaskState.PENDING), task(3, state=TaskState.NEW),
        task(4, state=TaskState.ASSIGNED),
        task(5, state=TaskState.PENDING, desired_state=TaskState.SHUTDOWN),
    ]  # fmt: skip
    pending = rule(metrics=(ScalarMetric("waiting", TasksPending(), 0.5),))
    decision = decide(pending, view(tasks=tasks), Usage(), history(), NOW)
    assert decision.inputs[0].value == 2.0
    assert stage(decision, "raw") == 4


def test_a_formula_is_made_of_other_numbers():
    """(queue - 20) * 2 with a queue of 45, target 10 each: 5; inputs alone ask for nothing."""
    load = rule(metrics=(queue(None), computed("(queue - 20) * 2")))
    decision = decide(load, view(), numbers(45.0), history(), NOW)
    assert decision.action == ScaleTo(5)
    assert [(one.metric, one.value) for one in decision.inputs] == [("queue", 45.0), ("load", 50.0)]


def test_a_formula_may_take_usage_as_the_sum_of_all_tasks():
    """4 tasks at 0.09 of 0.1 cores are 0.36 cores; at a target of 0.05 each that asks for 8."""
    load = rule(metrics=(CORES, computed("cpu", 0.05)))
    decision = decide(load, view(), cpu(0.9), history(), NOW)
    assert decision.action == ScaleTo(8)
    assert "load is at 0.36, target 0.05 per replica" in decision.sentence


def test_a_sum_that_lacks_a_part_is_no_sum():
    """One of four tasks without a sample: the formula fails, unless it says what to take then."""
    usage = cpu({1: 0.1, 2: 0.1, 3: 0.1})
    plain = decide(calm_rule(metrics=(CORES, computed("cpu"))), view(), usage, history(), NOW)
    assert "load has no value: 1 task without a cpu sample" in plain.sentence
    assert plain.action is None
    excused = calm_rule(metrics=(CORES, computed("default(cpu, 0)")))
    held = decide(excused, view(), usage, history(), NOW)
    assert (held.action, held.reason) == (None, Reason.MISSING_SAMPLES)


def test_a_sum_of_starting_tasks_is_not_known_yet():
    """While no task has a sample worth judging a formula of usage waits."""
    tasks = [task(n, state=TaskState.STARTING) for n in (1, 2)]
    load = rule(metrics=(CORES, computed("cpu")))
    decision = decide(load, view(2, tasks=tasks), Usage(), history(), NOW)
    assert "2 tasks too fresh for cpu" in decision.sentence


def test_a_fresh_task_in_a_sum_holds_scale_down():
    """Three calm tasks and one that has just started: a formula does not lower the count yet."""
    fresh = {**cpu(0.1, 3).samples["cpu"], "task4": Sample(0.001, 0.1, None, 1.0)}
    load = calm_rule(metrics=(CORES, computed("cpu")))
    decision = decide(load, view(), Usage({"cpu": fresh}), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)


def test_tasks_on_their_way_out_are_no_part_of_a_sum():
    """A task on a lost node adds nothing, and takes nothing away."""
    tasks = [task(1), task(2, node_id="gone")]
    seen = view(2, tasks=tasks, nodes=[node("gone", state=NodeState.DOWN)])
    load = rule(metrics=(CORES, computed("cpu", 0.04)))
    decision = decide(load, seen, cpu(0.9, 2), history(), NOW)
    assert decision.inputs[-1].value == pytest.approx(0.09)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("queue / 0", "load has no value: it divides by zero"),
        ("load + 1", "load is a formula of itself"),
        ("nobody", "there is no metric nobody"),
        ("queue -", "load is no formula"),
        ("0 - queue", "load is -5; below zero"),
        ("queue ** 2", "not part of formulas"),
    ],
)
def test_a_formula_without_a_value_fails_as_any_metric(expression, problem):
    """Each fault is a sentence, and nothing is scaled by it."""
    load = calm_rule(metrics=(queue(None), computed(expression)))
    decision = decide(load, view(), numbers(5.0), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    assert problem in decision.sentence


def test_an_input_may_be_below_zero():
    """Only what replicas are worked out of must not be."""
    load = rule(metrics=(queue(None), computed("0 - queue")))
    assert decide(load, view(), numbers(-50.0), history(), NOW).action == ScaleTo(5)


def test_formulas_of_formulas():
    """One formula may speak of another, in whatever order they are written."""
    double = ScalarMetric("double", Formula("queue * 2"), None)
    load = rule(metrics=(computed("double + 10"), double, queue(None)))
    assert decide(load, view(), numbers(20.0), history(), NOW).action == ScaleTo(5)


def test_network_traffic_is_per_task_and_absolute():
    """3 MiB/s per task against 2 MiB/s on 4 tasks asks for 6; a missing sample holds."""
    mib = 2.0**20
    traffic = Metric("rx", MetricKind.NETWORK_RECEIVE, Quantity(2 * mib))
    samples = {f"task{n}": Sample(3 * mib, 0.5) for n in range(1, 5)}
    the_rule = calm_rule(metrics=(traffic,))
    decision = decide(the_rule, view(), Usage({"rx": samples}), history(), NOW)
    assert decision.action == ScaleTo(6)
    assert "rx is at 3MiB/s per task, target 2MiB/s" in decision.sentence
    calm = {f"task{n}": Sample(0.1 * mib, 0.5) for n in range(1, 4)}
    held = decide(the_rule, view(), Usage({"rx": calm}), history(), NOW)
    assert held.reason is Reason.MISSING_SAMPLES


def test_traffic_is_no_share_of_anything():
    """A share of the traffic is an explicit error that says what to write."""
    traffic = Metric("tx", MetricKind.NETWORK_TRANSMIT, Quantity(0.5, Basis.AUTO))
    samples = {f"task{n}": Sample(1.0, 0.5) for n in range(1, 5)}
    decision = decide(rule(metrics=(traffic,)), view(), Usage({"tx": samples}), history(), NOW)
    assert decision.reason is Reason.MISSING_REQUEST
    assert "bytes per second (5MiB)" in decision.sentence


def test_a_rule_without_metrics_keeps_to_its_bounds():
    """Schedules alone may move a service: within the bounds nothing is done."""
    bounds = rule(2, 6, metrics=())
    inside = decide(bounds, view(), Usage(), history(), NOW)
    assert (inside.action, inside.reason, inside.desired) == (None, Reason.WITHIN_TOLERANCE, 4)
    assert decide(bounds, view(1), Usage(), history(), NOW).action == ScaleTo(2)
    assert decide(bounds, view(7), Usage(), history(), NOW).action == ScaleTo(6)


def test_a_number_beside_none_of_whose_tasks_runs():
    """A total has nothing to multiply while no task runs; a number per replica has."""
    tasks = [task(n, state=TaskState.STARTING) for n in (1, 2)]
    seen = view(tasks=tasks, of=service(2))
    total = decide(rule(metrics=(queue(1.0, per=Per.TOTAL),)), seen, numbers(3.0), history(), NOW)
    assert "none of web's tasks runs" in total.sentence
    assert decide(rule(metrics=(queue(1.0),)), seen, numbers(3.0), history(), NOW).action == (
        ScaleTo(3)
    )


def test_a_later_age_is_the_only_clock_of_a_number():
    """The same number at another moment decides the same."""
    one = decide(calm_rule(metrics=(queue(),)), view(), numbers(62.0), history(), NOW)
    two = decide(calm_rule(metrics=(queue(),)), view(), numbers(62.0), history(), later(500))
    assert one.desired == two.desired == 7


def test_a_number_of_another_metric_is_not_taken():
    """Numbers are found by name alone."""
    usage = Usage(numbers={"other": Number(100.0, 1.0)})
    decision = decide(calm_rule(metrics=(queue(),)), view(), usage, history(), NOW)
    assert "has not been read yet" in decision.sentence
