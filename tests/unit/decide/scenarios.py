"""Situations by name, each with all that a decision is made of; one for every way it comes out."""

from collections.abc import Iterator
from typing import Any

from monitor.decide import Recorded, record
from monitor.model.history import History, Seen
from monitor.model.node import NodeState
from monitor.model.room import Room
from monitor.model.rule import (
    Basis,
    Metric,
    MissingSamples,
    Policy,
    PolicyType,
    Quantity,
    SelectPolicy,
)
from monitor.model.scalar import Formula, Per, ScalarMetric, TasksPending
from monitor.model.schedule import AfterDeployReset, Fallback
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.task import TaskState
from monitor.model.tuning import HPA_TUNING, Count, UpscaleCap
from monitor.model.usage import MetricKind, Sample, Usage
from tests.unit.decide.make import (
    HALF_CPU,
    LIMIT,
    NOW,
    VERSION,
    calm_rule,
    cpu,
    down,
    event,
    history,
    node,
    numbers,
    queue,
    rule,
    service,
    task,
    up,
    view,
)

MIB = 2.0**20
MEMORY = Metric("memory", MetricKind.MEMORY, Quantity(100 * MIB))
SWINGS = tuple(event(600 * n, 2 if n % 2 else -2) for n in range(5, 0, -1))


def of(the_rule: Any, seen: Any, usage: Usage, past: History, **more: Any) -> Recorded:
    return record(the_rule, seen, usage, past, NOW, **more)


def memory(mib: float, count: int = 4) -> Usage:
    return Usage({"memory": {f"task{n}": Sample(mib * MIB, 0.5) for n in range(1, count + 1)}})


def both(share: float, value: float, count: int = 4) -> Usage:
    return Usage(cpu(share, count).samples, numbers(value).numbers)


def load() -> Iterator[tuple[str, Recorded]]:
    plain = history()
    yield "above target", of(rule(), view(2), cpu(0.95, 2), plain)
    yield "far above target", of(rule(most=50), view(), cpu(2.5), plain)
    yield "beyond max", of(rule(1, 6), view(), cpu(1.0), plain)
    yield "at max", of(rule(1, 4), view(), cpu(1.0), plain)
    yield "on target", of(rule(), view(), cpu(0.5), plain)
    yield "within tolerance", of(rule(), view(), cpu(0.52), plain)
    yield "just enough", of(rule(), view(2), cpu(0.4, 2), plain)
    yield "below target", of(calm_rule(), view(), cpu(0.2), plain)
    yield "below min", of(calm_rule(3), view(), cpu(0.1), plain)
    yield "at min", of(calm_rule(4), view(), cpu(0.1), plain)
    yield "idle", of(calm_rule(), view(), cpu(0.0), plain)
    yield "rising", of(rule(), view(2), cpu(0.5, 2, rising=0.95), plain)
    yield "rising is no number", of(rule(), view(2), cpu(0.5, 2, rising=float("nan")), plain)
    yield (
        "two metrics",
        of(
            rule(metrics=(HALF_CPU, MEMORY)),
            view(),
            Usage({**cpu(0.25).samples, **memory(200).samples}),
            plain,
        ),
    )
    yield "memory alone", of(calm_rule(metrics=(MEMORY,)), view(), memory(12.5), plain)
    cores = Metric("cpu", MetricKind.CPU, Quantity(0.04))
    yield "cores", of(rule(metrics=(cores,)), view(), cpu(0.8), plain)
    auto = rule(metrics=(Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.AUTO)),))
    yield (
        "of the reservation",
        of(auto, view(2, of=service(2, cpu_reservation=0.05)), cpu(0.5, 2), plain),
    )
    share = Metric("memory", MetricKind.MEMORY, Quantity(0.5, Basis.RESERVATION))
    yield (
        "of reserved memory",
        of(
            rule(metrics=(share,)),
            view(of=service(4, memory_reservation=int(300 * MIB))),
            memory(290),
            plain,
        ),
    )
    for basis in Basis:
        bare = view(of=service(4, cpu_limit=None, memory_limit=None))
        for kind in (MetricKind.CPU, MetricKind.MEMORY, MetricKind.NETWORK_TRANSMIT):
            lacking = rule(metrics=(Metric("cpu", kind, Quantity(0.6, basis)),))
            yield f"no request: {kind.value} of {basis.value}", of(lacking, bare, cpu(1.0), plain)
    received = Metric("rx", MetricKind.NETWORK_RECEIVE, Quantity(2 * MIB))
    traffic = {f"task{n}": Sample(3 * MIB, 0.5) for n in range(1, 5)}
    yield "traffic", of(rule(metrics=(received,)), view(), Usage({"rx": traffic}), plain)
    yield "no metrics", of(rule(metrics=()), view(), Usage(), plain)
    yield "an input alone", of(rule(metrics=(queue(None),)), view(), numbers(3.0), plain)
    yield "above the bounds", of(rule(1, 3), view(), Usage(), plain)
    yield "below the bounds", of(rule(6), view(), Usage(), plain)


