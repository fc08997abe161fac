"""Restart rules and rebalancing over several decisions: what one leaves for the next."""

from collections import Counter
from dataclasses import replace

import pytest

from monitor.decide import decide, metrics_of, record_write, remember
from monitor.model.action import ForceUpdate, Park, RestartTask, Rollback, Unpark
from monitor.model.cause import Cause
from monitor.model.condition import Cron, Exits, Restarted
from monitor.model.decision import ACTION_NAMES
from monitor.model.evidence import Ended, Evidence, Moments, Spot, Target
from monitor.model.history import Deploy, History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import (
    Backoff,
    Basis,
    Budget,
    ConditionKind,
    Quantity,
    RebalanceRule,
    RestartAction,
    RestartRule,
    TaskCondition,
)
from monitor.model.selector import Selector
from monitor.model.service import UpdateState
from monitor.model.task import TaskState
from monitor.model.usage import Sample, Usage
from tests.unit.decide.make import NOW, VERSION, node, rule, service, task, view

GIB = float(1 << 30)
MEMORY = TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(0.9, Basis.LIMIT), 60.0)
IDLE = TaskCondition(ConditionKind.CPU_BELOW, Quantity(0.01), 60.0)
WEB = Selector(names=("web",))


def at(seconds):
    return Now(NOW.mono + seconds, NOW.wall + seconds)


def heal(when, action="restart_task", **changes):
    pace = {"budget": Budget(50, 3600.0), "backoff": Backoff(1.0, 1.0)}
    return RestartRule(
        name="heal", selector=WEB, when=when, action=RestartAction(action), **(pace | changes)
    )


def leaking(*slots, ids=None):
    """Four replicas, of which those in `slots` are at 95 %."""
    names = ids or {}
    return Usage(
        {
            "memory": {
                names.get(slot, f"task{slot}"): Sample(GIB * (0.95 if slot in slots else 0.3), 0.5)
                for slot in (1, 2, 3, 4)
            }
        }
    )


def placed(slot, **changes):
    return task(slot, **({"container_id": f"c{slot}"} | changes))


def test_only_tasks_over_the_bound_are_replaced_one_at_a_time():
    """Slots 2 and 4 leak: each is stopped once, 1 and 3 keep their ids, and the rest waits."""
    the_rule, past, stopped, ids, away = heal(MEMORY), History(), [], {}, None
    sick = {2, 4}
    for second in range(0, 400, 5):
        tasks = [
            placed(
                n, id=ids.get(n, f"task{n}"), **({"state": TaskState.STARTING} if n == away else {})
            )
            for n in (1, 2, 3, 4)
        ]
        usage = leaking(*sick, ids=ids)
        seen = view(4, tasks=tasks, of=service(4))
        decision = decide(the_rule, seen, usage, past, at(second))
        past = remember(past, decision)
        if away is not None:
            assert decision.action is None
            away = None
        if decision.action is None:
            continue
        assert isinstance(decision.action, RestartTask)
        past = record_write(past, decision, at(second))
        away = int(decision.action.place)
        assert decision.action.container_id == f"c{away}"
        stopped.append(decision.action.task_id)
        sick.discard(away)
        ids[away] = f"new{away}"
    assert stopped == ["task2", "task4"]
    assert past.course.breaker.open_since is None


def test_a_slot_that_leaks_again_and_again_opens_the_breaker_and_others_do_not():
    """Each slot is judged by itself: nine restarts of nine slots are no sign, five of one are."""
    the_rule = heal(MEMORY)
    past, ids, count, last = History(), {2: "task2"}, 0, None
    for second in range(0, 3600, 10):
        tasks = [placed(n, id=ids.get(n, f"task{n}")) for n in (1, 2, 3, 4)]
        seen = view(4, tasks=tasks, of=service(4))
        last = decide(the_rule, seen, leaking(2, ids=ids), past, at(second))
        past = remember(past, last)
        if last.action is not None:
            past = record_write(past, last, at(second))
            count += 1
            ids[2] = f"new{count}"
    assert (count, last.reason) == (5, Reason.BREAKER_OPEN)


