"""Missing and stale samples: never a reason to scale down."""

import math
from dataclasses import replace

import pytest

from monitor.decide import decide
from monitor.model.action import ScaleTo
from monitor.model.node import NodeState
from monitor.model.reason import Reason
from monitor.model.rule import MissingSamples
from monitor.model.tuning import HPA_TUNING, Count
from monitor.model.usage import Sample, Usage
from tests.unit.decide.make import NOW, calm_rule, cpu, history, node, rule, task, view

HPA = {"missing_samples": MissingSamples.HPA, "tuning": HPA_TUNING}


def test_no_sample_at_all_means_no_action():
    """Nothing is known: nothing is done, and the size in force is remembered as needed."""
    decision = decide(calm_rule(), view(), Usage(), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    assert decision.recommendation == 4


def test_one_missing_sample_holds_scale_down():
    """Three idle tasks and one unknown one: four stay, and the sentence says why."""
    usage = cpu({1: 0.01, 2: 0.01, 3: 0.01})
    decision = decide(calm_rule(), view(), usage, history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    assert "1 task without a sample" in decision.sentence


def test_the_autoscalers_fill_in_can_be_chosen():
    """The same with `missing_samples: hpa`: the unknown task counts as 100 %, and 2 do."""
    usage = cpu({1: 0.01, 2: 0.01, 3: 0.01})
    decision = decide(calm_rule(**HPA), view(), usage, history(), NOW)
    assert decision.action == ScaleTo(2)


@pytest.mark.parametrize("share", [0.8, 0.95, 1.5])
def test_scale_up_on_partial_data_is_that_of_the_fill_in(share):
    """A missing task counts as idle when load is high, whatever mode is chosen."""
    usage = cpu({1: share, 2: share, 3: share})
    ours = decide(rule(), view(), usage, history(), NOW)
    hpa = decide(rule(**HPA), view(), usage, history(), NOW)
    assert ours.recommendation == hpa.recommendation == math.ceil(share / 0.5 * 3)


def test_a_stale_sample_is_a_missing_one():
    """A sample of 6 s ago may say anything about now."""
    samples = dict(cpu(0.01).samples["cpu"])
    samples["task4"] = replace(samples["task4"], age=6.0)
    decision = decide(calm_rule(), view(), Usage({"cpu": samples}), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    notes = {one.task_id: one.note for one in decision.inputs}
    assert notes["task4"] == "sample is 6 s old"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_is_a_missing_one(value):
    """A broken reading neither scales nor breaks the decision."""
    samples = {**cpu(0.01).samples["cpu"], "task4": Sample(value, 0.1, value, 15)}
    decision = decide(calm_rule(), view(), Usage({"cpu": samples}), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)


@pytest.mark.parametrize("state", [NodeState.UNKNOWN, NodeState.DISCONNECTED])
def test_tasks_on_silent_nodes_are_missing(state):
    """Every election sets nodes to unknown: their tasks still count, without samples."""
    tasks = [task(1), task(2), task(3), task(4, node_id="n2")]
    seen = view(tasks=tasks, nodes=[node("n2", state)])
    decision = decide(calm_rule(), seen, cpu(0.01, 3), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)


def test_a_lost_node_is_not_falling_load():
    """A down node's task is out of the count, and scale-down waits for its replacement."""
    tasks = [task(1), task(2), task(3), task(4, node_id="n2")]
    seen = view(tasks=tasks, nodes=[node("n2", NodeState.DOWN)])
    decision = decide(calm_rule(), seen, cpu(0.01), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)


def test_counting_replicas_instead_of_ready_tasks():
    """Two of four tasks measured at 75 %: counting replicas asks for 6, counting ready ones 4."""
    seen = view(tasks=[task(1), task(2)])
    by_replicas = decide(rule(count=Count.REPLICAS), seen, cpu(0.75, 2), history(), NOW)
    assert by_replicas.action == ScaleTo(6)
    assert decide(rule(), seen, cpu(0.75, 2), history(), NOW).action is None