def pace() -> Iterator[tuple[str, Recorded]]:
    plain = history()
    yield "stabilized", of(rule(), view(), cpu(0.2), history((80, 4)))
    yield (
        "two metrics stabilized",
        of(rule(metrics=(HALF_CPU, queue())), view(), both(0.2, 5.0), history((80, 4))),
    )
    yield (
        "one replica stabilized",
        of(rule(0, metrics=(HALF_CPU, queue())), view(1), both(0.0, 0.0, 1), history((80, 1))),
    )
    yield "stabilized in part", of(rule(), view(8), cpu(0.1, 8), history((60, 6)))
    yield "first look", of(rule(), view(), cpu(0.1), History(own_version=VERSION))
    yield "up window", of(rule(scale_up=up(window=60.0)), view(), cpu(1.0), history((10, 4)))
    slow = up(policies=(Policy(PolicyType.REPLICAS, 2, 15.0),))
    used = history(events=(event(5, 2),))
    yield "up rate used", of(rule(most=50, scale_up=slow), view(), cpu(1.0), used)
    gentle = down(window=0.0, policies=(Policy(PolicyType.PERCENT, 25, 60.0),))
    yield "down rate", of(rule(scale_down=gentle), view(8), cpu(0.1, 8), plain)
    yield (
        "down rate used",
        of(rule(scale_down=gentle), view(6), cpu(0.1, 6), history(events=(event(20, -2),))),
    )
    least = up(
        select_policy=SelectPolicy.MIN,
        policies=(Policy(PolicyType.REPLICAS, 1, 60.0), Policy(PolicyType.PERCENT, 100, 60.0)),
    )
    yield "the smaller policy", of(rule(scale_up=least), view(), cpu(1.0), plain)
    for name, direction, share in (("up", "scale_up", 1.0), ("down", "scale_down", 0.1)):
        off = (up if name == "up" else down)(window=0.0, select_policy=SelectPolicy.DISABLED)
        yield f"{name} disabled", of(rule(**{direction: off}), view(), cpu(share), plain)
        none = (up if name == "up" else down)(window=0.0, policies=())
        yield f"{name} without policies", of(rule(**{direction: none}), view(), cpu(share), plain)
    cool = rule(scale_up=up(cooldown=60.0), scale_down=down(window=0.0, cooldown=90.0))
    recent = history(events=(event(20, 1),))
    yield "cooldown up", of(cool, view(), cpu(0.9), recent)
    yield "cooldown down", of(cool, view(), cpu(0.1), recent)
    flapping = calm_rule(max_direction_changes=4)
    yield "flapping", of(flapping, view(), cpu(0.1), history(events=SWINGS))
    yield "flapping and busy", of(flapping, view(), cpu(0.9), history(events=SWINGS))
    yield (
        "flapping above max",
        of(calm_rule(1, 3, max_direction_changes=4), view(), Usage(), history(events=SWINGS)),
    )
    yield "flapping and blind", of(flapping, view(), Usage(), history(events=SWINGS))
    crashes = (NOW.mono - 100, NOW.mono - 50, NOW.mono - 1)
    yield "crash loop", of(calm_rule(), view(failed_at=crashes), cpu(0.1), plain)
    capped = rule(tuning=HPA_TUNING, missing_samples=MissingSamples.HPA)
    yield "as an autoscaler", of(capped, view(), cpu(0.95), plain)


