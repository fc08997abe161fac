"""Restarting one agent, or all, loses no cooldown, budget, pause or parked count."""

import asyncio
import random
from dataclasses import replace

import pytest

from monitor.control.survival import CHECK_EVERY
from monitor.model.event import Event
from monitor.model.outcome import OutcomeKind
from monitor.model.pause import PauseScope
from monitor.model.reason import Reason
from monitor.model.rule import Budget
from monitor.model.selector import Selector
from monitor.ports.errors import NotAManager
from monitor.simulate.loop import run_virtual
from monitor.store.state_config import NAME
from tests.simulated.surviving import (
    BUSY,
    CALM,
    COOLDOWN,
    COOLING,
    LEAK,
    MIB,
    Fleet,
    cooled,
    fleet,
    web,
)
from tests.simulated.virtual import virtual
from tests.unit.build import scale_rule


@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0])
def test_a_standby_that_takes_over_keeps_the_cooldown(skew) -> None:
    """It has seen the state change, so not even a wall clock that is an hour off matters."""

    async def run() -> None:
        async with fleet(COOLING) as made:
            await web(made)
            first = await made.start("a", acts=True)
            standby = await made.start("b", skew=skew)
            await made.until(lambda: made.replicas() == 2)
            at = made.records.applied[0].at
            await asyncio.sleep(20)
            await made.end(first)
            made.lease.give("b")
            standby.survival.hint()
            await made.until(lambda: made.replicas() == 4, within=COOLDOWN)
            cooled(made, at)

    run_virtual(run(), limit=600)


@pytest.mark.parametrize("skew", [0.0, -3600.0])
def test_all_agents_restarted_keep_the_cooldown(skew) -> None:
    """Only the store remembers; a clock that is behind makes the wait longer, never shorter."""

    async def run() -> None:
        async with fleet(COOLING) as made:
            await web(made)
            first = await made.start("a", acts=True)
            await made.until(lambda: made.replicas() == 2)
            at = made.records.applied[0].at
            await asyncio.sleep(30)
            await made.end(first)
            await asyncio.sleep(10)
            await made.start("a", skew=skew, acts=True)
            await made.until(lambda: made.replicas() == 4, within=2 * COOLDOWN)
            waited = made.records.applied[1].at - at
            assert COOLDOWN - 0.1 <= waited <= COOLDOWN + 10 + (45 if skew else 0)

    run_virtual(run(), limit=600)


@virtual(limit=3000)
async def test_a_budget_is_spent_once_however_often_agents_change() -> None:
    """Two restarts in ten minutes, though each is another agent's, as are the refusals."""
    async with fleet(LEAK) as made:
        await web(made, update={"Parallelism": 0, "Monitor": 10**9})
        made.used.memory = 95.0 * MIB
        began = made.swarm.mono()
        agent = await made.start("a", acts=True)
        for number in range(7):
            await asyncio.sleep(80)
            await made.end(agent)
            agent = await made.start("ab"[number % 2], acts=True)
        assert made.swarm.mono() - began < 600
        assert made.restarts() == 2
        assert Reason.BUDGET in {decision.reason for decision in made.records.decisions}
        await made.until(lambda: made.restarts() == 3, within=200)


class Slain:
    """Kills an agent at the nth suspension of what its write does, intent and read included."""

    def __init__(self, made: Fleet, agent, point: int) -> None:
        self.point, self.seen = point, 0
        self.made, self.agent = made, agent
        inner = agent.controller.writes._fly
        agent.controller.writes._fly = lambda *args: self.stepped(inner(*args))

    async def stepped(self, work) -> None:
        await _Steps(work, self)

    def step(self) -> None:
        if self.seen == self.point:
            self.agent.kill()
        self.seen += 1


class _Steps:
    def __init__(self, work, slain: Slain) -> None:
        self._steps, self._slain = work.__await__(), slain

    def __await__(self):
        value, error = None, None
        while True:
            try:
                waits_for = self._steps.throw(error) if error else self._steps.send(value)
            except StopIteration as done:
                return done.value
            self._slain.step()
            try:
                value, error = (yield waits_for), None
            except BaseException as thrown:
                value, error = None, thrown