@pytest.mark.parametrize(("most", "replicas", "away", "acts"), [
    (1, 4, 0, True), (1, 4, 1, False), (2, 4, 1, True), (2, 4, 2, False),
    (9, 2, 1, False), (9, 1, 0, True), (9, 4, 2, True),
])  # fmt: skip
def test_at_most_so_many_tasks_are_missing_and_never_all(most, replicas, away, acts):
    """By at_once, and one task less than there are."""
    tasks = [
        placed(n, state=TaskState.STARTING if n > replicas - away else TaskState.RUNNING)
        for n in range(1, replicas + 1)
    ]
    past = History(started=True, own_version=VERSION,
                   holding=(("memory_above>=0.9@limit for 60|task1", NOW.mono - 60),))  # fmt: skip
    seen = view(replicas, tasks=tasks)
    decision = decide(heal(MEMORY, at_once=most), seen, leaking(1), past, NOW)
    assert (decision.action is not None) is acts
    assert acts or decision.reason is Reason.NOT_CONVERGED


def test_the_task_that_has_been_over_its_bound_for_longest_goes_first():
    """Whatever its slot is."""
    keys = {1: 100, 2: 500, 3: 200}
    holding = tuple(
        (f"memory_above>=0.9@limit for 60|task{n}", NOW.mono - ago) for n, ago in keys.items()
    )
    past = History(started=True, own_version=VERSION, holding=holding)
    seen = view(4, tasks=[placed(n) for n in (1, 2, 3, 4)])
    decision = decide(heal(MEMORY), seen, leaking(1, 2, 3), past, NOW)
    assert decision.action == RestartTask("task2", "n1", "c2", "2")
    after = record_write(past, decision, NOW)
    assert {key.rpartition("|")[2] for key, _ in after.holding} == {"task1", "task3"}


def test_a_task_that_does_nothing():
    """Below the bound for a minute on end: the bound itself counts, a sample above begins anew."""
    the_rule, past = heal(IDLE, "restart_service"), History(started=True, own_version=VERSION)
    assert [one.name for one in metrics_of(the_rule)] == ["cpu"]
    for second, cores in ((0, 0.01), (30, 0.2), (31, 0.0), (90, 0.0)):
        usage = Usage({"cpu": {"task1": Sample(cores, 0.5), "task2": Sample(1.0, 0.5)}})
        decision = decide(the_rule, view(2), usage, past, at(second))
        past = remember(past, decision)
        assert decision.action is None
    usage = Usage({"cpu": {"task1": Sample(0.0, 0.5)}})
    decision = decide(the_rule, view(2), usage, past, at(91))
    assert decision.action == ForceUpdate()
    assert decision.sentence.startswith("web: restart, task 1 is at 0 cores of cpu, bound 0.01")


def test_a_moment_is_acted_on_once_and_a_stored_one_not_again():
    """At four, once; not at the agent's first look, nor by an agent that took over after it."""
    cron = Cron("0 4 * * *")
    the_rule, past = heal(cron, "restart_service"), History()
    four, acted = NOW.wall + 100, []
    for second in range(0, 1000, 10):
        last = four if second >= 100 else four - 86400
        evidence = Evidence(moments={cron.key: Moments(last, four + 86400)})
        decision = decide(the_rule, view(2), Usage(), past, at(second), evidence=evidence)
        past = remember(past, decision)
        if decision.action is not None:
            assert decision.handles == (cron.key,)
            assert not decision.trial
            past = record_write(past, decision, at(second))
            acted.append(second)
    assert acted == [100]
    assert past.course.breaker.trials == ()


def test_a_service_follows_another_each_time():
    """Each restart of db brings one of web, and the first look none."""
    follows = Restarted("db")
    the_rule, past, acted = heal(follows, "restart_service"), History(), []
    for second in range(0, 600, 10):
        done = max((t for t in (-50, 100, 300) if t <= second), default=None)
        evidence = Evidence(restarted={} if done is None else {"db": NOW.mono + done})
        decision = decide(the_rule, view(2), Usage(), past, at(second), evidence=evidence)
        past = remember(past, decision)
        if decision.action is not None:
            past = record_write(past, decision, at(second))
            acted.append(second)
    assert acted == [100, 300]