def missing() -> Iterator[tuple[str, Recorded]]:
    plain = history()
    yield "no samples", of(calm_rule(), view(), Usage(), plain)
    yield (
        "no samples, as an autoscaler",
        of(calm_rule(missing_samples=MissingSamples.HPA), view(), Usage(), plain),
    )
    yield "one missing, calm", of(calm_rule(), view(), cpu({1: 0.01, 2: 0.01, 3: 0.01}), plain)
    yield "one missing, busy", of(rule(), view(), cpu({1: 0.9, 2: 0.4, 3: 0.4}), plain)
    yield "one missing, idle", of(rule(), view(), cpu({1: 0.2, 2: 0.4, 3: 0.4}), plain)
    stale = dict(cpu(0.01).samples["cpu"])
    stale["task4"] = Sample(0.01, 6.0, None, 15.0)
    stale["task3"] = Sample(float("nan"), 0.5, None, 15.0)
    yield "stale and broken", of(calm_rule(), view(), Usage({"cpu": stale}), plain)
    starting = [task(1), task(2), *(task(n, state=TaskState.STARTING) for n in (3, 4))]
    yield "starting", of(rule(), view(tasks=starting), cpu({1: 0.95, 2: 0.95}), plain)
    fresh = {**cpu(0.1, 3).samples["cpu"], "task4": Sample(0.001, 0.1, None, 1.0)}
    yield "one too fresh", of(calm_rule(), view(), Usage({"cpu": fresh}), plain)
    all_fresh = Usage({"cpu": {f"task{n}": Sample(0.1, 0.1, None, 1.0) for n in range(1, 5)}})
    yield "all too fresh", of(calm_rule(), view(), all_fresh, plain)
    only = [task(n, state=TaskState.STARTING) for n in (1, 2)]
    yield "none runs", of(rule(), view(2, tasks=only), Usage(), plain)
    yield "no tasks", of(rule(), view(2, tasks=[]), Usage(), plain)
    yield (
        "some not running",
        of(calm_rule(), view(tasks=[task(1), task(2), task(3)]), cpu(0.1, 3), plain),
    )
    yield "few under load", of(calm_rule(), view(tasks=[task(1), task(2)]), cpu(0.75, 2), plain)
    yield (
        "counting replicas",
        of(rule(count=Count.REPLICAS), view(tasks=[task(1), task(2)]), cpu(0.75, 2), plain),
    )
    lost = [task(1), task(2), task(3), task(4, node_id="n2")]
    yield (
        "node down",
        of(calm_rule(), view(tasks=lost, nodes=[node("n2", NodeState.DOWN)]), cpu(0.01), plain),
    )
    warm = rule(warm_up=30.0)
    young = {"task3": NOW.mono - 10, "task4": NOW.mono - 20}
    yield "warming up", of(warm, view(running_since=young), cpu(0.95), plain)
    begun = {"task3": NOW.mono - 25, "task4": NOW.mono - 50}
    checked = service(start_period=45.0)
    early = view(of=checked, running_since=young, starting_since=begun)
    yield "within the start period", of(rule(), early, cpu(0.95), plain)
    yield "no warm-up despite a start period", of(rule(warm_up=0.0), early, cpu(0.95), plain)
    yield (
        "a failing metric beside a calm one",
        of(calm_rule(metrics=(HALF_CPU, MEMORY)), view(), cpu(0.1), plain),
    )
    yield (
        "a failing metric beside a busy one",
        of(calm_rule(metrics=(HALF_CPU, MEMORY)), view(), cpu(0.9), plain),
    )
    waits = [task(n, state=TaskState.PENDING, node_id="") for n in (5, 6)]
    pending = {"task5": NOW.mono - 60, "task6": NOW.mono - 30}
    stuck = view(6, tasks=[*view().tasks, *waits], pending_since=pending)
    yield "tasks wait, busy", of(rule(most=20), stuck, cpu(2.0), plain)
    yield "tasks wait, calm", of(calm_rule(), stuck, cpu(0.2), plain)
    one = view(5, tasks=[*view().tasks, waits[0]], pending_since=pending, room=Room(4, "full"))
    yield "one task waits", of(rule(most=20), one, cpu(2.0), plain)
    full = Room(4, "no node has 0.5 cores free")
    yield "some fit", of(rule(), view(2, room=full), cpu(2.0, 2), plain)
    yield "none fits", of(rule(), view(room=full), cpu(1.0), plain)
    yield "none fits for no known reason", of(rule(), view(room=Room(2)), cpu(1.0), plain)


