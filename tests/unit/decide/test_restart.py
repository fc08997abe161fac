"""Restart rules: conditions per task, over time, with budget and back-off."""

from dataclasses import replace

import pytest

from monitor.decide import decide, metrics_of, record_write, remember
from monitor.model.action import ForceUpdate
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import (
    AllOf,
    AnyOf,
    Backoff,
    Basis,
    Budget,
    ConditionKind,
    Quantity,
    RestartRule,
    TaskCondition,
)
from monitor.model.selector import Selector
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.task import TaskState
from monitor.model.usage import Sample, Usage
from tests.unit.decide.make import LIMIT, NOW, VERSION, service, task, view

GIB = float(1 << 30)
MEMORY = TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(0.9, Basis.LIMIT), 60.0)
BUSY = TaskCondition(ConditionKind.CPU_ABOVE, Quantity(0.9, Basis.LIMIT), 30.0)
START = History(started=True, own_version=VERSION)


def rule(when=MEMORY, **changes):
    return RestartRule(name="leak", selector=Selector(names=("web",)), when=when, **changes)


def memory(shares, cpu=None, age=0.5):
    """Samples by slot, as shares of the limits; None: no sample."""
    found = {"memory": shares, "cpu": cpu or {}}
    units = {"memory": GIB, "cpu": LIMIT}
    return Usage(
        {
            name: {
                f"task{slot}": Sample(share * units[name], age)
                for slot, share in by_slot.items()
                if share is not None
            }
            for name, by_slot in found.items()
        }
    )


def at(seconds):
    return Now(NOW.mono + seconds, NOW.wall)


def play(the_rule, steps, seen=None, past=START):
    """Decides at each (seconds, usage), remembering; returns the last decision and history."""
    decision = None
    for seconds, usage in steps:
        decision = decide(the_rule, seen or view(2), usage, past, at(seconds))
        past = remember(past, decision)
    return decision, past


HIGH, LOW, NONE = memory({1: 0.95, 2: 0.2}), memory({1: 0.5, 2: 0.2}), memory({2: 0.2})


def test_a_lasting_condition_restarts_the_service_once():
    """Over the bound for all of `for`: one ForceUpdate; the new tasks start from nothing."""
    decision, past = play(rule(), [(0, HIGH), (30, HIGH), (60, HIGH)])
    assert (decision.action, decision.reason) == (ForceUpdate(), Reason.CONDITION_MET)
    assert decision.sentence == ("web: restart, task 1 is at 95% of memory, bound 90%, for 60 s")
    past = record_write(past, decision, at(60))
    fresh = [task(1, id="new1"), task(2, id="new2")]
    usage = Usage({"memory": {"new1": Sample(0.95 * GIB, 0.1), "new2": Sample(0.95 * GIB, 0.1)}})
    again = decide(rule(), view(2, tasks=fresh), usage, past, at(61))
    assert (again.action, again.reason) == (None, Reason.CONDITION_NOT_MET)


def test_before_its_time_a_condition_only_counts():
    """After 20 of 60 s: nothing, to be looked at again after the other 40."""
    decision, _ = play(rule(), [(0, HIGH), (20, HIGH)])
    assert (decision.action, decision.reason) == (None, Reason.CONDITION_NOT_MET)
    assert decision.recheck_after == pytest.approx(40)
    assert "for 20 s, the rule waits for 60 s" in decision.sentence


def test_a_dip_starts_the_time_over():
    """Below the bound once in between: the time counts from the next rise."""
    decision, _ = play(rule(), [(0, HIGH), (50, LOW), (55, HIGH), (100, HIGH)])
    assert decision.action is None
    later, _ = play(rule(), [(0, HIGH), (50, LOW), (55, HIGH), (100, HIGH), (115, HIGH)])
    assert later.action == ForceUpdate()


def test_a_short_gap_is_bridged_but_does_not_act():
    """10 s without a sample neither satisfy the condition nor reset it."""
    gap, past = play(rule(), [(0, HIGH), (55, NONE), (61, NONE)])
    assert gap.action is None
    after, _ = play(rule(), [(65, HIGH)], past=past)
    assert after.action == ForceUpdate()


def test_a_long_gap_starts_the_time_over():
    """More than 15 s without a sample: what held before is forgotten."""
    decision, _ = play(rule(), [(0, HIGH), (30, NONE), (46, NONE), (60, HIGH), (70, HIGH)])
    assert decision.action is None
    assert dict(decision.holding).popitem()[1] == NOW.mono + 60


def test_missing_data_never_starts_a_condition():
    """No samples at all: nothing holds, and the reason says what is missing."""
    decision, _ = play(rule(), [(0, Usage()), (100, Usage())])
    assert (decision.action, decision.reason) == (None, Reason.MISSING_SAMPLES)
    assert decision.holding == ()


def test_a_stale_sample_is_a_missing_one():
    """A value of 6 s ago does not count towards the time."""
    old = memory({1: 0.95, 2: 0.2}, age=6.0)
    decision, _ = play(rule(), [(0, old), (100, old)])
    assert (decision.action, decision.holding) == (None, ())


