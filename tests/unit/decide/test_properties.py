"""What must hold of every decision, whatever the load, the tasks and the history."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.decide import decide, record_write, remember
from monitor.model.action import ScaleTo
from monitor.model.history import History, Recommendation, ScaleEvent
from monitor.model.node import NodeState
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.task import TaskState
from monitor.model.usage import Sample, Usage
from tests.unit.decide.examples import many
from tests.unit.decide.make import (
    LIMIT,
    NOW,
    VERSION,
    calm_rule,
    cpu,
    down,
    history,
    node,
    rule,
    task,
    up,
    view,
)

MANY = many()
# Times are multiples of 1/4 s, so that shifting them is exact.
quarters = st.integers(0, 4000).map(lambda n: n / 4)
shares = st.floats(0, 4, allow_nan=False)
samples = st.builds(
    Sample,
    value=shares.map(lambda share: share * LIMIT),
    age=st.sampled_from([0.25, 1.0, 4.75, 5.25, 60.0]),
    rising=st.none() | shares.map(lambda share: share * LIMIT),
    span=st.sampled_from([0.0, 1.0, 5.0, 15.0]),
)
states = st.sampled_from([TaskState.RUNNING, TaskState.STARTING, TaskState.FAILED])
members = st.lists(
    st.tuples(states, st.sampled_from(["n1", "unknown", "down"]), st.none() | samples), max_size=8
)
rules = st.builds(
    lambda least, span, up_window, down_window: rule(
        least, least + span, scale_up=up(window=up_window), scale_down=down(window=down_window)
    ),
    st.integers(1, 5),
    st.integers(0, 10),
    st.sampled_from([0.0, 60.0]),
    st.sampled_from([0.0, 300.0]),
)
pasts = st.builds(
    lambda started, recs, events: History(
        started=started,
        recommendations=tuple(
            Recommendation(NOW.mono - ago, n) for ago, n in sorted(recs, reverse=True)
        ),
        events=tuple(ScaleEvent(NOW.mono - ago, n) for ago, n in sorted(events, reverse=True)),
        own_version=VERSION,
    ),
    st.booleans(),
    st.lists(st.tuples(quarters, st.integers(0, 15)), max_size=5),
    st.lists(st.tuples(quarters, st.integers(-4, 4)), max_size=3),
)


def world(replicas, members):
    """A service with those tasks, and the samples they have."""
    tasks = [
        task(slot, state=state, node_id=place) for slot, (state, place, _) in enumerate(members, 1)
    ]
    nodes = [node("unknown", NodeState.UNKNOWN), node("down", NodeState.DOWN)]
    found = {f"task{slot}": s for slot, (_, _, s) in enumerate(members, 1) if s is not None}
    return view(replicas, tasks=tasks, nodes=nodes), Usage({"cpu": found})


@MANY
@given(rules, st.integers(0, 16), members, pasts)
def test_results_lie_within_the_bounds(the_rule, replicas, members, past):
    """Whatever is written lies within [min, max], changes something, and names a reason."""
    seen, usage = world(replicas, members)
    decision = decide(the_rule, seen, usage, past, NOW)
    if isinstance(decision.action, ScaleTo):
        assert the_rule.min <= decision.action.replicas <= the_rule.max
        assert decision.action.replicas != replicas
        assert not decision.reason.blocks
    assert decision.sentence.startswith("web")
    assert decision.recheck_after is None or decision.recheck_after > 0


@MANY
@given(st.integers(1, 8), members, pasts)
def test_nothing_scales_down_on_missing_or_partial_data(replicas, members, past):
    """By default a task without a fresh, long enough sample holds every scale-down."""
    seen, usage = world(replicas, members)
    whole = sum(
        state is TaskState.RUNNING
        and place != "down"
        and found is not None
        and found.age <= 5
        and not 0 < found.span < 3
        for state, place, found in members
    )
    assume(whole < replicas)
    decision = decide(calm_rule(1, 20), seen, usage, past, NOW)
    assert not isinstance(decision.action, ScaleTo) or decision.action.replicas > replicas


@MANY
@given(st.integers(1, 8), members, st.integers(0, 7), st.floats(0, 3))
def test_more_load_never_asks_for_less(replicas, members, index, more):
    """Raising one task's usage never lowers the wanted count."""
    assume(members and members[index % len(members)][2] is not None)
    place = index % len(members)
    state, where, found = members[place]
    rising = None if found.rising is None else found.rising + more * LIMIT
    heavier = list(members)
    heavier[place] = (state, where, replace(found, value=found.value + more * LIMIT, rising=rising))
    the_rule = calm_rule(1, 50)
    before = decide(the_rule, *world(replicas, members), history(), NOW)
    after = decide(the_rule, *world(replicas, heavier), history(), NOW)
    assert before.desired <= after.desired


@MANY
@given(st.integers(1, 40), st.floats(0.901, 1.099))
def test_inside_the_tolerance_band_nothing_moves(replicas, ratio):
    """Load that stays within 10 % of its target never changes the count."""
    decision = decide(calm_rule(1, 100), view(replicas), cpu(0.5 * ratio, replicas), history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.WITHIN_TOLERANCE)


@MANY
@given(st.integers(1, 20), st.integers(1, 30_000).map(lambda n: n / 1000))
def test_a_steady_total_load_settles_without_flipping(replicas, total):
    """The same total load, shared by however many tasks, moves the count one way and stops."""
    the_rule, past = calm_rule(1, 1000), history()
    moves = []
    for step in range(12):
        now = Now(NOW.mono + 60 * step, NOW.wall)
        usage = cpu(total / replicas, replicas)
        decision = decide(the_rule, view(replicas), usage, past, now)
        past = remember(past, decision)
        if not isinstance(decision.action, ScaleTo):
            break
        past = record_write(past, decision, now)
        moves.append(decision.action.replicas > replicas)
        replicas = decision.action.replicas
    else:
        raise AssertionError(f"still moving at {replicas}")
    assert len(set(moves)) <= 1


@MANY
@given(rules, st.integers(0, 16), members, pasts, st.randoms(use_true_random=False))
def test_the_order_of_tasks_does_not_matter(the_rule, replicas, members, past, chance):
    """The whole decision is equal however tasks, nodes and samples are ordered; and repeatable."""
    seen, usage = world(replicas, members)
    tasks, found = list(seen.tasks), list(usage.samples["cpu"].items())
    chance.shuffle(tasks)
    chance.shuffle(found)
    decision = decide(the_rule, seen, usage, past, NOW)
    shuffled = replace(seen, tasks=tuple(tasks))
    assert decide(the_rule, shuffled, Usage({"cpu": dict(found)}), past, NOW) == decision
    assert decide(the_rule, seen, usage, past, NOW) == decision


@MANY
@given(rules, st.integers(0, 16), members, pasts, st.integers(-9000, 9000), st.floats(0, 4e9))
def test_only_differences_of_monotonic_time_matter(the_rule, replicas, members, past, shift, wall):
    """Shifting all monotonic times changes nothing; the wall clock changes `time` alone."""
    seen, usage = world(replicas, members)
    decision = decide(the_rule, seen, usage, past, NOW)
    moved = replace(
        past,
        recommendations=tuple(replace(r, at=r.at + shift) for r in past.recommendations),
        events=tuple(replace(e, at=e.at + shift) for e in past.events),
    )
    later = replace(
        seen,
        version_since=seen.version_since + shift,
        tasks_read_at=seen.tasks_read_at + shift,
    )
    now = Now(NOW.mono + shift, wall)
    again = decide(the_rule, later, usage, moved, now)
    assert again.time == now
    assert replace(again, time=decision.time) == decision