def service_numbers() -> Iterator[tuple[str, Recorded]]:
    plain = history()
    yield "queue", of(rule(metrics=(queue(),)), view(), numbers(62.0), plain)
    yield "queue on target", of(rule(metrics=(queue(),)), view(), numbers(40.0), plain)
    latency = rule(metrics=(queue(0.02, per=Per.TOTAL),))
    yield "latency", of(latency, view(), numbers(0.03), plain)
    yield "latency on target", of(latency, view(), numbers(0.02), plain)
    yield "unread", of(rule(metrics=(queue(),)), view(), Usage(), plain)
    yield "refused", of(rule(metrics=(queue(),)), view(), numbers(None, 1.0, "refused"), plain)
    yield "old", of(rule(metrics=(queue(),)), view(), numbers(3.0, 99.0, "refused"), plain)
    yield "negative", of(rule(metrics=(queue(),)), view(), numbers(-3.0), plain)
    yield "target of zero", of(rule(metrics=(queue(0.0),)), view(), numbers(3.0), plain)
    two = (queue(None), ScalarMetric("load", Formula("(queue - 20) * 2"), 10.0))
    yield "formula", of(rule(metrics=two), view(), numbers(45.0), plain)
    usage = Metric("cpu", MetricKind.CPU, None)
    summed = (usage, ScalarMetric("load", Formula("cpu"), 0.05))
    yield "formula of usage", of(rule(metrics=summed), view(), cpu(0.9), plain)
    yield (
        "formula of missing usage",
        of(calm_rule(metrics=summed), view(), cpu({1: 0.1, 2: 0.1}), plain),
    )
    excused = (usage, ScalarMetric("load", Formula("default(cpu, 0)"), 0.05))
    yield (
        "formula that excuses missing usage",
        of(calm_rule(metrics=excused), view(), cpu({1: 0.1, 2: 0.1}), plain),
    )
    young = {**cpu(0.1, 3).samples["cpu"], "task4": Sample(0.001, 0.1, None, 1.0)}
    yield (
        "formula with a fresh task",
        of(calm_rule(metrics=summed), view(), Usage({"cpu": young}), plain),
    )
    new = Usage({"cpu": {f"task{n}": Sample(0.1, 0.1, None, 1.0) for n in range(1, 5)}})
    yield "formula that excuses fresh usage", of(calm_rule(metrics=excused), view(), new, plain)
    mixed = Usage({"cpu": {"task4": Sample(0.001, 0.1, None, 1.0)}})
    yield "formula that excuses both", of(calm_rule(metrics=excused), view(), mixed, plain)
    idle = Usage({"cpu": {f"task{n}": Sample(0.0, 0.1, None, 15.0) for n in range(1, 5)}})
    yield "formula of idle usage", of(calm_rule(metrics=summed), view(), idle, plain)
    nobody = (ScalarMetric("load", Formula("default(nobody, 50)"), 10.0),)
    yield "formula that excuses a missing metric", of(rule(metrics=nobody), view(), Usage(), plain)
    broken = (queue(None), ScalarMetric("load", Formula("queue / 0"), 10.0))
    yield "formula that divides by zero", of(rule(metrics=broken), view(), numbers(45.0), plain)
    itself = (ScalarMetric("load", Formula("load + 1"), 10.0),)
    yield "formula of itself", of(rule(metrics=itself), view(), Usage(), plain)
    waiting = (ScalarMetric("waiting", TasksPending(), 0.5),)
    yield "tasks pending", of(rule(metrics=waiting), view(), Usage(), plain)
    only = [task(n, state=TaskState.STARTING) for n in (1, 2)]
    yield "total without running tasks", of(latency, view(2, tasks=only), numbers(3.0), plain)
    six = rule(metrics=(queue(),), fallback=Fallback(6, 120.0))
    yield "fallback soon", of(six, view(), Usage(), history(failing_since=NOW.mono - 119))
    yield "fallback", of(six, view(), Usage(), history(failing_since=NOW.mono - 120))
    yield "fallback met", of(six, view(8), Usage(), history(failing_since=NOW.mono - 120))
    yield "fallback not needed", of(six, view(), numbers(40.0), plain)
    full = view(room=Room(4, "full"))
    yield "fallback without room", of(six, full, Usage(), history(failing_since=NOW.mono - 120))


