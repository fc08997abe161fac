"""The agent dies at every await of the action path: no half-made action, and none doubled.

The write's task is stepped by hand: at its nth suspension the agent is cancelled, as a kill ends
it, and another one takes over on the same Swarm.
"""

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from monitor.act.writer import Writer
from monitor.model.outcome import Outcome
from monitor.simulate.loop import run_virtual
from tests.simulated.bench import Bench, check_writes, one_node
from tests.unit.build import restart_rule, scale_rule

MIB = 1024**2
SCALE = (scale_rule(min=4, max=6),)
RESTART = (restart_rule(),)


class Dies:
    """Awaits `inner` and calls `die` at its `point`th suspension; counts the suspensions."""

    def __init__(self, inner: Any, point: int, die: Any) -> None:
        self._steps = inner.__await__()
        self._point = point
        self._die = die
        self.seen = 0

    def __await__(self) -> Generator[Any, Any, Outcome]:
        value, error = None, None
        while True:
            try:
                waits_for = self._steps.throw(error) if error else self._steps.send(value)
            except StopIteration as done:
                return done.value
            if self.seen == self._point:
                self._die()
            self.seen += 1
            try:
                value, error = (yield waits_for), None
            except BaseException as thrown:
                value, error = None, thrown


async def crash_at(point: int, rules: tuple, monkeypatch: pytest.MonkeyPatch) -> int:
    """Returns how many suspensions the first write had until it died or ended."""
    swarm = one_node()
    made = Bench(swarm)
    swarm.create_service(
        "web",
        replicas=2,
        cpu_limit=0.5,
        memory_limit=100 * MIB,
        update={"Parallelism": 0, "Monitor": 10**9},
    )
    await swarm.converged("web")
    swarm.set_memory("web", lambda age: 95 * MIB if made.now() < 1100 else MIB)
    write, deaths = Writer.write, []

    async def dying(self: Writer, *args: Any) -> Outcome:
        if deaths:
            return await write(self, *args)
        death = Dies(write(self, *args), point, made.kill)
        deaths.append(death)
        return await death

    monkeypatch.setattr(Writer, "write", dying)
    async with made.agent(*rules):
        while not made.run.done() and not made.records.outcomes:
            await asyncio.sleep(0.01)
    first = len(made.records.own)
    assert first <= 1
    async with made.agent(*rules):
        await asyncio.sleep(60)
    check_writes(made.records)
    if rules is SCALE:
        assert made.replicas() == 4
        assert len(made.records.applied) == 1
    else:
        assert len(made.records.applied) == swarm.service("web").spec["TaskTemplate"]["ForceUpdate"]
        assert len(made.records.applied) == first if deaths[0].seen <= point else 1
    swarm.close()
    return deaths[0].seen


@pytest.mark.parametrize("rules", [SCALE, RESTART], ids=["scale", "restart"])
def test_death_at_any_await_leaves_nothing_half_made(rules, monkeypatch, record_property) -> None:
    """Each point between decision and outcome: at most one write, of the one field, and the next
    agent brings the service to where it is to be without doing anything twice."""
    point, total = 0, 1
    while point <= total:
        with monkeypatch.context() as patch:
            total = max(total, run_virtual(crash_at(point, rules, patch), limit=400))
        point += 1
    record_property("points", point)
    print(f"{point} points")
    assert total >= 4
