"""The exact edges of windows, counts and bounds, each from both sides."""

from dataclasses import replace

import pytest

from monitor.decide import (
    decide,
    metrics_of,
    not_written,
    record_write,
    remember,
    rollout_guard,
    written,
)
from monitor.decide.bounds import Binding, Range, Restrained, outside, restrain, restrain_capped
from monitor.decide.capacity import fitting
from monitor.decide.finding import satisfied
from monitor.decide.flapping import suggested_tolerance
from monitor.decide.guards import guard_recheck
from monitor.decide.history import known_recommendations, with_event
from monitor.decide.holding import Held, bound_of
from monitor.decide.notice import notice, seen_of
from monitor.decide.pace import backoff_wait, budget_wait
from monitor.decide.proposal import (
    Tolerance,
    total,
)
from monitor.decide.rates import down_limit, up_limit
from monitor.decide.readiness import Terms, classify, facts_of
from monitor.decide.rounding import MAX_REPLICAS, down, quotient, up
from monitor.decide.waiting import longest_wait, on_their_way, waits
from monitor.model.decision import Condition
from monitor.model.history import History, Recommendation, ScaleEvent, Seen
from monitor.model.now import Now
from monitor.model.room import Room
from monitor.model.rule import (
    AllOf,
    Backoff,
    Basis,
    Budget,
    ConditionKind,
    Metric,
    Policy,
    PolicyType,
    Quantity,
    RestartRule,
    SelectPolicy,
    TaskCondition,
)
from monitor.model.selector import Selector
from monitor.model.service import ServiceMode
from monitor.model.task import TaskState
from monitor.model.tuning import SWARM_TUNING, UpscaleCap
from monitor.model.usage import MetricKind, Sample, Usage
from tests.unit.decide import make
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    VERSION,
    calm_rule,
    cpu,
    event,
    history,
    later,
    queue,
    rule,
    service,
    task,
    view,
)

BAND = Tolerance(0.1, 0.1)


def test_rounding():
    """A millionth is noise where it is said to be; numbers are clamped, never wrapped."""
    assert [up(3.0000001, 1e-6), up(3.0000001, 0.0), up(3.1, 1e-6)] == [3, 4, 4]
    assert [down(2.9999999, 1e-6), down(2.9999999, 0.0), down(2.9, 1e-6)] == [3, 2, 2]
    assert [up(-1.0, 0.0), down(-1.0, 0.0), quotient(-5, 2)] == [0, 0, 0]
    assert up(MAX_REPLICAS - 0.5, 0.0) == MAX_REPLICAS == up(float("inf"), 0.0)
    assert down(float("inf"), 0.0) == MAX_REPLICAS == down(float(MAX_REPLICAS), 0.0)
    assert [quotient(1, 10), quotient(10, 10), quotient(11, 10), quotient(0, 3)] == [1, 1, 2, 0]
    assert quotient(10**20, 1) == MAX_REPLICAS
    assert total((2**63 - 1, 5)) == 2**63 - 1
    assert total((3, 5)) == 8


PERCENT = Policy(PolicyType.PERCENT, 90, 60.0)


def test_rates_count_what_changed_within_their_period():
    """A change exactly one period old counts no more, nor does it make anybody wait."""
    two = Policy(PolicyType.REPLICAS, 2, 60.0)
    growing, shrinking = make.up(policies=(two,)), make.down(policies=(two,))
    now = NOW.mono
    for ago, limit, wait in ((60, 12, None), (59, 11, 1.0)):
        past = (event(ago, 1),)
        found = up_limit(10, past, growing, now, 0.0)
        assert (found.replicas, found.wait) == (limit, wait)
    for ago, limit, wait in ((60, 8, None), (59, 9, 1.0)):
        found = down_limit(10, (event(ago, -1),), shrinking, now, 0.0)
        assert (found.replicas, found.wait) == (limit, wait)
    ninety = make.down(policies=(PERCENT,))
    assert down_limit(10, (), ninety, now, 1e-6).replicas == 1
    assert down_limit(10, (), ninety, now, 0.0).replicas == 0
    ten = make.up(policies=(Policy(PolicyType.PERCENT, 10, 60.0),))
    assert up_limit(100, (), ten, now, 1e-6).replicas == 110
    assert up_limit(100, (), ten, now, 0.0).replicas == 111