def zero() -> Iterator[tuple[str, Recorded]]:
    plain, sleepy = history(), {"metrics": (queue(10.0, activation=5.0),)}
    yield "woken up", of(rule(0, **sleepy), view(0), numbers(25.0), plain)
    yield "sleeps on", of(rule(0, **sleepy), view(0), numbers(5.0), plain)
    yield "asleep and blind", of(rule(0, **sleepy), view(0), Usage(), plain)
    yield "goes to sleep", of(calm_rule(0, **sleepy), view(2), numbers(3.0), plain)
    yield "may sleep soon", of(rule(0, **sleepy), view(1), numbers(0.0), history((100, 1)))
    yield "may sleep in part", of(rule(0, **sleepy), view(3), numbers(0.0), history((100, 1)))
    pair = (*sleepy["metrics"], queue(10.0, name="jobs"))
    yield (
        "two quiet numbers",
        of(calm_rule(0, metrics=pair), view(1), numbers(0.0, jobs=0.0), history()),
    )
    yield "two numbers wake", of(rule(0, metrics=pair), view(0), numbers(9.0, jobs=1.0), plain)
    yield "two numbers sleep on", of(rule(0, metrics=pair), view(0), numbers(0.0, jobs=0.0), plain)
    yield "kept awake", of(calm_rule(0, metrics=(queue(1000.0),)), view(1), numbers(6.0), plain)
    busy = Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.LIMIT), activation=0.2)
    two = calm_rule(0, metrics=(busy, *sleepy["metrics"]))
    yield "usage keeps awake", of(two, view(), both(0.3, 0.0), plain)
    yield "usage and numbers are quiet", of(two, view(), both(0.1, 0.0), plain)
    lazy = calm_rule(0, metrics=(HALF_CPU, queue(None)))
    yield "usage alone never sleeps", of(lazy, view(1), cpu(0.0, 1), plain)
    yield "usage alone never wakes", of(calm_rule(0), view(0), Usage(), plain)
    never = rule(0, scale_up=up(select_policy=SelectPolicy.DISABLED), **sleepy)
    yield "may not wake", of(never, view(0), numbers(25.0), plain)
    yield "a person's zero", of(rule(2), view(0), Usage(), plain)
    yield (
        "a person's zero with min 0",
        of(rule(0, **sleepy), view(0), numbers(25.0), history(zero_by_user=True)),
    )


def guarded() -> Iterator[tuple[str, Recorded]]:
    for state in UpdateState:
        seen = view(of=service(4, update_state=state, update_message="task failed"))
        yield f"update is {state.value}", of(rule(), seen, cpu(1.0), history())
    quiet = view(of=service(4, update_state=UpdateState.PAUSED))
    yield "paused for no known reason", of(rule(), quiet, cpu(0.5), history())
    gap = view(version_since=NOW.mono - 0.5)
    yield "gap after a change", of(rule(), gap, cpu(1.0), history(own_version=1))
    old = view(tasks=[task(1, template="old")], version_since=NOW.mono - 60)
    yield "tasks of an old template", of(rule(), old, cpu(1.0), history(own_version=1))
    yield "out of sync", of(rule(), view(fresh=False), cpu(1.0), history())
    yield "own service", of(rule(), view(), cpu(1.0), history(), own_service=True)
    yield "ambiguous", of(rule(), view(), cpu(1.0), history(), rivals=("other", "another"))
    for mode in (ServiceMode.GLOBAL, ServiceMode.REPLICATED_JOB, ServiceMode.GLOBAL_JOB):
        yield (
            f"mode {mode.value}",
            of(rule(), view(of=service(None, mode=mode)), cpu(1.0), history()),
        )
    restore = rule(after_deploy_reset=AfterDeployReset.RESTORE)
    ours = {"set_by_us": 10, "own_version": 41, "seen": Seen(41, 10, "old")}
    deployed = view(2, version_since=NOW.mono - 0.5)
    yield "deploy restored", of(restore, deployed, Usage(), history(**ours))
    yield "deploy waited for", of(rule(), deployed, cpu(0.5, 2), history(**ours))
    tired = history(restored=(NOW.mono - 900, NOW.mono - 600, NOW.mono - 60), **ours)
    yield "deploy restored too often", of(restore, deployed, cpu(0.5, 2), tired)


def as_without_behavior() -> Iterator[tuple[str, Recorded]]:
    tuning = HPA_TUNING
    tuning = type(tuning)(
        **{name: getattr(tuning, name) for name in tuning.__slots__ if name != "upscale_cap"},
        upscale_cap=UpscaleCap(),
    )
    plain = rule(1, 50, tuning=tuning, missing_samples=MissingSamples.HPA)
    yield "growth is capped", of(plain, view(), cpu(3.0), history())
    yield "growth is turned round", of(plain, view(), cpu(0.5), history((60, 6)))
    yield "shrinking is held", of(plain, view(), cpu(0.1), history((60, 4)))


def everything() -> dict[str, Recorded]:
    parts = (load, pace, missing, service_numbers, zero, guarded, as_without_behavior)
    return {name: recorded for part in parts for name, recorded in part()}


__all__ = ["LIMIT", "everything"]
