"""Lives a plan: its faults at their times, the watchers beside them, and the calm at the end."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from monitor.model.decision import Decision
from monitor.model.reason import Reason
from tests.simulated.dst.history import History, Injected, Rested
from tests.simulated.dst.kinds import KINDS
from tests.simulated.dst.plan import Fault, Plan
from tests.simulated.dst.rule_files import HIGH, LOW
from tests.simulated.dst.watchers import Watchers
from tests.simulated.dst.world import MIB, SERVICES, World, world
from tests.simulated.hosts import run_on_hosts

RESTS_WITHIN = 240.0
"""Seconds: the longest pause of a person, and what the agents need after it."""

FEWER, FOLLOWS = 3, 60.0
"""Replicas that the rules allow in the very end, and seconds until services have no more."""

TOLERANCE = 0.1 + 1e-9


@dataclass(frozen=True, slots=True)
class Lived:
    """seconds: virtual ones."""

    plan: Plan
    history: History
    seconds: float


def live(plan: Plan) -> Lived:
    """On a loop of its own. Whatever ends an agent by itself is raised."""
    return run_on_hosts(_live(plan), limit=plan.minutes * 60 + 2 * RESTS_WITHIN)


async def _live(plan: Plan) -> Lived:
    async with world(plan) as made:
        began = made.now()
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(Watchers(made).run())
            await _inject(made, plan, began)
            await _rest(made)
            watching.cancel()
        ended = [one for one in made.all if one.run.done() and not one.run.cancelled()]
        seconds = made.now() - began
    for one in ended:
        if (error := one.run.exception()) is not None:
            error.add_note(f"{one.name} ended by itself")
            raise error
    return Lived(plan, made.history, seconds)


async def _inject(made: World, plan: Plan, began: float) -> None:
    loop = asyncio.get_running_loop()
    if plan.setting["rests_first"]:
        await _until(made, lambda: bool(made.actors()), 60.0)
    open_ends: dict[int, Callable[[], None]] = {}
    for number, fault in enumerate(plan.faults):
        await asyncio.sleep(max(began + fault.at - made.now(), 0.0))
        undo = _begin(made, fault)
        if undo is not None:
            open_ends[number] = undo
            loop.call_later(fault.lasts, _end, made, open_ends, number, fault)
    await asyncio.sleep(max(began + plan.minutes * 60 - made.now(), 0.0))
    for number in list(open_ends):
        _end(made, open_ends, number, plan.faults[number])


def _begin(made: World, fault: Fault) -> Callable[[], None] | None:
    made.note(Injected(made.now(), fault.kind, json.dumps(dict(fault.args))))
    return KINDS[fault.kind].begin(made, fault.args)


def _end(made: World, ends: dict[int, Callable[[], None]], number: int, fault: Fault) -> None:
    undo = ends.pop(number, None)
    if undo is not None and not made.closing:
        made.note(Injected(made.now(), fault.kind, json.dumps(dict(fault.args)), over=True))
        undo()


async def _rest(made: World) -> None:
    """Everything is repaired; the services' owners deploy what works."""
    swarm = made.swarm
    swarm.has_leader = True
    made.heal_all()
    made.disarm()
    made.partitioned.clear()
    made.ward.give_back()
    made.prometheus.use("")
    made.use_files(made.rule_text())
    for node_id in made.ids.values():
        faults = swarm.engine(node_id).faults
        faults.lose_replies, faults.latency, faults.answer_delay = 0, 0.002, None
        faults._once.clear()
    for process in made.processes.values():
        if process.host.frozen:
            made.thaw(process)
    await asyncio.sleep(1)
    for name in SERVICES:
        if not made.replicas(name):
            swarm.scale(name, LOW)
        swarm.deploy(name, "app:9")
        swarm.set_memory(name, 20 * MIB)
        made.set_load(name, {"web": 5.0, "api": 3.0, "jobs": 4.0}[name])
    made.ward.repair()
    began = made.now()
    rested = await _until(made, lambda: not amiss(made), RESTS_WITHIN)
    made.note(Rested(made.now(), made.now() - began if rested else None, amiss(made)))
    if rested:
        await _follow(made)


async def _follow(made: World) -> None:
    """Rules that change when nothing else does are followed as well."""
    made.use_files(made.rule_text(FEWER))
    began = made.now()
    done = await _until(made, lambda: all(made.replicas(o) <= FEWER for o in SERVICES), FOLLOWS)
    why = "" if done else f"rules that allow {FEWER} replicas at most are not followed"
    made.note(Rested(made.now(), made.now() - began if done else None, why))


def amiss(made: World) -> str:
    """What is not as it should be; more replicas than needed are let pass where it was scaled up
    and down so often within the hour that it is not scaled down any more."""
    if len(made.actors()) != 1:
        return f"{len(made.actors())} agents act"
    for name in SERVICES:
        replicas, running = made.replicas(name), len(made.swarm.running(name))
        if replicas * (1 + TOLERANCE) < made.wanted[name] or replicas > HIGH:
            return f"{name} has {replicas} replicas and needs {made.wanted[name]:g}"
        if replicas > made.wanted[name] * (1 + TOLERANCE) + 1 and not _flapping(made, name):
            return f"{name} has {replicas} replicas and needs no more than {made.wanted[name]:g}"
        if running != replicas:
            return f"{running} of the {replicas} replicas of {name} run"
    return made.ward.amiss()


def _flapping(made: World, name: str) -> bool:
    return any(one.service_name == name and one.reason is Reason.FLAPPING for one in newest(made))


async def _until(made: World, met: Callable[[], bool], within: float) -> bool:
    start = made.now()
    while not met():
        if made.now() - start > within:
            return False
        await asyncio.sleep(0.5)
    return True


def newest(made: World) -> list[Decision]:
    return [one for process in made.actors() for one in process.latest.values()]
