"""Parts of the core asked by themselves, where a whole decision would not show the difference."""

from dataclasses import replace

import pytest

from monitor.decide import remember
from monitor.decide.band import Band, ratios
from monitor.decide.bounds import Binding, Range, Restrained, restrain
from monitor.decide.combine import Proposal, Source
from monitor.decide.conditions import failing
from monitor.decide.dispatch import decide
from monitor.decide.fallback import proposal
from monitor.decide.flapping import wait_before_down
from monitor.decide.guards import guard_recheck
from monitor.decide.holds import brake, doubt
from monitor.decide.measure import Level, Mean, Share
from monitor.decide.metric import gather, relevant_tasks
from monitor.decide.notice import notice
from monitor.decide.numbers import Numbers, Read, summed
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
from monitor.decide.propose import propose
from monitor.decide.readiness import Group, TaskFacts, Terms, classify, facts_of
from monitor.decide.reset import restoration
from monitor.decide.verdict import Case
from monitor.decide.waiting import longest_wait, stuck
from monitor.model.decision import Condition, Input
from monitor.model.history import Seen
from monitor.model.rule import Policy, PolicyType
from monitor.model.scalar import Formula, Per, ScalarMetric
from monitor.model.schedule import AfterDeployReset, Fallback
from monitor.model.task import TaskState
from monitor.model.tuning import HPA_TUNING, SWARM_TUNING
from monitor.model.usage import Sample, Usage
from tests.unit.decide import make
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    VERSION,
    calm_rule,
    cpu,
    event,
    history,
    numbers,
    queue,
    rule,
    task,
    view,
)

BAND = Tolerance(0.1, 0.1)


def test_the_band_without_tasks_to_count():
    """Nothing to multiply by: tolerance alone to the top, and no level is low enough."""
    assert ratios(Counting(4, BAND), 0) == (0.0, 1.1)
    assert ratios(Counting(4, BAND), 4) == (0.75, 1.1)
    assert ratios(Counting(4, BAND), 2) == (0.9, 2.0)


def test_what_binds_and_for_how_long():
    """The rate where it stops short of the bound; its wait only where the rate is what stops."""
    slow = (Policy(PolicyType.REPLICAS, 2, 60.0),)
    up, down = make.up(policies=slow), make.down(policies=slow)

    def limited(current, desired, bounds, events=()):
        return restrain(
            current, desired, bounds, up=up, down=down, events=events, now=NOW.mono, noise=0.0
        )

    assert limited(8, 1, Range(6, 20)) == Restrained(6, 6, Binding.MIN)
    assert limited(8, 1, Range(5, 20)) == Restrained(6, 6, Binding.DOWN_RATE)
    assert limited(8, 20, Range(1, 10)) == Restrained(10, 10, Binding.MAX)
    lately = (event(10, -1),)
    assert limited(8, 7, Range(8, 20), lately) == Restrained(7, 8, Binding.MIN)
    assert limited(8, 6, Range(1, 20), lately) == Restrained(7, 7, Binding.DOWN_RATE, 50.0)
    risen = (event(10, 1),)
    assert limited(8, 9, Range(1, 8), risen) == Restrained(9, 8, Binding.MAX)
    assert limited(8, 10, Range(1, 20), risen) == Restrained(9, 9, Binding.UP_RATE, 50.0)


def test_one_more_replica_is_a_turn():
    """After the smallest step up the next step down turns, and none is allowed."""
    assert wait_before_down((event(600, 1),), 0, NOW.mono) == 3000.0
    assert wait_before_down((event(600, -1),), 0, NOW.mono) is None
    assert wait_before_down((event(600, 1),), 1, NOW.mono) is None
    assert wait_before_down((), 0, NOW.mono) is None


def test_when_a_guard_may_end_by_itself():
    """Only after somebody else's change, and only while its two seconds last."""
    young = view(version_since=NOW.mono - 0.5)
    assert guard_recheck(young, 1, NOW) == 1.5
    assert guard_recheck(young, VERSION, NOW) is None
    old = view(tasks=[task(1, template="old")], version_since=NOW.mono - 2)
    assert guard_recheck(old, 1, NOW) is None


def test_what_has_failed_says_which_source():
    """A source that nobody knows is no failed reading of one."""
    unknown = Proposal("x", Source.UNKNOWN, Fault.UNKNOWN_SOURCE, "what is x")
    known = Proposal("x", Source.PODS, Fault.NO_SAMPLES, "no x")
    assert failing(unknown) == Condition(
        "ScalingActive", False, "InvalidMetricSourceType", "what is x"
    )
    assert failing(known) == Condition("ScalingActive", False, "FailedGetPodsMetric", "no x")