def test_the_smaller_or_the_larger_of_several_policies():
    """`max` is the larger change in both directions, `min` the smaller one."""
    both = (Policy(PolicyType.REPLICAS, 2, 60.0), Policy(PolicyType.REPLICAS, 5, 60.0))
    for policy, most, least in ((SelectPolicy.MAX, 15, 5), (SelectPolicy.MIN, 12, 8)):
        growing = make.up(policies=both, select_policy=policy)
        shrinking = make.down(policies=both, select_policy=policy)
        assert up_limit(10, (), growing, NOW.mono, 0.0).replicas == most
        assert down_limit(10, (), shrinking, NOW.mono, 0.0).replicas == least


def test_bounds():
    """What is outside goes to the bound; what is on it stays."""
    bounds = Range(2, 6)
    assert [outside(n, bounds) for n in (1, 2, 4, 6, 7)] == [2, None, None, None, 6]
    growing, shrinking = make.up(), make.down()

    def limited(current, desired):
        return restrain(
            current, desired, bounds, up=growing, down=shrinking, events=(), now=0.0, noise=0.0
        )

    assert limited(4, 6) == Restrained(6, 6, Binding.NONE)
    assert limited(4, 7) == Restrained(7, 6, Binding.MAX)
    assert limited(3, 2) == Restrained(2, 2, Binding.NONE)
    assert limited(3, 1) == Restrained(1, 2, Binding.MIN)
    assert limited(3, 3) == Restrained(3, 3, Binding.NONE)
    cap = UpscaleCap(2.0, 4)
    assert restrain_capped(1, 9, Range(1, 9), cap) == Restrained(4, 4, Binding.UP_RATE)
    assert restrain_capped(3, 9, Range(1, 6), cap) == Restrained(6, 6, Binding.MAX)
    assert restrain_capped(3, 0, Range(1, 6), cap) == Restrained(0, 1, Binding.MIN)
    assert restrain_capped(3, 1, Range(1, 6), cap) == Restrained(1, 1, Binding.NONE)


def test_room():
    """Only what is above both the room and the count in force is cut."""

    for room, wanted, fits in ((5, 5, 5), (5, 6, 5), (3, 6, 4), (3, 4, 4), (3, 2, 2), (None, 9, 9)):
        assert fitting(view(room=Room(room)), 4, wanted) == fits


def test_budgets_and_backoff():
    """To the second: a restart an hour old is forgotten, and waits end exactly when they do."""
    budget = Budget(2, 3600.0)
    assert budget_wait(budget, (0.0,), 10.0) is None
    assert budget_wait(budget, (5.0, 0.0), 10.0) == 3590.0
    assert budget_wait(budget, (0.0, 5.0), 3600.0) is None
    assert budget_wait(budget, (0.0, 5.0, 9.0), 10.0) == 3595.0
    assert budget_wait(Budget(0, 60.0), (), 10.0) == 60.0
    assert budget_wait(Budget(1, 60.0), (), 10.0) is None
    assert budget_wait(Budget(1, 60.0), (4.0,), 10.0) == 54.0
    backoff, wide = Backoff(10.0, 1000.0), Budget(50, 36000.0)
    assert backoff_wait(backoff, wide, (), 0.0) is None
    assert backoff_wait(backoff, wide, (100.0,), 105.0) == 5.0
    assert backoff_wait(backoff, wide, (100.0,), 110.0) is None
    assert backoff_wait(backoff, wide, (100.0,), 109.5) == 0.5
    assert backoff_wait(backoff, wide, (1.0, 2.0, 3.0, 100.0), 110.0) == 70.0
    assert backoff_wait(backoff, wide, tuple(map(float, range(40))), 40.0) == 999.0
    assert backoff_wait(backoff, Budget(5, 100.0), (0.0, 150.0), 155.0) == 5.0


CONDITION = TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(100.0), 60.0)
LEAF = bound_of(CONDITION, service())