EXITS = Exits(1, 600.0)


def crashed(*seconds):
    return tuple(
        Ended(f"old{n}", "1", "n1", NOW.mono + s, Cause.EXIT_ERROR, 1)
        for n, s in enumerate(seconds)
    )


def test_ends_before_a_machine_started_count_on_it():
    """An agent that took over on a machine that has just booted: its clock began after them."""
    now = Now(12.0, NOW.wall)
    ended = (Ended("old", "1", "n1", -5.0, Cause.EXIT_ERROR, 1),)
    seen = view(2, version_since=0.0, tasks_read_at=11.0)
    decision = decide(
        heal(EXITS, "restart_service"), seen, Usage(), History(own_version=VERSION), now,
        evidence=Evidence(ends=ended),
    )  # fmt: skip
    assert decision.action == ForceUpdate()


def test_a_rollback_is_done_once_for_each_deploy():
    """A bad deploy, rolled back with the replicas kept; crashes after it are left alone; the next
    bad deploy is rolled back again."""
    the_rule = heal(EXITS, "rollback", quiet_after_deploy=0.0)
    good, bad = service(3, deploy="good"), service(3, deploy="bad", version=50)
    target = Target("kept-1", "web:1")
    past = remember(History(), decide(the_rule, view(3, of=good), Usage(), History(), at(0)))
    rolling = replace(bad, update_state=UpdateState.UPDATING)
    evidence = Evidence(ends=crashed(30), rollback=target)
    seen = decide(the_rule, view(3, of=rolling), Usage(), past, at(20), evidence=evidence)
    past = remember(past, seen)
    first = decide(the_rule, view(3, of=rolling), Usage(), past, at(50), evidence=evidence)
    assert first.action == Rollback("kept-1", 3, by_swarm=True)
    past = record_write(remember(past, first), first, at(50))
    again = replace(evidence, ends=crashed(30, 60))
    sent = decide(the_rule, view(3, of=rolling), Usage(), past, at(80), evidence=again)
    assert sent.reason is Reason.ROLLED_BACK
    back = replace(good, version=60)
    after = replace(evidence, ends=crashed(30, 60, 200))
    past = remember(past, decide(the_rule, view(3, of=back), Usage(), past, at(90)))
    left = decide(the_rule, view(3, of=back), Usage(), past, at(300), evidence=after)
    assert (left.action, left.reason) == (None, Reason.ROLLED_BACK)
    worse = service(3, deploy="worse", version=70)
    past = remember(past, decide(the_rule, view(3, of=worse), Usage(), past, at(400)))
    assert past.course.deploy == Deploy("worse", at(400).mono)
    third = replace(evidence, ends=crashed(450))
    final = decide(the_rule, view(3, of=worse), Usage(), past, at(500), evidence=third)
    assert final.action == Rollback("kept-1", 3)


def test_parked_until_it_has_replicas_again():
    """The count is remembered; scale rules leave it at 0; an old view does not end it."""
    the_rule = heal(EXITS, "park")
    three = view(3, of=service(3))
    first = decide(the_rule, three, Usage(), History(), at(0), evidence=Evidence(ends=crashed(-20)))
    assert (first.action, first.desired) == (Park(3), 0)
    past = record_write(remember(History(), first), first, at(0))
    assert past.course.parked == 3
    stale = remember(past, decide(the_rule, three, Usage(), past, at(1)))
    assert stale.course.parked == 3
    zero = view(0, of=service(0, version=VERSION + 1), tasks=[])
    held = decide(rule(), zero, Usage(), History(), at(2), evidence=Evidence(parked_by="heal"))
    assert (held.action, held.reason) == (None, Reason.PARKED)
    past = remember(past, decide(the_rule, zero, Usage(), past, at(3)))
    assert past.course.parked == 3
    theirs = view(2, of=service(2, version=VERSION + 2))
    assert remember(past, decide(the_rule, theirs, Usage(), past, at(4))).course.parked is None
    unparked = replace(first, action=Unpark(3))
    assert record_write(past, unparked, at(5)).course.parked is None
    assert record_write(past, unparked, at(5)).restarts == past.restarts