def test_a_fallback_stands_for_what_failed():
    """Of the failed metric's name and source, on its target, with the fallback's count."""
    six = rule(metrics=(queue(),), fallback=Fallback(6, 120.0))
    case = Case(six, view(8), history(failing_since=NOW.mono - 120), NOW)
    failure = Proposal("queue", Source.EXTERNAL, Fault.SOURCE_FAILED, "no answer")
    found = proposal(case, six, failure)
    assert found == Proposal(
        "queue",
        Source.EXTERNAL,
        Wanted(8, 6, Level(1.0, 0.0, 0)),
        "no metric could be followed for 2m, so it has at least 6 (no answer)",
    )


def test_proposals_say_where_they_come_from():
    """Metric and source of each, and why the failing ones failed."""
    latency = queue(0.02, name="latency", per=Per.TOTAL)
    metrics = (HALF_CPU, queue(), queue(0.0, name="jobs"), latency)
    asked = rule(metrics=metrics)
    starting = view(2, tasks=[task(n, state=TaskState.STARTING) for n in (1, 2)])

    def outcomes(seen, usage):
        return [(p.metric, p.source, p.outcome) for p in propose(asked, seen, usage, NOW.mono)[0]]

    assert outcomes(starting, numbers(None, 1.0, "refused", latency=3.0, jobs=1.0)) == [
        ("cpu", Source.RESOURCE, Fault.NO_SAMPLES),
        ("queue", Source.EXTERNAL, Fault.SOURCE_FAILED),
        ("jobs", Source.EXTERNAL, Fault.SOURCE_FAILED),
        ("latency", Source.EXTERNAL, Fault.NO_TASKS),
    ]
    fine = replace(cpu(0.5), numbers=numbers(40.0, latency=0.02).numbers)
    assert [one[:2] for one in outcomes(view(), fine)] == [
        ("cpu", Source.RESOURCE),
        ("queue", Source.EXTERNAL),
        ("jobs", Source.EXTERNAL),
        ("latency", Source.EXTERNAL),
    ]


def test_the_band_of_a_number_at_zero_replicas():
    """Whatever is above 0 asks for one."""
    (found,), _ = propose(rule(0, metrics=(queue(),)), view(0), numbers(3.0), NOW.mono)
    assert found.band == Band("", "0")


def test_shares_leave_out_who_has_no_request():
    """Wherever that one comes in the order; what is missing counts in full, in whole units."""
    share = Share({"a": 100, "b": 300, "c": None}, 50.0, whole=False)
    assert share.level({"c": 7, "a": 50, "b": 50}) == share.level({"a": 50, "b": 50, "c": 7})


def test_held_back_by_the_fill_in():
    """A fill-in may not turn the direction, nor is anything held where the count stays anyway."""

    def group(**members):
        return Group(**{name: tuple(ids) for name, ids in members.items()})

    full = Share(dict.fromkeys("abcd", 100), 50.0, whole=False)
    asked = per_task({"a": 40}, group(ready="a", missing="bcd"), full, Counting(4, BAND))
    assert (asked.replicas, asked.raw, asked.held) == (4, 7, Held.MISSING)
    mean = Mean(10, whole=False)
    low = per_task(
        dict.fromkeys("abc", 8), group(ready="abc", missing="d"), mean, Counting(4, BAND)
    )
    assert (low.replicas, low.held) == (4, None)
    high = per_task(
        dict.fromkeys("abc", 16), group(ready="abc", missing="d"), mean, Counting(5, BAND)
    )
    assert (high.replicas, high.held) == (5, None)
    exact = group(ready="ab", unready="c", missing="d")
    assert per_task({"a": 10, "b": 10}, exact, mean, Counting(4, BAND)).replicas == 4
    theirs = Counting(4, BAND, strangers=True)
    known = per_task({"a": 10, "x": 10}, group(ready="a", unready="b"), mean, theirs)
    assert known.raw == 1


def test_sums_say_whose_samples_they_lack():
    """Missing and fresh tasks both go along, whether there is a sum or not."""
    fresh = {**cpu(0.5, 2).samples["cpu"], "task3": Sample(0.05, 0.1, None, 1.0)}
    for seen, read in (
        (view(3), Read(0.1, "", (), ("task3",))),
        (view(4), Read(None, "1 task without a cpu sample", ("task4",), ("task3",))),
    ):
        tasks = relevant_tasks(seen)
        assert summed(gather(rule(), HALF_CPU, seen, tasks, fresh, now=NOW.mono)) == read
    new = {"task1": Sample(0.05, 0.1, None, 1.0)}
    none = gather(rule(), HALF_CPU, view(1), relevant_tasks(view(1)), new, now=NOW.mono)
    assert summed(none) == Read(None, "1 task too fresh for cpu", (), ("task1",))


def test_numbers_are_worked_out_once():
    """Asked again it is the very same answer; what does not exist has none."""
    load = ScalarMetric("load", Formula("queue * 2"), 10.0)
    found = Numbers(rule(metrics=(queue(), load)), view(), numbers(4.0), {})
    assert found.of("load").value == 8.0
    assert found.of("load") is found.of("load")
    assert found.of("nobody") == Read(None, "there is no metric nobody")


