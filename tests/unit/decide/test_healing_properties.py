"""What must hold of restarts, moves and drains, whatever comes."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.decide import Recorded, decide, decide_node, record, record_write, remember, replay
from monitor.decide.breaker import closed_by, judged, tried
from monitor.decide.moves import after, plan, skew
from monitor.decide.node_fence import takes_tasks
from monitor.decide.pace import backoff_wait
from monitor.model.action import ForceUpdate, RestartTask, SetAvailability
from monitor.model.cause import Cause
from monitor.model.condition import Exits, OlderThan, StuckIn
from monitor.model.evidence import Ended, Evidence, Spot
from monitor.model.history import BreakerState, Deploy, History
from monitor.model.node import Availability, Node, NodeState
from monitor.model.node_evidence import NodeEvidence
from monitor.model.now import Now
from monitor.model.rule import (
    AnyOf,
    Backoff,
    Breaker,
    Budget,
    NodeAction,
    NodeCondition,
    NodeConditionKind,
    NodeRule,
    RestartAction,
    RestartRule,
)
from monitor.model.selector import NodeSelector, Selector
from monitor.model.task import TaskState
from monitor.model.usage import Usage
from tests.unit.decide.examples import many
from tests.unit.decide.make import NOW, service, task, view

MANY = many(100)
WHEN = AnyOf((Exits(2, 300.0), OlderThan(400.0), StuckIn(TaskState.STARTING, 30.0)))
steps = st.lists(
    st.tuples(
        st.integers(1, 400),  # seconds that pass
        st.sampled_from([None, "exit", "exit", "old", "stuck", "deploy", "node_down"]),
    ),
    min_size=5,
    max_size=40,
)


@MANY
@given(
    steps,
    st.sampled_from([RestartAction.RESTART_SERVICE, RestartAction.RESTART_TASK,
                     RestartAction.NOTIFY, RestartAction.PARK]),
    st.integers(1, 4),
    st.sampled_from([60.0, 600.0, 3600.0]),
    st.integers(1, 4),
)  # fmt: skip
def test_restarts_never_exceed_the_budget_in_any_window(happens, action, count, within, trials):
    """For any sequence of ends, ages, stuck tasks and deploys; and the back-off lies between.

    What was decided comes out again of what was recorded of it.
    """
    rule = RestartRule(
        name="heal", selector=Selector(names=("web",)), when=WHEN, action=action,
        budget=Budget(count, within), backoff=Backoff(20.0, 300.0), breaker=Breaker(trials, 200.0),
        quiet_after_deploy=0.0,
    )  # fmt: skip
    past, acted, ends, now, of = History(), [], [], NOW.mono, service(2)
    for seconds, what in happens:
        now += seconds
        at = Now(now, NOW.wall + now - NOW.mono)
        if what in ("exit", "node_down"):
            cause = Cause.EXIT_ERROR if what == "exit" else Cause.NODE_DOWN
            ends += [Ended(f"e{len(ends)}-{n}", "1", "n1", now - 20, cause, 1) for n in (0, 1)]
        if what == "deploy":
            of = replace(of, version=of.version + 1, deploy=f"d{of.version}")
        states = [TaskState.STARTING if what == "stuck" else TaskState.RUNNING, TaskState.RUNNING]
        since = at.wall - (500 if what == "old" else 1)
        tasks = [
            task(n + 1, container_id="c", since=since, state=state)
            for n, state in enumerate(states)
        ]
        seen = view(2, of=of, tasks=tasks, version_since=now - 100, tasks_read_at=now)
        evidence = Evidence(ends=tuple(ends))
        decision = decide(rule, seen, Usage(), past, at, evidence=evidence)
        before, past = past, remember(past, decision)
        if decision.action is not None:
            again = record(rule, seen, Usage(), before, at, evidence=evidence).to_json()
            assert replay(Recorded.from_json(json.loads(json.dumps(again)))) == decision
            assert not (action.restarts and past.course.breaker.open_since is not None)
            acted.append(now)
            past = record_write(past, decision, at)
            if isinstance(decision.action, ForceUpdate | RestartTask):
                assert decision.action_name == action.value
    for start in acted:
        assert sum(start <= other < start + within for other in acted) <= count
    assert all(b - a >= 20.0 for a, b in pairwise(acted))


@MANY
@given(st.integers(1, 12), st.floats(1, 60), st.floats(60, 4000))
def test_the_back_off_doubles_while_it_is_in_vain_and_resets_once_it_helps(count, initial, most):
    """Each wait is twice the one before up to the maximum; with a clean past it is over."""
    backoff, budget = Backoff(initial, most), Budget(100, 60.0)
    waits = [backoff_wait(backoff, budget, (0.0,), 0.0, n) or 0.0 for n in range(1, count + 1)]
    assert waits[0] == min(initial, most)
    assert all(b == min(2 * a, most) for a, b in pairwise(waits))
    assert backoff_wait(backoff, budget, (0.0,), 61.0, 0) is None


@MANY
@given(st.lists(st.booleans(), max_size=30), st.integers(1, 6))
def test_the_breaker_opens_after_so_many_restarts_in_vain_in_a_row_and_never_before(
    helped, after_n
):
    """Restarts of one place, each of which helped or not; a deploy that does well closes it."""
    breaker, state, now, row = Breaker(after_n, 60.0), BreakerState(), 0.0, 0
    for good in helped:
        state = tried(state, "1", now)
        now += 61.0 if good else 30.0
        state = judged(state, breaker, () if good else ("1",), soon=60.0, memory=1e9, now=now)
        row = 0 if good else row + 1
        assert (state.open_since is not None) == (row >= after_n)
        if state.open_since is not None:
            break
        now += 100.0
    if state.open_since is None:
        return
    older, newer = Deploy("d", state.open_since), Deploy("d", state.open_since + 1)
    assert closed_by(state, breaker, older, well=True, now=now + 1e6) is not None
    waits = closed_by(state, breaker, newer, well=True, now=now)
    assert waits.open_since is not None
    assert closed_by(waits, breaker, newer, well=False, now=now + 59).calm_since is None
    assert closed_by(waits, breaker, newer, well=True, now=now + 59).open_since is not None
    assert closed_by(waits, breaker, newer, well=True, now=now + 60) == BreakerState()
    assert closed_by(waits, breaker, older, well=True, now=now + 60).open_since is not None


layouts = st.lists(
    st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=6
)


@MANY
@given(layouts)
def test_a_plan_moves_no_more_than_needed_and_ends_within_one_of_even(nodes):
    """Without bounds within one; with them no node is overfilled, and no move is of no use."""
    spots = [Spot(f"n{n}", f"n{n}", free) for n, (_, free) in enumerate(nodes)]
    counts = Counter({f"n{n}": tasks for n, (tasks, _) in enumerate(nodes)})
    moves = plan(counts, spots)
    then = after(counts, spots, moves)
    assert sum(then.values()) == sum(counts.values())
    unbounded = [replace(spot, free=None) for spot in spots]
    free_moves = plan(counts, unbounded)
    assert skew(after(counts, unbounded, free_moves), unbounded) <= 1
    total, places = sum(counts.values()), len(spots)
    high = sorted(counts[spot.node_id] for spot in spots)[::-1]
    fair = [total // places + (n < total % places) for n in range(places)]
    assert len(free_moves) == sum(max(0, a - b) for a, b in zip(high, fair, strict=True))
    for spot in spots:
        if spot.free is not None:
            assert then[spot.node_id] <= counts[spot.node_id] + spot.free
    takers = [s for s in spots if s.free is None or then[s.node_id] < counts[s.node_id] + s.free]
    assert not takers or max(then.values()) - min(then[s.node_id] for s in takers) <= 1
    assert plan(Counter(then), [
        replace(s, free=None if s.free is None else s.free + counts[s.node_id] - then[s.node_id])
        for s in spots
    ]) == ()  # fmt: skip


members = st.tuples(
    st.sampled_from(["manager", "manager", "worker"]),
    st.sampled_from([NodeState.READY, NodeState.READY, NodeState.DOWN, NodeState.UNKNOWN]),
    st.sampled_from([Availability.ACTIVE, Availability.ACTIVE, Availability.PAUSE]),
    st.booleans(),
)


@MANY
@given(st.lists(members, min_size=1, max_size=7), st.lists(st.integers(1, 700), max_size=25))
def test_node_rules_never_break_quorum_and_drain_one_at_a_time(found, pauses):
    """Whatever the nodes are, with every node over its bound all the time."""
    nodes = {
        f"n{n}": Node(f"n{n}", f"n{n}", role, state, availability, 1)
        for n, (role, state, availability, _) in enumerate(found)
    }
    agents = tuple(f"n{n}" for n, (*_, agent) in enumerate(found) if agent)
    rule = NodeRule(
        name="sick", selector=NodeSelector(), action=NodeAction.DRAIN, drain_for=600.0,
        any_of=(NodeCondition(NodeConditionKind.DOWN_FOR, 1.0, 1.0),), budget=Budget(100, 1e6),
    )  # fmt: skip
    past = {node_id: History() for node_id in nodes}
    drained, now = {}, NOW.mono
    for pause in (5, 5, *pauses):
        now += pause
        at = Now(now, NOW.wall)
        for node_id in sorted(nodes):
            node = nodes[node_id]
            sick = replace(node, state=NodeState.DOWN)
            others = {**nodes, node_id: sick}
            evidence = NodeEvidence(sick, others, agents=agents, drained=drained)
            decision = decide_node(rule, evidence, past[node_id], at)
            past[node_id] = remember(past[node_id], decision)
            if not isinstance(decision.action, SetAvailability):
                continue
            past[node_id] = record_write(past[node_id], decision, at)
            wanted = decision.action.availability
            nodes[node_id] = replace(node, availability=wanted, version=node.version + 1)
            if wanted is Availability.ACTIVE:
                drained.pop(node_id)
                continue
            drained[node_id] = rule.name
            assert len(drained) == 1
            left = [one for one in nodes.values() if takes_tasks(one)]
            assert left
            managers = [one for one in nodes.values() if one.role == "manager"]
            if node.role == "manager":
                well = [one for one in left if one.role == "manager"]
                assert len(well) > len(managers) // 2
                assert any(one.id in agents for one in well)