def test_after_a_node_came_back_two_moves_make_it_even():
    """3, 3 and 0 tasks: the Swarm puts each stopped one where the fewest are; two moves, one at a
    time, and then nothing for an hour."""
    even = RebalanceRule(name="even", selector=WEB, for_seconds=60.0)
    spots = tuple(Spot(f"n{n}", f"n{n}") for n in (1, 2, 3))
    where = {n: f"n{1 + n % 2}" for n in range(1, 7)}
    past, moves, away = History(own_version=VERSION), [], None
    for second in range(0, 3600, 10):
        if away is not None:
            counts = Counter(node_id for slot, node_id in where.items() if slot != away)
            where[away] = min(("n1", "n2", "n3"), key=lambda one: counts[one])
        tasks = [placed(n, node_id=where[n], id=f"task{n}") for n in where]
        if away is not None:
            tasks[away - 1] = replace(tasks[away - 1], state=TaskState.STARTING)
            away = None
        seen = view(6, of=service(6), tasks=tasks, nodes=[node("n2"), node("n3")])
        decision = decide(even, seen, Usage(), past, at(second), evidence=Evidence(spots=spots))
        past = remember(past, decision)
        if decision.action is not None:
            assert isinstance(decision.action, RestartTask)
            assert decision.action.move
            assert decision.action_name == "move_task"
            past = record_write(past, decision, at(second))
            moves.append(second)
            away = int(decision.action.place)
    assert Counter(where.values()) == {"n1": 2, "n2": 2, "n3": 2}
    assert len(moves) == 2
    assert past.course.moves_in_vain == 0


def test_moves_that_bring_nothing_end_after_two():
    """A scheduler that puts the task back where it was: it is not stopped for ever."""
    even = RebalanceRule(name="even", selector=WEB, for_seconds=60.0)
    spots = tuple(Spot(f"n{n}", f"n{n}") for n in (1, 2, 3))
    tasks = [placed(n, node_id=f"n{1 + n % 2}") for n in range(1, 7)]
    seen = view(6, of=service(6), tasks=tasks, nodes=[node("n2"), node("n3")])
    past, moves, last = History(own_version=VERSION), 0, None
    for second in range(0, 7200, 20):
        last = decide(even, seen, Usage(), past, at(second), evidence=Evidence(spots=spots))
        past = remember(past, last)
        if last.action is not None:
            past = record_write(past, last, at(second))
            moves += 1
    assert (moves, last.reason) == (2, Reason.POINTLESS)
    more = Evidence(spots=(*spots, Spot("n4", "n4")))
    assert decide(even, seen, Usage(), past, at(7300), evidence=more).action is not None


def test_every_action_has_a_name_of_the_closed_set():
    """Metrics know them all."""
    assert len(set(ACTION_NAMES)) == len(ACTION_NAMES) == 12


@pytest.mark.parametrize("state", [UpdateState.UPDATING, UpdateState.COMPLETED])
@pytest.mark.parametrize("theirs", ["bad", "good", ""])
def test_a_fix_is_not_rolled_back_for_what_it_replaces(state, theirs):
    """Tasks of the deploy before that crash while they are replaced do not count, those of the
    present one do, and those of which nobody knows what they ran as well."""
    the_rule = heal(Exits(count=3, within=300.0), "rollback")
    fixed = service(6, template="good", deploy="good", update_state=state)
    known = History()
    known = replace(known, course=replace(known.course, deploy=Deploy("good", NOW.mono - 60.0)))
    ends = tuple(
        Ended(f"old{slot}", str(slot), "n1", NOW.mono - ago, Cause.EXIT_ERROR, 1, "", theirs)
        for slot, ago in ((3, 55.0), (4, 50.0), (5, 45.0))
    )
    tasks = [placed(slot, template="good") for slot in range(1, 7)]
    evidence = Evidence(ends=ends, rollback=Target("b1", "web:bad"))
    decision = decide(
        the_rule, view(6, tasks=tasks, of=fixed), Usage(), known, NOW, evidence=evidence
    )
    if theirs == "bad":
        assert (decision.action, decision.reason) == (None, Reason.CONDITION_NOT_MET)
    else:
        assert isinstance(decision.action, Rollback)