@pytest.mark.parametrize(
    ("sample", "past", "held"),
    [
        (Sample(100.0, 5.0), {}, Held(50.0)),
        (Sample(100.0, 5.1), {}, Held()),
        (Sample(99.9, 0.0), {"k": 10.0}, Held()),
        (Sample(100.0, 0.0), {"k": 10.0}, Held(10.0)),
        (Sample(float("inf"), 0.0), {"k": 10.0}, Held(10.0, 50.0)),
        (None, {"k": 10.0}, Held(10.0, 50.0)),
        (None, {"k": 10.0, "k?": 35.0}, Held(10.0, 35.0)),
        (None, {"k": 10.0, "k?": 34.9}, Held()),
        (None, {}, Held()),
    ],
)
def test_conditions_hold_from_their_threshold_on(sample, past, held):
    """At the threshold, with a sample of up to 5 s, over a gap of up to 15 s."""
    key = LEAF.key("t")
    known = {name.replace("k", key): at for name, at in past.items()}
    assert LEAF.observe("t", sample, known, 50.0) == held


def test_the_key_of_a_condition_tells_it_from_others():
    """Kind, threshold, what it is a share of, time and task: all in it."""
    of_limit = TaskCondition(ConditionKind.CPU_ABOVE, Quantity(0.5, Basis.LIMIT), 30.0)
    assert LEAF.key("t") == "memory_above>=100 for 60|t"
    assert bound_of(of_limit, service()).key("t") == "cpu_above>=0.5@limit for 30|t"


def test_no_conditions_are_never_met():
    """`all` of nothing holds for no task."""
    assert not satisfied(AllOf(()), {})
    assert Held(10.0).lasted(40.0, 50.0)
    assert not Held(10.0).lasted(40.1, 50.0)
    assert not Held(10.0, 45.0).lasted(40.0, 50.0)


def test_what_a_rule_must_be_given_samples_of():
    """A scale rule's own metrics; of a restart rule one per kind, under the kind's name."""
    assert metrics_of(rule(metrics=(HALF_CPU, queue()))) == (HALF_CPU,)
    busy = TaskCondition(ConditionKind.CPU_ABOVE, Quantity(0.5, Basis.LIMIT), 30.0)
    restart = RestartRule(
        name="r", selector=Selector(), when=AllOf((CONDITION, busy, replace(busy, for_seconds=9)))
    )
    assert metrics_of(restart) == (
        Metric("memory", MetricKind.MEMORY, Quantity(100.0), window=5.0),
        Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.LIMIT), window=5.0),
    )


def test_events_are_kept_for_as_long_as_they_count():
    """Exactly as old as the longest period: gone; with no period nothing is kept."""
    past = (ScaleEvent(40.0, 1), ScaleEvent(41.0, 2))
    assert with_event(past, 3, 100.0, 60.0) == (ScaleEvent(41.0, 2), ScaleEvent(100.0, 3))
    assert with_event(past, 3, 100.0, 0.0) == past
    assert with_event((), 3, 100.0, 0.5) == (ScaleEvent(100.0, 3),)


def test_what_a_write_changes_in_memory():
    """A decision without action changes nothing; one without a known size counts from zero."""
    past = history(zero_by_user=True, scaled_to_zero_by_us=True)
    still = decide(rule(), view(), cpu(0.5), history(), NOW)
    assert record_write(past, still, NOW) == past
    up_to_eight = decide(rule(), view(), cpu(1.0), history(), NOW)
    unknown = replace(up_to_eight, current=None, seen=None)
    found = record_write(past, unknown, NOW)
    assert found.events == (ScaleEvent(NOW.mono, 8),)
    assert (found.seen, found.zero_by_user, found.scaled_to_zero_by_us) == (None, False, False)
    assert found.set_by_us == 8


def test_what_is_remembered_of_a_decision():
    """The first look keeps the size; an hour later it is forgotten; gone services keep nothing."""
    first = decide(rule(), view(), cpu(0.1), History(), NOW)
    assert known_recommendations(History(), 4, 5.0) == (Recommendation(5.0, 4),)
    assert known_recommendations(History(), None, 5.0) == ()
    assert known_recommendations(history((5, 3)), 4, 5.0) == (Recommendation(NOW.mono - 5, 3),)
    kept = remember(history((3600, 9), (3599, 8)), first)
    assert [one.replicas for one in kept.recommendations] == [8, 1]
    everywhere = view(of=service(None, mode=ServiceMode.GLOBAL))
    refused = decide(rule(), everywhere, cpu(0.1), History(), NOW)
    assert not remember(History(), refused).started
    person = decide(rule(2), view(0), Usage(), history(failing_since=1.0), NOW)
    assert remember(history(failing_since=1.0), person).failing_since is None