def test_all_must_hold_for_the_same_task():
    """Memory of one task and CPU of another are not both of one task."""
    both = rule(AllOf((MEMORY, BUSY)))
    split = memory({1: 0.95, 2: 0.2}, {1: 0.1, 2: 0.95})
    assert play(both, [(0, split), (60, split)])[0].action is None
    same = memory({1: 0.95, 2: 0.2}, {1: 0.95, 2: 0.1})
    assert play(both, [(0, same), (60, same)])[0].action == ForceUpdate()


def test_any_needs_one():
    """CPU alone is enough, after its own time of 30 s."""
    either = rule(AnyOf((MEMORY, BUSY)))
    busy = memory({1: 0.2, 2: 0.2}, {1: 0.95, 2: 0.1})
    assert play(either, [(0, busy), (29, busy)])[0].action is None
    assert play(either, [(0, busy), (30, busy)])[0].action == ForceUpdate()


def test_absolute_thresholds():
    """500 MiB as such need no limit."""
    plain = rule(TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(GIB / 2), 0.0))
    decision = decide(plain, view(2, of=service(2, memory_limit=None)), HIGH, START, NOW)
    assert decision.action == ForceUpdate()
    assert "is at 972.8MiB of memory, bound 512MiB" in decision.sentence


def test_a_share_of_nothing_is_an_explicit_error():
    """No memory limit: not judged, and what to set is said."""
    decision = decide(rule(), view(2, of=service(2, memory_limit=None)), HIGH, START, NOW)
    assert (decision.action, decision.reason) == (None, Reason.MISSING_REQUEST)
    assert "web has no memory limit" in decision.sentence
    assert "deploy.resources.limits.memory" in decision.sentence


def test_a_restart_waits_for_all_tasks():
    """Running must equal desired: a restart on top of a failure would take more away."""
    half = view(2, tasks=[task(1), task(2, state=TaskState.STARTING)])
    decision, _ = play(rule(), [(0, HIGH), (60, HIGH)], seen=half)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)
    assert "1 of 2" in decision.sentence


def test_a_restart_waits_for_a_rollout():
    """During an update: blocked, and the reason for the restart is still named."""
    updating = view(2, of=service(2, update_state=UpdateState.UPDATING))
    decision, _ = play(rule(), [(0, HIGH), (60, HIGH)], seen=updating)
    assert (decision.action, decision.reason) == (None, Reason.ROLLOUT_IN_PROGRESS)
    assert "a restart is due: task 1 is at 95%" in decision.sentence


def test_the_budget_bounds_restarts():
    """Two restarts per hour are used up: the next comes when the older one is an hour old."""
    tight = rule(budget=Budget(2, 3600.0), backoff=Backoff(1.0, 1.0))
    past = replace(START, restarts=(NOW.mono - 3000, NOW.mono - 100))
    decision, _ = play(tight, [(0, HIGH), (60, HIGH)], past=past)
    assert (decision.action, decision.reason) == (None, Reason.BUDGET)
    assert decision.recheck_after == pytest.approx(540)
    later, _ = play(tight, [(540, HIGH), (600, HIGH)], past=past)
    assert later.action == ForceUpdate()


def test_the_backoff_doubles():
    """Initial 100 s, two restarts in the window: 200 s after the second."""
    slow = rule(budget=Budget(5, 3600.0), backoff=Backoff(100.0, 3600.0))
    past = replace(START, restarts=(NOW.mono - 400, NOW.mono - 40))
    decision, _ = play(slow, [(0, HIGH), (60, HIGH)], past=past)
    assert (decision.action, decision.reason) == (None, Reason.BACKOFF)
    assert decision.recheck_after == pytest.approx(100)


def test_the_backoff_has_a_maximum():
    """Ten restarts with a maximum of 50 s: 50 s after the last one."""
    past = replace(START, restarts=tuple(NOW.mono - 30 * n for n in range(10, 0, -1)))
    patient = rule(budget=Budget(50, 3600.0), backoff=Backoff(10.0, 50.0))
    decision, _ = play(patient, [(-45, HIGH), (15, HIGH)], past=past)
    assert decision.recheck_after == pytest.approx(5)


def test_jobs_and_the_agent_itself_are_never_restarted():
    """Any update of a job runs it again; the agent would end itself."""
    job = view(2, of=service(2, mode=ServiceMode.REPLICATED_JOB))
    assert decide(rule(), job, HIGH, START, NOW).reason is Reason.UNSUPPORTED_MODE
    own = decide(rule(), view(2), HIGH, START, NOW, own_service=True)
    assert own.reason is Reason.OWN_SERVICE


def test_global_services_may_be_restarted():
    """A global service has no replicas, but a restart needs none."""
    tasks = [replace(task(1), slot=None)]
    seen = view(of=service(None, mode=ServiceMode.GLOBAL), tasks=tasks)
    usage = memory({1: 0.95})
    decision, _ = play(rule(), [(0, usage), (60, usage)], seen=seen)
    assert decision.action == ForceUpdate()
    assert decision.desired is None


def test_a_rule_says_which_samples_it_needs():
    """One metric per kind of condition, under the kind's name."""
    assert [one.name for one in metrics_of(rule(AllOf((MEMORY, AnyOf((BUSY, MEMORY))))))] == [
        "memory",
        "cpu",
    ]


def test_conditions_are_judged_over_a_few_seconds():
    """A mean of 5 s: `for` says how long, not the averaging in front of it."""
    for one in metrics_of(rule(AllOf((MEMORY, BUSY)))):
        assert (one.window, one.rising_window) == (5.0, 5.0)
