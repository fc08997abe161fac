"""A person's change at any point of a write's way survives: 1,000 generated interleavings.

Each run is one service, one decision that is due and one or two changes by a person, which come
at generated points: before the agent reads again, while the answer is on its way, between read
and write, right before and right after the Swarm takes the write, before its answer, at any
moment of the seconds around. Some replies are lost on top, some answers come late.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from monitor.simulate.faults import EngineFaults
from monitor.simulate.loop import run_virtual
from monitor.simulate.swarm import Swarm
from tests.simulated.bench import Bench, check_writes, one_node
from tests.unit.build import scale_rule

RUNS = 1000
GROUPS = 10

POINTS = (
    "service: asked",
    "service: answered",
    "service: received",
    "update_service: asked",
    "update_service: answered",
    "update_service: received",
    "any moment",
)
CHANGES = ("image", "environment", "replicas", "image and replicas", "label", "update settings")


@dataclass
class Person:
    """Changes the service at its `passing`th time at `point`; keeps what must survive."""

    swarm: Swarm
    chance: random.Random
    point: str
    passing: int
    kept: dict[str, object] = field(default_factory=dict)
    replicas: int | None = None
    changed_at_version: int | None = None
    done: bool = False
    came: str = ""

    def pass_by(self, point: str) -> None:
        if self.done or point != self.point:
            return
        self.passing -= 1
        if self.passing < 0:
            self.change(point)

    def change(self, came: str) -> None:
        self.done = True
        self.came = came
        what = self.chance.choice(CHANGES)
        number = self.chance.randrange(1000)

        def edit(spec: dict) -> None:
            template = spec["TaskTemplate"]
            if "image" in what:
                template["ContainerSpec"]["Image"] = self.kept["image"] = f"app:{number}"
            if what == "environment":
                template["ContainerSpec"]["Env"] = self.kept["env"] = [f"BY={number}"]
            if what == "label":
                spec["Labels"] = self.kept["labels"] = {"by": f"{number}"}
            if what == "update settings":
                spec["UpdateConfig"] = self.kept["update"] = {"Parallelism": 0, "Delay": number}
            if "replicas" in what:
                self.replicas = self.chance.randint(1, 9)
                spec["Mode"]["Replicated"]["Replicas"] = self.replicas

        self.swarm.change("web", edit)
        self.changed_at_version = self.swarm.service("web").version

    def survived(self, spec: dict) -> dict[str, object]:
        container = spec["TaskTemplate"]["ContainerSpec"]
        present = {
            "image": container["Image"],
            "env": container.get("Env"),
            "labels": spec["Labels"],
            "update": spec.get("UpdateConfig"),
        }
        return {key: value for key, value in present.items() if key in self.kept}


class Points(EngineFaults):
    """Tells the persons where the action path is; both calls are also made by the mirror."""

    def __init__(self, persons: list[Person]) -> None:
        super().__init__()
        self.persons = persons

    def tell(self, point: str) -> None:
        for person in self.persons:
            person.pass_by(point)

    async def on_the_way(self, method: str) -> None:
        if _writing():
            self.tell(f"{method}: asked")
        await super().on_the_way(method)

    async def on_the_way_back(self, method: str, key: str) -> None:
        if _writing():
            self.tell(f"{method}: answered")
        await super().on_the_way_back(method, key)
        if _writing():
            self.tell(f"{method}: received")


def _writing() -> bool:
    task = asyncio.current_task()
    return task is not None and task.get_name().startswith("write ")


async def interleave(seed: int) -> Counter[str]:
    """One run; returns what happened in it. Every assertion's message begins with the seed."""
    chance = random.Random(seed)
    swarm = one_node(seed=seed, reaction=chance.choice((0.01, 0.05, 0.5)))
    made = Bench(swarm)
    swarm.create_service(
        "web",
        replicas=chance.choice((1, 2, 7, 9)),
        env=["A=1"],
        update={"Parallelism": 0, "Monitor": 10**9},
    )
    await swarm.converged("web")
    points = chance.choices(POINTS, weights=(2, 2, 2, 3, 2, 2, 4), k=chance.choice((1, 1, 2)))
    persons = [Person(swarm, random.Random(chance.random()), point, 0) for point in points]
    made.engine.faults = Points(persons)
    made.engine.faults.latency = chance.choice((0.0, 0.002, 0.4))
    made.engine.faults.lose_replies = chance.choice((0, 0, 0, 1, 2))
    if chance.random() < 0.2:
        slow = chance.uniform(0.1, 6.0)
        made.engine.faults.answer_delay = lambda method, _: slow if method == "service" else 0.0
    made.swarm.machinery.spawn(_some_time(persons, chance.uniform(0.0, 6.0)))
    async with made.agent(scale_rule(min=3, max=6)):
        await asyncio.sleep(10.0)
        made.engine.faults.answer_delay = None
        for person in persons:
            if not person.done:
                person.change("late")
        await asyncio.sleep(14.0)
    swarm.close()
    try:
        return judge(made, persons)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


async def _some_time(persons: list[Person], seconds: float) -> None:
    await asyncio.sleep(seconds)
    for person in persons:
        person.pass_by("any moment")


def judge(made: Bench, persons: list[Person]) -> Counter[str]:
    check_writes(made.records)
    spec = made.swarm.service("web").spec
    expected: dict[str, object] = {}
    for person in sorted(persons, key=lambda one: one.changed_at_version or 0):
        expected |= person.kept
    survived: dict[str, object] = {}
    for person in persons:
        survived |= person.survived(spec)
    assert survived == expected, f"a change was undone: {survived} instead of {expected}"
    for person in persons:
        for write in made.records.applied:
            assert write.was < person.changed_at_version or write.version >= (
                person.changed_at_version
            ), f"{write} was decided before {person}"
    assert made.replicas() in range(3, 7), f"{made.replicas()} is out of the rule's bounds"
    happened = Counter(f"change at {person.came}" for person in persons)
    happened.update(f"outcome {kind.value}" for kind in made.records.kinds())
    happened["writes"] = len(made.records.own)
    happened["runs"] = 1
    return happened


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_persons_change_survives(group: int, record_property) -> None:
    """No interleaving undoes what a person changed; each write is of one decision, on its version,
    and changes the replicas alone; in the end the rule's bounds hold."""
    happened: Counter[str] = Counter()
    for seed in range(group * RUNS // GROUPS, (group + 1) * RUNS // GROUPS):
        happened += run_virtual(interleave(seed), limit=120)
    record_property("happened", dict(happened))
    print(dict(sorted(happened.items())))
    assert happened["runs"] == RUNS // GROUPS
    for point in POINTS:
        assert happened[f"change at {point}"] > 0, f"no change came at {point}"
    for kind in ("applied", "conflict", "unknown"):
        assert happened[f"outcome {kind}"] > 0, f"no write ended as {kind}"