def test_what_was_written_is_told_in_the_conditions():
    """The first condition tells of the write, the others stay."""
    decision = decide(rule(), view(), cpu(1.0), history(), NOW)
    done = written(decision)
    assert done.conditions[0] == Condition(
        "AbleToScale", True, "SucceededRescale", decision.sentence
    )
    assert done.conditions[1:] == decision.conditions[1:]
    failed = not_written(decision, "the leader is gone")
    assert failed.conditions[0] == Condition(
        "AbleToScale", False, "FailedUpdateScale", "the leader is gone"
    )
    assert failed.conditions[1:] == decision.conditions[1:]


def test_the_guard_asks_for_tasks_read_since_the_change():
    """Read in the very moment the change was seen is late enough."""
    seen = view(version_since=NOW.mono - 60, tasks_read_at=NOW.mono - 60)
    assert rollout_guard(seen, 1, NOW) is None
    two = view(version_since=NOW.mono - 2)
    assert rollout_guard(two, 1, NOW) is None
    assert guard_recheck(two, 1, NOW) is None


def test_our_own_change_needs_no_waiting():
    """Half a second after our own write the next may follow; after another's it may not."""
    fresh = view(version_since=NOW.mono - 0.5)
    assert decide(rule(), fresh, cpu(1.0), history(), NOW).action is not None
    held = decide(rule(), fresh, cpu(1.0), history(own_version=1), NOW)
    assert held.recheck_after == 1.5


def test_what_counts_as_lowered():
    """Fewer than ours but not none."""
    past = history(set_by_us=4, own_version=1, seen=Seen(1, 4, "t"))
    for replicas, reset in ((0, False), (1, True), (3, True), (5, False)):
        assert notice(past, Seen(2, replicas, "new")).reset is reset
    same = history(set_by_us=4, own_version=1, seen=Seen(1, 6, "t"))
    assert not notice(same, Seen(2, 4, "new")).reset
    assert seen_of(service(None)) is None
    assert seen_of(service(3, stack="shop")) == Seen(VERSION, 3, "t", stack=True)


def test_tasks_without_a_node():
    """New and pending ones wait, if they are still wanted; later ones are on their way."""
    assert [waits(task(1, state=state)) for state in (
        TaskState.NEW, TaskState.PENDING, TaskState.ASSIGNED, TaskState.RUNNING)] == [
        True, True, False, False]  # fmt: skip
    assert not waits(task(1, state=TaskState.PENDING, desired_state=TaskState.SHUTDOWN))
    tasks = [task(1), task(2, state=TaskState.PENDING), task(3, state=TaskState.PENDING)]
    seen = view(4, tasks=tasks, pending_since={"task2": NOW.mono - 20, "task3": NOW.mono - 15})
    assert longest_wait(seen, NOW.mono) == 20
    assert on_their_way(seen, NOW.mono) == 2
    assert on_their_way(view(2, tasks=[task(1), task(2), task(3)]), NOW.mono) == 0


def test_a_sample_counts_up_to_its_age_and_from_its_span_on():
    """5 s old is fresh; 3 s of history are enough; of a short window half is."""
    seen = view(1)
    for age, sampled in ((5.0, True), (5.01, False)):
        facts = facts_of(seen, task(1), Sample(1.0, age), Terms(SWARM_TUNING, 100.0, 15.0))
        assert (facts.sampled_at is not None) is sampled
    for window, span, kind in ((15.0, 3.0, "ready"), (15.0, 2.9, "unready"), (4.0, 2.0, "ready"),
                               (4.0, 1.9, "unready"), (15.0, 0.0, "ready")):  # fmt: skip
        terms = Terms(SWARM_TUNING, 100.0, window)
        facts = facts_of(seen, task(1), Sample(1.0, 0.0, None, span), terms)
        assert classify(facts, 100.0, SWARM_TUNING, cpu=True).value == kind
        assert classify(facts, 100.0, SWARM_TUNING, cpu=False).value == "ready"


