"""Managers' agents that leave a state behind for each other, with the lease handed out by hand.

Each has its own mirror, controller and survival; usage is what the test says.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from monitor.act.writer import Writer
from monitor.cluster.mirror import Mirror
from monitor.control.controller import Controller
from monitor.control.survival import Survival
from monitor.engine.stream import EventStream
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.rule import AnyRule, Backoff, Budget, RuleSet
from monitor.model.usage import MetricKind, Sample
from monitor.ports.clock import Clock
from monitor.simulate.swarm import Swarm
from monitor.sources.calendar import CronCalendar
from monitor.sources.numbers import Numbers
from monitor.store.packing import parse, unpack
from monitor.store.state_config import NAME, StateConfig
from tests.simulated.bench import Records
from tests.simulated.virtual import node_id
from tests.unit.build import restart_rule, scale_rule

MIB = 1024**2
COOLDOWN = 120.0


_RULE = scale_rule(max=9)
COOLING = replace(_RULE, scale_up=replace(_RULE.scale_up, cooldown=COOLDOWN))
"""Wants twice as many replicas at BUSY, and waits for COOLDOWN after each change."""

CALM, BUSY = 0.25, 0.5
"""Cores of each task of `web`; the target is half of its limit."""


LEAK = restart_rule(budget=Budget(2, 600.0), backoff=Backoff(0.0, 0.0))


@dataclass
class Lease:
    """One holder at a time; each change of holder is a new term."""

    holder: str = ""
    term: int = 0

    def give(self, holder: str) -> None:
        self.holder = holder
        self.term += 1


@dataclass(frozen=True)
class Holding:
    lease: Lease
    agent: str

    def term(self) -> int | None:
        return self.lease.term if self.lease.holder == self.agent else None

    def why_not(self) -> str:
        return f"{self.lease.holder or 'nobody'} acts"


@dataclass
class Skewed:
    """A clock whose wall time is off, and whose monotonic one is the loop's."""

    clock: Clock
    skew: float = 0.0

    def now(self) -> Now:
        now = self.clock.now()
        return Now(now.mono, now.wall + self.skew)

    def random(self) -> float:
        return self.clock.random()


@dataclass
class Used:
    """Every task uses that much: cores, bytes."""

    cpu: float = 0.0
    memory: float = 0.0

    def samples(self, task_ids: Iterable[str], kind: MetricKind, *_: float) -> Mapping[str, Sample]:
        value = self.cpu if kind is MetricKind.CPU else self.memory
        return {task_id: Sample(value, 0.0, None, 15.0) for task_id in task_ids}


@dataclass
class Agent:
    name: str
    controller: Controller
    survival: Survival
    mirror: Mirror
    problems: list[str]
    runs: list[asyncio.Task[None]] = field(default_factory=list)

    def history(self, service_id: str, rule: str) -> History:
        return self.controller.book.history(service_id, rule)

    def kill(self) -> None:
        """At once; what is on its way is cut off."""
        for run in self.runs:
            run.cancel()

    @property
    def dead(self) -> bool:
        return all(run.done() for run in self.runs)


class Fleet:
    def __init__(self, swarm: Swarm, *rules: AnyRule) -> None:
        self.swarm = swarm
        self.lease = Lease()
        self.records = Records()
        self.records.watch(swarm)
        self.used = Used()
        self.rules = rules
        self.agents: dict[str, Agent] = {}
        self._born = 0

    def engine(self):
        return self.swarm.engine(node_id(self.swarm, "m1"))

    def state(self) -> dict:
        """What is stored now."""
        return parse(unpack(self.swarm.config(NAME).labels))

    async def start(self, name: str, *, skew: float = 0.0, acts: bool = False) -> Agent:
        """A new run of an agent, its mirror filled; it acts if the lease says so."""
        clock, engine, problems = Skewed(self.swarm.clock, skew), self.engine(), []
        self._born += 1
        holding = Holding(self.lease, name)
        survival = Survival(
            StateConfig(engine),
            holding,
            clock,
            agent=f"{name}-{self._born}",
            on_problem=problems.append,
        )
        touched: list = []

        def changed(ids) -> None:
            touched and touched[0].touch(sorted(ids))

        mirror = Mirror(engine, clock, changed)
        stream = EventStream(engine, clock, mirror.hint, mirror.resync)
        controller = Controller(
            views=mirror,
            usage=self.used,
            numbers=Numbers(clock),
            calendar=CronCalendar(),
            writer=Writer(engine, holding, clock),
            actorship=holding,
            clock=clock,
            observer=self.records,
            survival=survival,
        )
        touched.append(controller)
        controller.use_rules(RuleSet(self.rules))
        agent = self.agents[name] = Agent(name, controller, survival, mirror, problems)
        if acts:
            self.lease.give(name)
        for part in (mirror.run, stream.run, survival.run, controller.run, self._ticks(controller)):
            agent.runs.append(asyncio.create_task(part(), name=f"{name} {part.__qualname__}"))
        await mirror.wait_ready()
        return agent

    def _ticks(self, controller: Controller):
        async def tick() -> None:
            while True:
                await asyncio.sleep(1.0)
                controller.samples_arrived()

        return tick

    async def end(self, agent: Agent) -> None:
        agent.kill()
        await asyncio.wait(agent.runs)

    def replicas(self, name: str = "web") -> int:
        return self.swarm.service(name).spec["Mode"]["Replicated"]["Replicas"]

    def restarts(self, name: str = "web") -> int:
        return self.swarm.service(name).spec["TaskTemplate"].get("ForceUpdate", 0)

    async def until(self, met, within: float = 30.0) -> float:
        start = self.swarm.mono()
        while not met():
            if self.swarm.mono() - start > within:
                newest = [decision.sentence for decision in self.records.decisions[-4:]]
                problems = {agent.name: agent.survival.problem for agent in self.agents.values()}
                raise AssertionError(f"not within {within:g} s; {newest}; {problems}")
            await asyncio.sleep(0.05)
        return self.swarm.mono() - start


@asynccontextmanager
async def fleet(*rules: AnyRule, swarm: Swarm | None = None) -> AsyncIterator[Fleet]:
    if swarm is None:
        swarm = Swarm()
        swarm.add_node("m1", "manager", cpu_cores=256.0, memory_bytes=512 * 1024**3)
    made = Fleet(swarm, *rules)
    try:
        yield made
        for agent in made.agents.values():
            for run in agent.runs:
                assert not run.done() or run.cancelled(), run
    finally:
        for agent in made.agents.values():
            agent.kill()
        await asyncio.gather(
            *(run for agent in made.agents.values() for run in agent.runs), return_exceptions=True
        )
        swarm.close()


async def web(made: Fleet, **parts) -> str:
    values = {"replicas": 1, "cpu_limit": 0.5, "memory_limit": 100 * MIB}
    service_id = made.swarm.create_service("web", **(values | parts))
    await made.swarm.converged("web")
    await asyncio.sleep(5)
    made.used.cpu = BUSY
    return service_id


def cooled(made: Fleet, first_at: float) -> None:
    """The second change came once the cooldown was over, and no earlier."""
    assert len(made.records.applied) == 2
    waited = made.records.applied[1].at - first_at
    assert COOLDOWN - 0.1 <= waited <= COOLDOWN + 10, waited
