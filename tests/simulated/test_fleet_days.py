"""Whatever happens to agents, streams, managers and services in whatever order: one acts, rightly.

60 seeds. Each is 45 s in which something happens every few seconds, and then as long as it
takes until all is as it should be.
"""

import asyncio
import os
import random
from collections import Counter
from dataclasses import replace

import pytest

from monitor.model.rule import ScaleRule
from monitor.model.selector import Selector
from monitor.simulate.swarm import Swarm
from tests.simulated.agents import MANAGERS, Agents, agents
from tests.simulated.bench import check_writes
from tests.simulated.fleet_rules import FAST_ROLLOUT
from tests.simulated.hosts import run_on_hosts
from tests.unit.build import scale_rule

SEEDS = int(os.environ.get("FLEET_SEEDS", "60"))
FIRST = int(os.environ.get("FLEET_FIRST_SEED", "0"))
GROUPS = 6
CHAOS = 45.0
LOW, HIGH = 2, 6
WINDOW = 15.0
_PLAIN = scale_rule(selector=Selector(names=("s*",)), min=LOW, max=HIGH)
RULE: ScaleRule = replace(
    _PLAIN, scale_down=replace(_PLAIN.scale_down, stabilization_window=WINDOW)
)
UNHEARD_FOR = 5.0 + 5.0 + 5.0
"""Seconds after which a silent node's sample counts no more: a reading from the stats API is the
present for 5 s, old 5 s later, and the decision may be 5 s older than its write."""

SLOW_ROLLOUT = {"Parallelism": 1, "Delay": 2 * 10**9}
ALL_THE_SAME = {"FailureAction": "continue"}
"""A rollout that is paused would wait for a person for ever."""

NODES = (*MANAGERS, "w1")


