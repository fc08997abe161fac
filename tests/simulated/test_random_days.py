"""Whatever people, deploys, failures and the engine do in whatever order: the promises hold.

300 seeds, each 90 virtual seconds of one to three services under a scale and a restart rule.
"""

import asyncio
import random
from collections import Counter

import pytest

from monitor.model.rule import Backoff, Budget
from monitor.model.selector import Selector
from monitor.ports.errors import BadAnswer, Forbidden, NotAManager, Unreachable
from monitor.simulate.executor import Behaviour
from monitor.simulate.loop import run_virtual
from monitor.simulate.spec import Spec
from tests.simulated.bench import Bench, check_writes, one_node
from tests.unit.build import restart_rule, scale_rule

SEEDS = 300
GROUPS = 10
MIB = 1024**2
LOW, HIGH = 2, 8
ALL = Selector(names=("s*",))
RULES = (
    scale_rule(selector=ALL, min=LOW, max=HIGH),
    restart_rule(selector=ALL, budget=Budget(3, 3600.0), backoff=Backoff(30.0, 600.0)),
)


class Day:
    """One seed: a Swarm, an agent, and everybody else."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.swarm = one_node(seed=seed, reaction=self.chance.choice((0.02, 0.05, 1.0, 3.0)))
        self.made = Bench(self.swarm)
        self.happened: Counter[str] = Counter()
        self.number = 0

    def create(self) -> None:
        self.number += 1
        name = f"s{self.number}"
        self.swarm.create_service(
            name,
            replicas=self.chance.randint(0, 10),
            cpu_limit=0.5,
            memory_limit=100 * MIB,
            update=self.chance.choice(
                (
                    None,
                    {"Parallelism": 0, "Monitor": 10**9},
                    {"Parallelism": 1, "Delay": 2 * 10**9, "Order": "start-first"},
                    {"Parallelism": 2, "Monitor": 3 * 10**9, "FailureAction": "rollback"},
                )
            ),
        )
        self.load(name)

    def load(self, name: str) -> None:
        self.swarm.set_load(name, self.chance.choice((0.0, 0.3, 1.0, 2.5, 5.0)))
        self.swarm.set_memory(name, self.chance.choice((10, 50, 95)) * MIB)

    def name(self) -> str | None:
        names = sorted(service.name for service in self.swarm.store.services.values())
        return self.chance.choice(names) if names else None

    # What can happen; each returns nothing and may do nothing.

    def person_scales(self, name: str) -> None:
        self.swarm.scale(name, self.chance.randint(0, 12))

    def person_deploys(self, name: str) -> None:
        self.swarm.deploy(
            name, self.chance.choice(("app:1", "app:2", "app:broken", "app:crashing"))
        )

    def person_sets_environment(self, name: str) -> None:
        number = self.chance.randrange(5)
        self.swarm.change(
            name, lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Env=[f"N={number}"])
        )

    def person_forces(self, name: str) -> None:
        def edit(spec: Spec) -> None:
            spec["TaskTemplate"]["ForceUpdate"] = spec["TaskTemplate"].get("ForceUpdate", 0) + 1

        self.swarm.change(name, edit)

    def person_removes(self, name: str) -> None:
        if len(self.swarm.store.services) > 1:
            self.swarm.remove_service(name)

    def somebody_deploys_a_new_one(self, _: str) -> None:
        if self.number < 3:
            self.create()

    def load_changes(self, name: str) -> None:
        self.load(name)

    def task_dies(self, name: str) -> None:
        running = self.swarm.running(name)
        if running:
            self.swarm.end_task(self.chance.choice(running).id, oom=self.chance.random() < 0.5)

    def replies_get_lost(self, _: str) -> None:
        self.made.engine.faults.lose_replies = self.chance.choice((1, 2))

    def calls_fail(self, _: str) -> None:
        error = self.chance.choice(
            (Unreachable("cut"), BadAnswer("half"), NotAManager("no leader"), Forbidden("no"))
        )
        method = self.chance.choice(("update_service", "service", "tasks", "services", "*"))
        self.made.engine.faults.fail_next(method, error, self.chance.choice((1, 3, 10)))

    def engine_is_slow(self, _: str) -> None:
        self.made.engine.faults.latency = self.chance.choice((0.002, 0.002, 0.3, 1.5))

    def answers_are_old(self, _: str) -> None:
        rare = random.Random(self.chance.random())
        self.made.engine.faults.answer_delay = self.chance.choice(
            (None, lambda *_: 3.0 if rare.random() < 0.2 else 0.0)
        )

    def events_get_lost(self, _: str) -> None:
        faults = self.made.engine.bus.faults
        faults.drop = self.chance.choice((0.0, 0.3, 1.0))
        faults.duplicate = self.chance.choice((0.0, 0.3))
        faults.reorder = self.chance.choice((0.0, 0.3))

    def engine_goes_away(self, _: str) -> None:
        self.made.engine.cut_off()
        self.later(self.chance.uniform(1, 20), self.made.engine.restore)

    def engine_hangs(self, _: str) -> None:
        self.made.engine.freeze()
        self.later(self.chance.uniform(1, 45), self.made.engine.thaw)

    def quorum_is_lost(self, _: str) -> None:
        self.swarm.has_leader = False
        self.later(self.chance.uniform(1, 15), lambda: setattr(self.swarm, "has_leader", True))

    def wall_clock_jumps(self, _: str) -> None:
        self.swarm.clock.jump_wall(self.chance.choice((-7200.0, 3600.0)))

    def rules_are_reloaded(self, _: str) -> None:
        self.made.use(*self.chance.choice((RULES, RULES, RULES[:1], RULES[1:], ())))

    def agent_restarts(self, _: str) -> None:
        if self.chance.random() < 0.5:
            self.made.kill()
        else:
            self.made.stop()

    def later(self, seconds: float, do) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            do()

        self.swarm.machinery.spawn(wait())

    async def run(self) -> None:
        self.swarm.behaviours["app:broken"] = Behaviour(missing=True)
        self.swarm.behaviours["app:crashing"] = Behaviour(exit_after=2.0)
        self.create()
        ops = [getattr(self, name) for name in sorted(vars(Day)) if "_" in name.strip("_")]
        end = self.made.now() + 90.0
        while self.made.now() < end:
            async with self.made.agent(*RULES, wait_ready=False):
                while self.made.now() < end and not self.made.ending:
                    await asyncio.sleep(self.chance.choice((0.003, 0.2, 1.0, 5.0, 20.0)))
                    op, name = self.chance.choice(ops), self.name()
                    if name is not None:
                        op(name)
                        self.happened[op.__name__] += 1
        self.swarm.close()


def check_bounds(day: Day) -> None:
    for write in day.made.records.applied:
        before, after = write.replicas
        assert before == after or LOW <= after <= HIGH, write


def check_rollouts(day: Day) -> None:
    """No write during a rollout, nor in the 2 s after somebody else's change, nor while the update
    has no state and a task runs another template than the service says."""
    foreign: dict[str, float] = {}
    for write in day.made.records.writes:
        if not write.applied:
            continue
        if write.decision is None:
            foreign[write.service_id] = write.at
            continue
        assert write.at - foreign.get(write.service_id, 0.0) >= 2.0, write
        assert write.state in (None, "completed", "rollback_completed"), write
        assert write.state is not None or not write.dirty, f"in the gap before a rollout: {write}"


def check_restarts(day: Day) -> None:
    """Between restarts by one agent lies at least the first back-off."""
    times: dict[str, float] = {}
    for write in day.made.records.applied:
        if ("TaskTemplate", "ForceUpdate") in write.changed:
            before = times.get(write.service_id, float("-inf"))
            assert write.at - before >= 30.0 or day.happened["agent_restarts"], write
            times[write.service_id] = write.at


async def live(seed: int) -> Counter[str]:
    day = Day(seed)
    await day.run()
    try:
        check_writes(day.made.records)
        check_bounds(day)
        check_rollouts(day)
        check_restarts(day)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    day.happened["writes applied"] = len(day.made.records.applied)
    day.happened["writes refused by the Swarm"] = len(day.made.records.own) - len(
        day.made.records.applied
    )
    for kind in day.made.records.kinds():
        day.happened[f"outcome {kind.value}"] += 1
    return day.happened


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_promises_hold_on_random_days(group: int, record_property) -> None:
    """Bounds; one write per decision, on its version, of its one field; none during a rollout or
    before one may have begun; back-off of restarts kept."""
    happened: Counter[str] = Counter()
    for seed in range(group * SEEDS // GROUPS, (group + 1) * SEEDS // GROUPS):
        try:
            happened += run_virtual(live(seed), limit=600)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    record_property("happened", dict(happened))
    print(dict(sorted(happened.items())))
    assert happened["writes applied"] >= 15