async def crash_scaling(point: int) -> int:
    async with fleet(COOLING) as made:
        await web(made)
        first = await made.start("a", acts=True)
        slain = Slain(made, first, point)
        await made.until(lambda: first.dead or made.replicas() == 2)
        await asyncio.sleep(0.5)
        await made.end(first)
        before = len(made.records.applied)
        took_over = made.swarm.mono()
        await made.start("b", acts=True)
        await made.until(lambda: made.replicas() == 2, within=5)
        assert made.swarm.mono() - took_over < 5
        assert len(made.records.applied) == 1, "scaled twice"
        await made.until(lambda: made.replicas() == 4, within=COOLDOWN + 20)
        cooled(made, made.records.applied[0].at)
        assert before <= 1
        return slain.seen


async def crash_restarting(point: int) -> int:
    once = replace(LEAK, budget=Budget(1, 600.0))
    async with fleet(once) as made:
        await web(made, update={"Parallelism": 0, "Monitor": 10**9})
        made.used.memory = 95.0 * MIB
        first = await made.start("a", acts=True)
        slain = Slain(made, first, point)
        await made.until(lambda: first.dead or made.restarts() == 1, within=120)
        await asyncio.sleep(0.5)
        await made.end(first)
        second = await made.start("b", acts=True)
        await asyncio.sleep(200)
        assert made.restarts() == 1, "the budget of one was spent twice, or for nothing"
        service_id = made.swarm.service("web").id
        assert len(second.history(service_id, "leak").restarts) == 1
        return slain.seen


@pytest.mark.parametrize("crash", [crash_scaling, crash_restarting])
def test_death_at_any_await_of_a_write_loses_and_doubles_nothing(crash, record_property) -> None:
    """From the intent to the outcome: the next agent does what was not done, does not do again
    what was done, and waits for the cooldown or the budget from then on."""
    point, total = 0, 1
    while point <= total:
        total = max(total, run_virtual(crash(point), limit=900))
        point += 1
    record_property("points", point)
    assert total >= 6, total


@virtual(limit=600)
async def test_pauses_survive_all_agents() -> None:
    """Kept at once, in force at the next agent before it acts, ended on time."""
    async with fleet(COOLING) as made:
        await web(made)
        made.used.cpu = CALM
        first = await made.start("a", acts=True)
        await made.until(lambda: first.survival.ready_for(made.lease.term) == "")
        now = made.swarm.clock.now()
        pauses = first.controller.pauses.having(PauseScope.ALL, "", 100.0, now, by="ann")
        assert await first.controller.keep_pauses(pauses) == ""
        await made.end(first)
        began = made.swarm.mono()
        made.used.cpu = BUSY
        second = await made.start("b", acts=True)
        await asyncio.sleep(60)
        assert made.records.own == []
        assert second.controller.pauses.on("web", "r1", made.swarm.clock.now()).by == "ann"
        await made.until(lambda: made.replicas() == 2, within=60)
        assert made.records.applied[0].at - began >= 99.0


@virtual(limit=900)
async def test_what_was_done_before_is_known_to_the_next_agent() -> None:
    """`why` asks the new one: it shows what the old one did, and what became of it."""
    async with fleet(COOLING) as made:
        await web(made)
        first = await made.start("a", acts=True)
        await made.until(lambda: made.replicas() == 2)
        await asyncio.sleep(3)
        done = next(e for e in first.controller.book.entries("web") if e.decision.action)
        await made.end(first)
        second = await made.start("b", acts=True)
        await asyncio.sleep(5)
        (seen,) = [e for e in second.controller.book.entries("web") if e.decision.action]
        assert seen.decision.sentence == done.decision.sentence
        assert seen.outcome.kind is OutcomeKind.APPLIED
        assert abs(seen.decision.time.mono - done.decision.time.mono) < 0.01


@virtual(limit=900)
async def test_a_person_who_scaled_while_no_agent_ran_is_noticed() -> None:
    """What a rule had set is not its own any more, as if the agent had been there."""
    async with fleet(COOLING) as made:
        service_id = await web(made)
        first = await made.start("a", acts=True)
        await made.until(lambda: made.replicas() == 2)
        await asyncio.sleep(5)
        assert first.history(service_id, "r1").set_by_us == 2
        await made.end(first)
        made.swarm.scale("web", 5)
        second = await made.start("b", acts=True)
        await asyncio.sleep(5)
        assert second.history(service_id, "r1").set_by_us is None
        await asyncio.sleep(3)
        assert "set_by_us" not in made.state()["services"][service_id]["r1"]


