"""Situations on the very edge between two answers, and rare ones, where words go wrong first."""

from collections.abc import Iterator

from monitor.decide import Recorded
from monitor.model.history import Seen
from monitor.model.room import Room
from monitor.model.rule import Basis, Metric, MissingSamples, Policy, PolicyType, Quantity
from monitor.model.scalar import Per
from monitor.model.schedule import AfterDeployReset, Fallback
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.task import TaskState
from monitor.model.tuning import HPA_TUNING
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
    numbers,
    queue,
    rule,
    service,
    task,
    up,
    view,
)
from tests.unit.decide.scenarios import both, memory, of

MIB = 2.0**20
ONE_EACH_MINUTE = (Policy(PolicyType.REPLICAS, 1, 60.0),)


def of_bytes(target: float) -> Metric:
    return Metric("memory", MetricKind.MEMORY, Quantity(target))


def levels() -> Iterator[tuple[str, Recorded]]:
    """Shares, averages, and what is spelled of them."""
    plain = history()
    yield "at the upper edge", of(rule(), view(), cpu(0.55), plain)
    yield "at the lower edge", of(rule(), view(), cpu(0.45), plain)
    yield (
        "two metrics on target",
        of(rule(metrics=(HALF_CPU, queue())), view(), both(0.5, 40.0), plain),
    )
    cores = Metric("cpu", MetricKind.CPU, Quantity(0.04))
    yield "cores on target", of(rule(metrics=(cores,)), view(), cpu(0.4), plain)
    hundred = of_bytes(100 * MIB)
    yield (
        "one task and its memory",
        of(calm_rule(metrics=(hundred,)), view(1), memory(50, 1), plain),
    )
    high = Metric("cpu", MetricKind.CPU, Quantity(0.95, Basis.LIMIT))
    yield "a target of 95 %", of(rule(metrics=(high,)), view(), cpu(0.95), plain)
    low = Metric("cpu", MetricKind.CPU, Quantity(0.005, Basis.LIMIT))
    yield "a target of half a percent", of(rule(metrics=(low,)), view(), cpu(0.005), plain)
    reserved = service(2, cpu_reservation=LIMIT / 2)
    yield "a limit beside a reservation", of(rule(), view(2, of=reserved), cpu(0.5, 2), plain)
    tiny = {f"task{n}": Sample(2.0, 0.5) for n in range(1, 5)}
    yield (
        "a byte per task",
        of(rule(metrics=(of_bytes(1.0),)), view(), Usage({"memory": tiny}), plain),
    )
    odd = {"task1": Sample(11.0, 0.5), "task2": Sample(12.0, 0.5)}
    as_theirs = {"tuning": HPA_TUNING, "missing_samples": MissingSamples.HPA}
    whole = rule(metrics=(of_bytes(10.0),), **as_theirs)
    yield "whole averages, as an autoscaler", of(whole, view(2), Usage({"memory": odd}), plain)
    exact = Usage({"memory": {"task1": Sample(10.0, 0.5)}})
    plainly = rule(metrics=(of_bytes(10.0),))
    yield "one missing on target", of(plainly, view(2), exact, plain)
    yield "one missing on target, as an autoscaler", of(whole, view(2), exact, plain)
    quarter = Metric("cpu", MetricKind.CPU, Quantity(0.25, Basis.LIMIT))
    noisy = rule(most=50, metrics=(quarter,))
    yield "28 replicas, but for a fraction", of(noisy, view(25), cpu(0.28, 25), plain)
    yield "rising a little", of(rule(), view(2), cpu(0.5, 2, rising=0.54), plain)
    fresh = {**cpu(0.1, 3).samples["cpu"], **cpu({4: 0.1}, span=2.5).samples["cpu"]}
    yield "nearly long enough", of(calm_rule(), view(), Usage({"cpu": fresh}), plain)
    broken = {**cpu(0.1, 3).samples["cpu"], "task4": Sample(float("nan"), 5.0)}
    yield "no number, and just fresh", of(calm_rule(), view(), Usage({"cpu": broken}), plain)
    latency = queue(0.02, per=Per.TOTAL, name="latency")
    starts = [task(n, state=TaskState.STARTING) for n in (1, 2)]
    two = rule(metrics=(latency, queue()))
    yield (
        "on target without running tasks",
        of(two, view(2, tasks=starts), numbers(20.0, latency=0.02), plain),
    )