def test_a_warm_up_ends_to_the_second():
    """30 s after the start the task counts."""
    seen = view(1, running_since={"task1": 70.0})
    for warm_up, kind in ((30.0, "ready"), (30.1, "unready")):
        facts = facts_of(seen, task(1), Sample(1.0, 0.0), Terms(SWARM_TUNING, 100.0, 15.0, warm_up))
        assert classify(facts, 100.0, SWARM_TUNING, cpu=True).value == kind


def test_a_start_period_ends_to_the_second_and_is_counted_from_the_start():
    """Started at 60, healthy at 70: a start period of 40 s is over at 100; one of 40.1 s is not.

    Where the start was not seen it is counted from running; a stated warm-up wins, zero too.
    """
    ran = {"task1": 70.0}
    for period, began, warm_up, kind in (
        (40.0, 60.0, None, "ready"), (40.1, 60.0, None, "unready"),
        (30.0, None, None, "ready"), (30.1, None, None, "unready"),
        (30.0, 80.0, None, "ready"), (30.1, 80.0, None, "unready"),
        (99.0, 60.0, 0.0, "ready"), (99.0, 60.0, 30.0, "ready"), (0.0, 60.0, 30.1, "unready"),
    ):  # fmt: skip
        begun = {} if began is None else {"task1": began}
        of = make.service(1, start_period=period)
        seen = view(1, of=of, running_since=ran, starting_since=begun)
        terms = Terms(SWARM_TUNING, 100.0, 15.0, warm_up)
        facts = facts_of(seen, task(1), Sample(1.0, 0.0), terms)
        assert classify(facts, 100.0, SWARM_TUNING, cpu=True).value == kind
        assert classify(facts, 100.0, SWARM_TUNING, cpu=False).value == "ready"


def test_a_task_that_runs_for_long_is_past_its_start_period():
    """What ran when this agent came has run for nobody knows how long."""
    seen = view(1, of=make.service(1, start_period=1e6))
    facts = facts_of(seen, task(1), Sample(1.0, 0.0), Terms(SWARM_TUNING, 100.0, 15.0))
    assert classify(facts, 100.0, SWARM_TUNING, cpu=True).value == "ready"


def test_a_moment_later():
    """Time alone changes the time of a decision, and what it waits for."""
    one = decide(rule(), view(), cpu(0.2), history((80, 4)), NOW)
    two = decide(rule(), view(), cpu(0.2), history((80, 4)), later(10))
    assert (one.time, two.time) == (NOW, Now(NOW.mono + 10, NOW.wall + 10))
    assert one.recheck_after - two.recheck_after == 10


def test_old_facts_keep_what_was_held():
    """Out of touch nothing is forgotten, neither conditions nor failures nor what was seen."""
    past = history((5, 3), holding=(("k", 1.0),), failing_since=7.0)
    stale = decide(rule(), view(fresh=False), cpu(1.0), past, NOW)
    after = remember(past, replace(stale, holding=past.holding))
    assert after == past
    person = decide(rule(2), view(0), Usage(), history((5, 3)), NOW)
    forgotten = remember(history((5, 3)), person)
    assert (forgotten.started, forgotten.recommendations) == (False, ())


def test_the_last_half_second_of_a_cooldown():
    """To the end: half a second is left, then none; a cooldown of half a second counts too."""
    cool = calm_rule(scale_up=make.up(cooldown=20.5))
    past = history(events=(event(20, 1),))
    held = decide(cool, view(), cpu(0.9), past, NOW)
    assert (held.action, held.recheck_after) == (None, 0.5)
    assert decide(cool, view(), cpu(0.9), past, later(0.5)).action is not None
    short = calm_rule(scale_up=make.up(cooldown=0.5))
    assert decide(short, view(), cpu(0.9), history(events=(event(0.2, 1),)), NOW).action is None


def test_the_longest_of_traced_back_counts():
    """Swings are of the counts they started from, never of fewer than one."""
    assert suggested_tolerance((event(10, 5),), 1, NOW.mono) == pytest.approx(5.0)
    assert suggested_tolerance((event(10, 1),), 2, NOW.mono) == pytest.approx(1.0)