class Day:
    """One seed: a fleet, and everybody and everything else."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.swarm = Swarm(seed=seed, reaction=self.chance.choice((0.02, 0.05, 1.0)))
        for name in NODES:
            self.swarm.add_node(name, "worker" if name == "w1" else "manager", cpu_cores=16.0)
        self.happened: Counter[str] = Counter()
        self.made: Agents

    def node(self) -> str:
        actors = [one.node for one in self.made.actors()]
        return self.chance.choice((*NODES, *actors, *actors, *actors))

    def later(self, low: float, high: float, do) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self.chance.uniform(low, high), do)

    # What can happen

    def agent_is_killed(self) -> None:
        node = self.node()
        if node in self.made.processes:
            self.made.kill(node)

    def all_agents_are_killed(self) -> None:
        if self.chance.random() < 0.3:
            for node in list(self.made.processes):
                self.made.kill(node)

    def agent_hangs(self) -> None:
        process = self.made.processes.get(self.node())
        if process is not None and process.alive:
            process.freeze()
            self.later(0.5, 40, lambda: self.thaw(process))

    def thaw(self, process) -> None:
        """Unless its container was killed meanwhile: nothing thaws that."""
        if self.made.processes.get(process.node) is process and not process.killed:
            process.thaw()

    def agents_are_updated(self) -> None:
        self.swarm.deploy("monitor", self.chance.choice(("monitor:1", "monitor:2")))

    def streams_are_cut(self) -> None:
        one, other = self.chance.sample(NODES, 2)
        self.made.cut(one, other)
        self.later(1, 40, lambda: self.made.heal(one, other))

    def overlay_is_cut(self) -> None:
        self.made.cut_all()
        self.later(1, 30, self.made.heal_all)

    def quorum_is_lost(self) -> None:
        self.swarm.has_leader = False
        self.later(0.5, 20, lambda: setattr(self.swarm, "has_leader", True))

    def manager_is_cut_off(self) -> None:
        node = self.chance.choice(MANAGERS)
        self.made.partitioned.add(node)
        self.later(1, 30, lambda: self.made.partitioned.discard(node))

    def engine_goes_away(self) -> None:
        engine = self.swarm.engine(self.made.ids[self.node()])
        engine.cut_off()
        self.later(1, 15, engine.restore)

    def engine_is_slow(self) -> None:
        faults = self.swarm.engine(self.made.ids[self.node()]).faults
        faults.latency = self.chance.choice((0.002, 0.3, 1.5))
        self.later(5, 20, lambda: setattr(faults, "latency", 0.002))

    def replies_get_lost(self) -> None:
        self.swarm.engine(self.made.ids[self.node()]).faults.lose_replies = 1

    def lease_or_state_is_removed(self) -> None:
        configs = sorted(config.name for config in self.swarm.store.configs.values())
        if configs and self.chance.random() < 0.5:
            self.swarm.remove_config(self.chance.choice(configs))

    def rules_differ(self) -> None:
        node = self.chance.choice(MANAGERS)
        self.made.digests[node] = "d2"
        self.later(1, 15, lambda: self.made.digests.pop(node, None))

    def wall_clock_is_set(self) -> None:
        self.made.skews[self.node()] = self.chance.choice((-3600.0, 0.0, 3600.0))

    def person_scales(self) -> None:
        self.swarm.scale(self.service(), self.chance.randint(1, 8))

    def person_deploys(self) -> None:
        self.swarm.deploy(self.service(), self.chance.choice(("app:1", "app:2")))

    def load_changes(self) -> None:
        self.swarm.set_load(self.service(), self.chance.choice((0.2, 0.6, 1.0, 1.4)))

    def task_dies(self) -> None:
        running = self.swarm.running(self.service())
        if running:
            self.swarm.end_task(self.chance.choice(running).id, oom=self.chance.random() < 0.5)

    def service(self) -> str:
        return self.chance.choice(("s1", "s2"))

    # Its course

    async def run(self) -> None:
        async with agents(RULE, swarm=self.swarm, wait=False) as made:
            self.made = made
            for name in ("s1", "s2"):
                update = self.chance.choice((FAST_ROLLOUT, SLOW_ROLLOUT))
                parts = {"replicas": self.chance.randint(1, 8), "update": update | ALL_THE_SAME}
                self.swarm.create_service(name, cpu_limit=0.5, **parts)
            self.load_changes()
            ops = [getattr(self, name) for name in sorted(vars(Day)) if "_" in name.strip("_")]
            end = made.now() + CHAOS
            await asyncio.sleep(self.chance.choice((0.0, 5.0, 15.0)))
            while made.now() < end:
                await asyncio.sleep(self.chance.choice((0.003, 0.2, 1.0, 3.0, 6.0)))
                for _ in range(self.chance.choice((1, 1, 2))):
                    op = self.chance.choice(ops)
                    op()
                    self.happened[op.__name__] += 1
            await self.calm()
            check_days(made)

    async def calm(self) -> None:
        """Everything is repaired; what the load asks for is there soon, and stays."""
        made, swarm = self.made, self.swarm
        await asyncio.sleep(1)
        swarm.has_leader = True
        made.heal_all()
        made.partitioned.clear()
        made.digests.clear()
        for node, node_id in made.ids.items():
            engine = swarm.engine(node_id)
            engine.restore()
            engine.faults.latency, engine.faults.lose_replies = 0.002, 0
            process = made.processes.get(node)
            if process is not None and process.host.frozen:
                self.thaw(process)
        wanted = {"s1": self.chance.randint(LOW, HIGH), "s2": self.chance.randint(LOW, HIGH)}
        for name, replicas in wanted.items():
            swarm.set_load(name, replicas * 0.25)

        def right() -> bool:
            settled = all(is_right(made, *one) for one in wanted.items())
            return settled and len(made.actors()) == 1

        await made.until(right, within=150)


def is_right(made: Agents, name: str, wanted: int) -> bool:
    """Within the tolerance of what the load asks for, and running."""
    replicas = made.replicas(name)
    near = abs(wanted / replicas - 1) <= RULE.scale_up.tolerance + 1e-9 if replicas else False
    return (replicas == wanted or near) and len(made.swarm.running(name)) == replicas


def check_days(made: Agents) -> None:
    check_writes(made.records)
    foreign: dict[str, float] = {}
    for write in made.records.writes:
        if not write.applied:
            continue
        if write.decision is None:
            foreign[write.service_id] = write.at
            continue
        before, after = write.replicas
        assert before == after or LOW <= after <= HIGH, write
        assert write.at - foreign.get(write.service_id, 0.0) >= 2.0, write
        assert write.state in (None, "completed", "rollback_completed"), write
        assert write.state is not None or not write.dirty, f"in the gap before a rollout: {write}"
    began = {one.name: one.began_at for one in made.all}
    for sent in made.sent:
        decision = made.decided(sent)
        if decision.action_name == "scale_down" and (decision.current or 0) <= HIGH:
            assert sent.unheard <= UNHEARD_FOR, f"on missing samples: {sent}"
            assert sent.at - began[sent.process] >= WINDOW, f"on too short a history: {sent}"


async def live(seed: int) -> Counter[str]:
    day = Day(seed)
    await day.run()
    day.happened["writes sent"] = len(day.made.sent)
    day.happened["writes applied"] = len(day.made.records.applied)
    day.happened["agents that acted"] = len({sent.process for sent in day.made.sent})
    day.happened["terms"] = len({sent.term for sent in day.made.sent})
    day.happened["virtual seconds"] = round(day.made.now() - 1000)
    return day.happened


@pytest.mark.parametrize("group", range(GROUPS))
def test_one_agent_acts_rightly_on_random_days(group: int, record_property) -> None:
    """Terms only grow and no two agents write in one; one write per decision, within bounds, none
    during a rollout, none down on missing samples or a short history; in the end all is right."""
    happened: Counter[str] = Counter()
    for seed in range(FIRST + group * SEEDS // GROUPS, FIRST + (group + 1) * SEEDS // GROUPS):
        try:
            happened += run_on_hosts(live(seed), limit=600)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    record_property("happened", dict(happened))
    print(dict(sorted(happened.items())))
    assert happened["writes applied"] >= 15