@virtual(limit=900)
async def test_a_calm_swarm_writes_nothing() -> None:
    """Decisions come every second, and the managers' log does not grow by them."""
    async with fleet(COOLING) as made:
        await web(made)
        agent = await made.start("a", acts=True)
        await made.until(lambda: made.replicas() == 2)
        made.used.cpu = CALM
        await asyncio.sleep(60)
        writes, version = agent.survival.writes, made.swarm.config(NAME).version
        await asyncio.sleep(300)
        assert (agent.survival.writes, made.swarm.config(NAME).version) == (writes, version)
        assert writes <= 6


async def random_hour(seed: int, skew: float) -> int:
    """Agents are killed, replaced and superseded, replies get lost, clocks are off."""
    chance = random.Random(seed)
    async with fleet(COOLING) as made:
        await web(made)
        made.used.cpu = CALM
        await made.start("a", acts=True)
        await made.start("b")
        for _ in range(40):
            await asyncio.sleep(chance.uniform(0.5, 60.0))
            made.used.cpu = chance.choice((CALM, BUSY, BUSY, CALM / 4))
            faults = made.engine().faults
            faults.lose_replies = chance.choice((0, 0, 1, 2))
            faults.latency = chance.choice((0.002, 0.05, 0.4))
            name, other = chance.choice((("a", "b"), ("b", "a")))
            what = chance.choice(("kill", "kill", "switch", "remove", "nothing"))
            if what == "kill":
                await made.end(made.agents[name])
                if chance.random() < 0.7:
                    made.lease.give(other)
                    await asyncio.sleep(chance.uniform(0.0, 20.0))
                await made.start(name, skew=chance.choice((0.0, -skew)))
                if made.lease.holder == name:
                    made.lease.give(name)
            elif what == "switch":
                made.lease.give(other)
            elif what == "remove" and not made.agents[other].dead:
                made.swarm.remove_config(NAME)
                await asyncio.sleep(CHECK_EVERY + 2)  # until somebody noticed
        ups = [w.at for w in made.records.applied if w.replicas[1] > w.replicas[0]]
        changes = [w.at for w in made.records.applied]
        for up in ups:
            before = [at for at in changes if at < up]
            assert not before or up - before[-1] >= COOLDOWN - skew - 0.1, f"seed {seed}: {changes}"
        return len(changes)


@pytest.mark.parametrize("skew", [0.0, 7.0])
def test_whatever_happens_to_agents_no_cooldown_is_cut_short(skew) -> None:
    """Random lives of two agents over one service: never two changes up within the cooldown. One
    that starts with another clock than who wrote has only the clocks to go by."""
    done = [run_virtual(random_hour(seed, skew), limit=7200) for seed in range(6)]
    print(done)
    assert sum(done) >= 3 * len(done)


@virtual(limit=600)
async def test_many_writes_at_once_share_what_is_stored() -> None:
    """Twenty intents of one moment are one or two writes of the state, not twenty."""
    names = [f"s{number}" for number in range(20)]
    rule = scale_rule(min=2, selector=Selector(names=("s*",)))
    async with fleet(rule) as made:
        for name in names:
            made.swarm.create_service(name, replicas=1, cpu_limit=0.5)
        for name in names:
            await made.swarm.converged(name)
        await asyncio.sleep(5)
        agent = await made.start("a", acts=True)
        await made.until(lambda: all(made.replicas(name) == 2 for name in names))
        assert len(made.records.applied) == 20
        await asyncio.sleep(5)
        assert agent.survival.writes <= 8, agent.survival.writes
        assert made.state()["marks"] == []


@virtual(limit=300)
async def test_a_worker_and_events_of_other_configs_are_no_matter() -> None:
    """Where no state can be read nobody is alarmed; a renewed lease makes nobody read the state."""
    async with fleet(COOLING) as made:
        await web(made)
        made.engine().faults.fail_next("config", NotAManager("a worker"), times=3)
        agent = await made.start("a")
        await asyncio.sleep(12)
        assert agent.problems == []
        calls = made.engine().calls["config"]
        for name in ("swarm-monitor-lease", "other"):
            agent.survival.heard(Event("config", "update", "c1", 0, {"name": name}))
            await asyncio.sleep(0.1)
        assert made.engine().calls["config"] == calls
        agent.survival.heard(Event("config", "update", "c1", 0, {"name": NAME}))
        await asyncio.sleep(0.1)
        assert made.engine().calls["config"] == calls + 1
