"""What must hold of every decision, over rules of every kind and all that may be remembered."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.decide import Recorded, ambiguous, decide, record, record_write, remember, replay
from monitor.model.action import ScaleTo
from monitor.model.history import History, Recommendation, ScaleEvent, Seen
from monitor.model.node import NodeState
from monitor.model.now import Now
from monitor.model.room import Room
from monitor.model.rule import (
    Basis,
    ConditionKind,
    Metric,
    MissingSamples,
    Policy,
    PolicyType,
    Quantity,
    RestartRule,
    SelectPolicy,
    TaskCondition,
)
from monitor.model.scalar import Formula, JsonUrl, Number, Per, ScalarMetric, TasksPending
from monitor.model.schedule import AfterDeployReset, Fallback
from monitor.model.selector import Selector
from monitor.model.service import UpdateState
from monitor.model.task import TaskState
from monitor.model.tuning import HPA_TUNING, SWARM_TUNING, Count
from monitor.model.usage import MetricKind, Sample, Usage
from tests.unit.decide.examples import many
from tests.unit.decide.make import LIMIT, NOW, VERSION, down, node, rule, service, task, up, view

MANY = many()
ago = st.integers(0, 4000).map(lambda n: NOW.mono - n / 4)
MIB = 2.0**20

policies = st.lists(
    st.builds(
        Policy,
        st.sampled_from(PolicyType),
        st.integers(1, 200),
        st.sampled_from([15.0, 60.0, 300.0]),
    ),
    max_size=2,
).map(tuple)
pace = {
    "window": st.sampled_from([0.0, 60.0, 300.0]),
    "policies": policies,
    "tolerance": st.sampled_from([0.0, 0.1, 0.3]),
    "select_policy": st.sampled_from(SelectPolicy),
    "cooldown": st.sampled_from([0.0, 30.0, 600.0]),
}
quantities = st.sampled_from(
    [Quantity(0.5, Basis.LIMIT), Quantity(0.5, Basis.AUTO), Quantity(0.05), None]
)
activations = st.sampled_from([None, 0.0, 0.2])
usages = st.one_of(
    st.builds(Metric, st.just("cpu"), st.just(MetricKind.CPU), quantities, activation=activations),
    st.builds(Metric, st.just("cpu"), st.just(MetricKind.MEMORY), st.just(Quantity(64 * MIB))),
    st.builds(Metric, st.just("cpu"), st.just(MetricKind.NETWORK_RECEIVE), st.just(Quantity(MIB))),
)
sources = st.one_of(
    st.just(JsonUrl("http://queue/", "length")),
    st.just(TasksPending()),
    st.sampled_from(["other * 2", "default(other, 3)", "cpu + other", "other / 0"]).map(Formula),
)
scalars = st.builds(
    ScalarMetric,
    st.just("queue"),
    sources,
    st.sampled_from([10.0, 0.5]),
    st.sampled_from(Per),
    st.sampled_from([0.0, 5.0]),
)
OTHER = ScalarMetric("other", JsonUrl("http://other/", "n"), None)
rules = st.builds(
    lambda least, span, metrics, up_, down_, **more: rule(
        least,
        least + span,
        metrics=(*metrics, OTHER),
        scale_up=up(**up_),
        scale_down=down(**down_),
        **more,
    ),
    st.integers(0, 2),
    st.sampled_from([20, 30, 8, 3, 0]),
    st.lists(usages, max_size=1).flatmap(
        lambda first: st.lists(scalars, max_size=1).map(lambda second: (*first, *second))
    ),
    st.fixed_dictionaries({}, optional=pace),
    st.fixed_dictionaries({}, optional=pace),
    missing_samples=st.sampled_from(MissingSamples),
    count=st.sampled_from(Count),
    tuning=st.sampled_from([SWARM_TUNING, HPA_TUNING]),
    warm_up=st.sampled_from([None, 0.0, 60.0]),
    fallback=st.none() | st.builds(Fallback, st.integers(0, 9), st.sampled_from([0.0, 100.0])),
    after_deploy_reset=st.sampled_from(AfterDeployReset),
    max_direction_changes=st.integers(0, 3),
)
shares = st.floats(0, 4, allow_nan=False).map(lambda share: share * LIMIT)
samples = st.builds(
    Sample,
    value=shares,
    age=st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.75, 5.25]),
    rising=st.none() | shares,
    span=st.sampled_from([0.0, 15.0, 15.0, 1.0]),
)
values = st.one_of(
    st.floats(0, 100), st.floats(0, 10), st.sampled_from([None, 0.0, -1.0, float("inf")])
)
ages = st.sampled_from([0.0, 5.0, 29.0, 31.0])
readings = st.builds(Number, values, ages, st.just("refused"))
states = st.sampled_from(
    [*[TaskState.RUNNING] * 9, TaskState.STARTING, TaskState.PENDING, TaskState.FAILED]
)
members = st.lists(
    st.tuples(
        states,
        st.sampled_from([*["n1"] * 6, "unknown", "down"]),
        samples | samples | st.none(),
        st.none() | ago,
    ),
    max_size=6,
)
versions = st.sampled_from([VERSION, VERSION, VERSION, VERSION - 1])
pasts = st.builds(
    lambda recs, events, **more: History(
        recommendations=tuple(sorted(recs, key=lambda rec: rec.at)),
        events=tuple(sorted(events, key=lambda event: event.at)),
        **more,
    ),
    st.lists(st.builds(Recommendation, ago, st.integers(0, 15)), max_size=4),
    st.lists(st.builds(ScaleEvent, ago, st.integers(-4, 4)), max_size=6),
    started=st.booleans(),
    own_version=versions,
    scaled_to_zero_by_us=st.booleans(),
    set_by_us=st.none() | st.integers(0, 12),
    failing_since=st.none() | ago,
    restored=st.lists(ago, max_size=4).map(lambda found: tuple(sorted(found))),
    seen=st.none() | st.builds(Seen, versions, st.integers(0, 12), st.sampled_from(["t", "old"])),
    reset=st.booleans(),
    zero_by_user=st.booleans(),
)
worlds = st.fixed_dictionaries(
    {
        "replicas": st.integers(0, 12),
        "members": members,
        "number": readings | st.none(),
        "other": readings | st.none(),
        "room": st.none() | st.integers(0, 12),
        "failed_at": st.lists(ago, max_size=4).map(tuple),
        "state": st.sampled_from([*[None] * 9, *[UpdateState.COMPLETED] * 9, *UpdateState]),
        "stack": st.sampled_from(["", "shop"]),
        "since": st.sampled_from([600.0, 600.0, 600.0, 0.5]),
        "start_period": st.sampled_from([0.0, 0.0, 45.0]),
    }
)


def world(facts):
    """A service with those tasks, and all that is known of it."""
    tasks, found, running, pending = [], {}, {}, {}
    for slot, (state, place, sample, since) in enumerate(facts["members"], 1):
        tasks.append(task(slot, state=state, node_id="" if state is TaskState.PENDING else place))
        if sample is not None:
            found[f"task{slot}"] = sample
        if since is not None:
            (pending if state is TaskState.PENDING else running)[f"task{slot}"] = since
    numbers = {"queue": facts["number"], "other": facts["other"]}
    seen = view(
        facts["replicas"],
        tasks=tasks,
        of=service(
            facts["replicas"],
            update_state=facts["state"],
            stack=facts["stack"],
            start_period=facts["start_period"],
        ),
        nodes=[node("unknown", NodeState.UNKNOWN), node("down", NodeState.DOWN)],
        room=Room(facts["room"], "full"),
        running_since=running,
        starting_since={name: since - 20 for name, since in running.items() if name > "task2"},
        pending_since=pending,
        failed_at=facts["failed_at"],
        version_since=NOW.mono - facts["since"],
    )
    known = {name: one for name, one in numbers.items() if one is not None}
    return seen, Usage({"cpu": found}, known)


@MANY
@given(rules, worlds, pasts)
def test_every_decision_is_sound(the_rule, facts, past):
    """Bounds, a change where one is written, a reason, what bound it and what would change it."""
    decision = decide(the_rule, *world(facts), past, NOW)
    replicas = facts["replicas"]
    if decision.action is None:
        assert decision.desired == replicas or decision.reason.blocks
    else:
        assert isinstance(decision.action, ScaleTo)
        assert decision.action.replicas == decision.desired != replicas
        assert the_rule.min <= decision.desired <= the_rule.max
        assert not decision.reason.blocks
        if facts["room"] is not None and replicas <= decision.desired and replicas >= the_rule.min:
            assert decision.desired <= max(facts["room"], replicas)
    assert decision.sentence.startswith("web")
    assert decision.would_change or not the_rule.metrics[:-1] or decision.desired != replicas
    assert decision.recheck_after is None or decision.recheck_after > 0
    assert decision.binding or not decision.reason.blocks
    if decision.stages and not decision.reason.blocks:
        assert decision.stages[-1].value == decision.desired


@MANY
@given(rules, worlds, pasts, st.booleans())
def test_a_recorded_decision_is_made_again(the_rule, facts, past, own):
    """Through JSON and back: the same inputs, and the same decision to the last field."""
    seen, usage = world(facts)
    decision = decide(the_rule, seen, usage, past, NOW, own_service=own)
    recorded = record(the_rule, seen, usage, past, NOW, own_service=own)
    text = json.dumps(recorded.to_json(), allow_nan=False)
    again = Recorded.from_json(json.loads(text))
    assert again == recorded
    assert replay(again) == decision


@MANY
@given(
    worlds,
    st.sampled_from(ConditionKind),
    st.floats(0, 2),
    st.lists(st.tuples(st.text(max_size=9), st.floats(0, 1e4)), max_size=2).map(tuple),
)
def test_a_recorded_restart_decision_is_made_again(facts, kind, threshold, holding):
    """Restart rules and services that two rules claim are recorded like any other."""
    when = TaskCondition(kind, Quantity(threshold, Basis.AUTO), 60.0)
    restart = RestartRule(name="leak", selector=Selector(stack="shop"), when=when)
    seen, usage = world(facts)
    past = History(holding=holding)
    found = Recorded.from_json(
        json.loads(json.dumps(record(restart, seen, usage, past, NOW).to_json()))
    )
    assert replay(found) == decide(restart, seen, usage, past, NOW)
    claimed = record(rule(), seen, usage, past, NOW, rivals=("other",))
    assert replay(Recorded.from_json(claimed.to_json())) == ambiguous(
        rule(), seen, ["other"], past, NOW
    )


@MANY
@given(rules, worlds, pasts)
def test_nothing_scales_down_by_what_cannot_be_seen(the_rule, facts, past):
    """By default a number that cannot be read, or a task without a sample, never lowers."""
    the_rule = replace(the_rule, missing_samples=MissingSamples.HOLD, tuning=SWARM_TUNING, min=0)
    if facts["replicas"] > the_rule.max:
        return
    queue = [one for one in the_rule.metrics if one.name == "queue" and one.target is not None]
    blind = {**facts, "number": None, "other": Number(None, 0.0, "refused")}
    seen, usage = world(blind)
    if queue and isinstance(queue[0].source, JsonUrl):
        decision = decide(the_rule, seen, usage, past, NOW)
        assert decision.desired is None or decision.desired >= facts["replicas"]
    if any(one.name == "cpu" and one.target is not None for one in the_rule.metrics):
        dark = Usage({}, world(facts)[1].numbers)
        decision = decide(the_rule, seen, dark, past, NOW)
        assert decision.desired is None or decision.desired >= facts["replicas"]


@MANY
@given(rules, worlds, pasts, st.floats(0, 3), st.floats(0, 100))
def test_more_load_never_asks_for_less(the_rule, facts, past, more, added):
    """More usage of every task and a higher number: the wanted count does not fall."""
    metrics = tuple(one for one in the_rule.metrics if not isinstance(one, ScalarMetric)
                    or not isinstance(one.source, Formula))  # fmt: skip
    the_rule = replace(the_rule, metrics=metrics, tuning=SWARM_TUNING,
                       missing_samples=MissingSamples.HOLD)  # fmt: skip
    seen, usage = world(facts)
    heavier = {
        key: replace(
            one,
            value=one.value + more * LIMIT,
            rising=None if one.rising is None else one.rising + more * LIMIT,
        )
        for key, one in usage.samples["cpu"].items()
    }
    numbers = {
        key: replace(one, value=None if one.value is None or one.value < 0 else one.value + added)
        for key, one in usage.numbers.items()
    }
    same = {key: replace(one, value=None if one.value is None or one.value < 0 else one.value)
            for key, one in usage.numbers.items()}  # fmt: skip
    before = decide(the_rule, seen, Usage(usage.samples, same), past, NOW)
    after = decide(the_rule, seen, Usage({"cpu": heavier}, numbers), past, NOW)
    if before.desired is not None and after.desired is not None:
        assert before.desired <= after.desired


@MANY
@given(rules, worlds, pasts, st.integers(-9000, 9000), st.floats(0, 4e9))
def test_no_decision_depends_on_the_wall_clock(the_rule, facts, past, shift, wall):
    """Shift all monotonic times, set the wall clock to anything: only `time` differs."""
    seen, usage = world(facts)
    decision = decide(the_rule, seen, usage, past, NOW)
    moved = replace(
        past,
        recommendations=tuple(replace(one, at=one.at + shift) for one in past.recommendations),
        events=tuple(replace(one, at=one.at + shift) for one in past.events),
        restored=tuple(at + shift for at in past.restored),
        failing_since=None if past.failing_since is None else past.failing_since + shift,
    )
    moved_view = replace(
        seen,
        version_since=seen.version_since + shift,
        tasks_read_at=seen.tasks_read_at + shift,
        running_since={key: at + shift for key, at in seen.running_since.items()},
        starting_since={key: at + shift for key, at in seen.starting_since.items()},
        pending_since={key: at + shift for key, at in seen.pending_since.items()},
        failed_at=tuple(at + shift for at in seen.failed_at),
    )
    now = Now(NOW.mono + shift, wall)
    again = decide(the_rule, moved_view, usage, moved, now)
    assert replace(again, time=decision.time) == decision


@MANY
@given(
    st.integers(1, 12),
    st.lists(st.floats(0.05, 12.0), min_size=2, max_size=25),
    st.sampled_from([0.05, 0.1, 0.3]),
    st.sampled_from([0.0, 60.0]),
)
def test_no_flip_without_a_crossing_of_the_band(replicas, loads, tolerance, window):
    """Each step up is taken above the band and each step down below it, whatever load does."""
    behavior = {"tolerance": tolerance}
    the_rule = rule(1, 40, scale_up=up(**behavior), scale_down=down(window=window, **behavior))
    past = History(started=True, own_version=VERSION)
    for step, load in enumerate(loads):
        share = load / replicas
        usage = Usage(
            {"cpu": {f"task{n}": Sample(share * LIMIT, 0.2) for n in range(1, replicas + 1)}}
        )
        now = Now(NOW.mono + 20.0 * step, NOW.wall)
        decision = decide(the_rule, view(replicas), usage, past, now)
        past = remember(past, decision)
        if isinstance(decision.action, ScaleTo):
            ratio = share / 0.5
            if decision.action.replicas > replicas:
                assert ratio > 1 + tolerance
            else:
                assert ratio < 1 - tolerance
            past = record_write(past, decision, now)
            replicas = decision.action.replicas


@MANY
@given(rules, worlds, pasts)
def test_remembering_is_stable(the_rule, facts, past):
    """Deciding again on the same facts with what was remembered changes no history further."""
    seen, usage = world(facts)
    once = remember(past, decide(the_rule, seen, usage, past, NOW))
    twice = remember(once, decide(the_rule, seen, usage, once, NOW))
    assert remember(twice, decide(the_rule, seen, usage, twice, NOW)) == twice