def windows() -> Iterator[tuple[str, Recorded]]:
    """Several restraints at once, and windows that begin or end now."""
    plain = history()
    slow_up = up(window=60.0, policies=ONE_EACH_MINUTE)
    yield "a window of a second", of(rule(scale_down=down(window=1.0)), view(), cpu(0.5), plain)
    yield "asked again at once", of(rule(), view(), cpu(0.2), history((0, 4)))
    calmer = rule(scale_up=up(window=60.0))
    yield "up in part", of(calmer, view(), cpu(1.0), history((10, 6)))
    yield "up in part, at a rate", of(rule(scale_up=slow_up), view(), cpu(1.0), history((10, 6)))
    yield (
        "up in part, beyond max",
        of(rule(most=5, scale_up=up(window=60.0)), view(), cpu(1.0), history((10, 6))),
    )
    slow_down = down(policies=ONE_EACH_MINUTE)
    yield (
        "down in part, at a rate",
        of(rule(scale_down=slow_down), view(8), cpu(0.1, 8), history((60, 5))),
    )
    yield "down in part, below min", of(rule(3), view(8), cpu(0.05, 8), history((60, 2)))
    yield "two recent needs", of(rule(), view(), cpu(0.2), history((80, 5), (20, 4)))
    calmest = rule(1, 4, scale_up=up(window=60.0))
    yield "at max, with a window", of(calmest, view(), cpu(1.0), history((10, 4)))
    yield "at min, with a window", of(rule(4), view(), cpu(0.1), history((80, 5)))
    turned = calm_rule(max_direction_changes=0)
    yield "no turn is allowed", of(turned, view(), cpu(0.1), history(events=(event(600, 1),)))
    waits = [task(n, state=TaskState.PENDING, node_id="") for n in (5,)]
    pending = {"task5": NOW.mono - 60}
    room = Room(9, "no node has 4 cores free")
    one = view(5, tasks=[*view().tasks, *waits], pending_since=pending, room=room)
    yield "one task waits beside room", of(rule(most=20), one, cpu(2.0), plain)


def numbers_and_zero() -> Iterator[tuple[str, Recorded]]:
    """Fallbacks as they begin, and services that wake."""
    plain, sleepy = history(), {"metrics": (queue(10.0, activation=5.0),)}
    six = rule(metrics=(queue(),), fallback=Fallback(6, 120.0))
    yield "fallback from now on", of(six, view(), Usage(), plain)
    for replicas in (6, 8):
        past = history(failing_since=NOW.mono - 60)
        yield f"fallback not needed by {replicas}", of(six, view(replicas), Usage(), past)
    at_once = rule(metrics=(queue(),), fallback=Fallback(6, 0.0))
    yield "fallback at once", of(at_once, view(), Usage(), plain)
    calm = rule(metrics=(queue(),), fallback=Fallback(6, 120.0), scale_up=up(window=60.0))
    failing = history((10, 4), failing_since=NOW.mono - 120)
    yield "fallback stabilized", of(calm, view(), Usage(), failing)
    percents = up(policies=(Policy(PolicyType.PERCENT, 100, 15.0),))
    risen = rule(0, scale_up=percents, fallback=Fallback(6, 120.0), **sleepy)
    blind = history(failing_since=NOW.mono - 120)
    yield "fallback from zero by percentages", of(risen, view(0), Usage(), blind)
    slowly = rule(0, scale_up=up(window=60.0), **sleepy)
    yield "woken up in part", of(slowly, view(0), numbers(25.0), history((10, 1)))
    yield "woken up for two", of(rule(0, **sleepy), view(0), numbers(10.5), plain)
    yield (
        "woken up by percentages",
        of(rule(0, scale_up=percents, **sleepy), view(0), numbers(25.0), plain),
    )


def held_and_guarded() -> Iterator[tuple[str, Recorded]]:
    """What stands against a change, and what is said where there is none to make."""
    plain = history()
    cool = rule(scale_up=up(cooldown=60.0), scale_down=down(window=0.0, cooldown=90.0))
    recent = history(events=(event(20, 1),))
    yield "on target within a cooldown", of(cool, view(), cpu(0.5), recent)
    some = cpu({1: 0.1, 2: 0.1, 3: 0.1})
    yield "one missing and stabilized", of(rule(), view(), some, history((80, 4)))
    rolling = view(of=service(4, update_state=UpdateState.UPDATING))
    ours = {"set_by_us": 4, "seen": Seen(VERSION, 4, "t")}
    yield "an update of our own number", of(rule(), rolling, cpu(1.0), history(**ours))
    yield "out of sync with what was seen", of(rule(), view(fresh=False), cpu(1.0), history(**ours))
    empty = view(0, of=service(0, update_state=UpdateState.UPDATING))
    sleepy = rule(0, metrics=(queue(10.0, activation=5.0),))
    yield "an update of what sleeps", of(sleepy, empty, numbers(0.0), plain)
    counted = service(4, mode=ServiceMode.GLOBAL)
    yield "a global service with a count", of(rule(), view(of=counted), cpu(1.0), plain)
    restore = rule(after_deploy_reset=AfterDeployReset.RESTORE)
    deployed = view(2, version_since=NOW.mono - 0.5, room=Room(2, "full"))
    reset = history(set_by_us=10, own_version=41, seen=Seen(41, 10, "old"))
    yield "deploy without room", of(restore, deployed, cpu(0.5, 2), reset)


def edges() -> dict[str, Recorded]:
    found = (*levels(), *windows(), *numbers_and_zero(), *held_and_guarded())
    return {f"edge: {name}": recorded for name, recorded in found}