def test_facts_of_a_running_task():
    """Running and ready since the same moment, sampled half a second ago."""
    seen = view(1, running_since={"task1": 70.0})
    facts = facts_of(seen, task(1), Sample(1.0, 0.5), Terms(SWARM_TUNING, 100.0, 15.0))
    assert (facts.started_at, facts.ready_since, facts.sampled_at) == (70.0, 70.0, 99.5)


def test_the_end_of_an_initialization_period():
    """Exactly 300 s after its start a pod counts, however short it has been ready."""
    facts = TaskFacts("a", False, True, True, 0.0, 290.0, sampled_at=299.0, window=60.0)
    assert classify(facts, 300.0, HPA_TUNING, cpu=True).value == "ready"
    assert classify(facts, 299.9, HPA_TUNING, cpu=True).value == "unready"


def test_why_a_sample_is_not_used():
    """At the very edges: just not too old but no number; warm but too fresh."""
    seen = view(2, running_since={"task2": NOW.mono - 30})
    samples = {"task1": Sample(float("inf"), 5.0), "task2": Sample(1.0, 0.1, None, 1.0)}
    warm = rule(warm_up=30.0)
    found = gather(warm, HALF_CPU, seen, relevant_tasks(seen), samples, now=NOW.mono).inputs
    assert found == (
        Input("cpu", "task1", float("inf"), False, "sample is no number"),
        Input("cpu", "task2", 1.0, False, "too fresh to judge"),
    )


def test_doubt_ends_with_the_first_sample_that_is_old_enough():
    """The shortest wait of all metrics; None where none is known."""
    case = Case(rule(), view(), history(), NOW)
    outcome = Wanted(1, 1, Level(0.2, 20.0, 1))
    asked = [
        Proposal("cpu", Source.RESOURCE, outcome, "", unready=("task1",), recheck=wait)
        for wait in (None, 2.0, 1.5)
    ]
    assert [doubt(case, rule(), asked[:n]).wait for n in (1, 2, 3)] == [None, 2.0, 1.5]


def test_nothing_brakes_what_does_not_move():
    """A cooldown holds changes, not the count there is."""
    cool = rule(scale_up=make.up(cooldown=60.0), scale_down=make.down(cooldown=60.0))
    case = Case(cool, view(), history(events=(event(20, 1),)), NOW)
    assert [brake(case, cool, wanted) is None for wanted in (3, 4, 5)] == [False, True, False]


def test_waiting_tasks_that_nobody_saw_begin():
    """They wait from now on; where none waits nobody waits long."""
    waits = [task(n, state=TaskState.PENDING, node_id="") for n in (2, 3)]
    seen = view(3, tasks=[task(1), *waits], pending_since={"task2": NOW.mono - 20})
    assert stuck(seen, NOW.mono) == {"task2"}
    assert longest_wait(seen, NOW.mono) == 20.0
    assert longest_wait(view(), NOW.mono) == 0.0


def test_only_a_reset_is_put_right():
    """A number below ours that no deploy has set is left to load."""
    restore = rule(after_deploy_reset=AfterDeployReset.RESTORE)
    for reset in (False, True):
        case = Case(restore, view(2), history(set_by_us=8, reset=reset), NOW)
        assert (restoration(case, restore) is not None) is reset


def test_what_ends_with_what_is_noticed():
    """Our own number ends a reset, and any number above 0 a person's zero."""
    past = history(set_by_us=4, own_version=2, reset=True, zero_by_user=True, seen=Seen(1, 2, "t"))
    after = replace(past, seen=Seen(2, 4, "t"), reset=False, zero_by_user=False)
    assert notice(past, Seen(2, 4, "t")) == after
    ours = history(set_by_us=0, scaled_to_zero_by_us=True, own_version=1, seen=Seen(1, 0, "t"))
    raised = replace(ours, set_by_us=None, scaled_to_zero_by_us=False, seen=Seen(2, 3, "t"))
    assert notice(ours, Seen(2, 3, "t")) == raised


def test_out_of_touch_nothing_is_forgotten():
    """Whatever the decision says, the history stays as it is."""
    past = history((5, 3), holding=(("k", 1.0),), seen=Seen(VERSION, 4, "t"))
    assert remember(past, decide(calm_rule(), view(fresh=False), Usage(), past, NOW)) == past


@pytest.mark.parametrize("ratio", [0.9, 1.1])
def test_on_the_edge_of_the_band_totals_stay(ratio):
    """Tolerance is inclusive for a service's number as well."""
    found = from_value(round(ratio * 100), 100, 4, 4, Counting(4, BAND))
    assert found.replicas == 4
    assert from_average(round(ratio * 400), 100, 4, Counting(4, BAND)).replicas == 4
