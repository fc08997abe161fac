"""Rebalance rules whole: tasks of a crowded node are stopped by its agent, and placed anew."""

import asyncio
from collections import Counter
from dataclasses import replace

from monitor.model.action import RestartTask
from monitor.model.cause import Cause
from monitor.model.outcome import OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import Budget, RebalanceRule
from monitor.model.selector import Selector
from monitor.simulate.executor import Behaviour
from tests.simulated.agents import Agents
from tests.simulated.fleet_rules import ON_WORKERS, fleet_of

JOINED = RebalanceRule(
    name="even",
    selector=Selector(names=("web", "api", "solo")),
    node_joined=20.0,
    quiet_after_deploy=5.0,
    budget=Budget(20, 3600.0),
)
SKEWED = replace(JOINED, node_joined=None, for_seconds=60.0)
QUICK = {"Delay": 10**9}


def spread(made: Agents, name: str) -> Counter[str]:
    """Running tasks by the name of their node."""
    return Counter(made.swarm.node(task.node_id).name for task in made.swarm.running(name))


def even(made: Agents, name: str) -> bool:
    counts = spread(made, name)
    return abs(counts["w1"] - counts["w2"]) <= 1


def moves(made: Agents) -> list[str]:
    """Names of the services of which a task was moved, in order."""
    done = [d for d, o in made.records.outcomes if o.kind is OutcomeKind.APPLIED]
    assert all(isinstance(one.action, RestartTask) and one.action.move for one in done)
    return [one.service_name for one in done]


async def away_and_back(made: Agents, *names: str) -> None:
    """w1 is drained, its tasks go to w2, and it takes tasks again."""
    made.swarm.drain(made.ids["w1"])
    for name in names:
        await made.swarm.converged(name)
        await made.until(lambda name=name: not spread(made, name)["w1"])
    await asyncio.sleep(40)
    made.swarm.activate(made.ids["w1"])


@fleet_of(JOINED, limit=1200)
async def test_what_came_back_gets_its_share_and_no_more(made: Agents) -> None:
    """6, 5 and 1 tasks on one of two workers: 3 and 2 moves, one task at a time in all, one service
    after the other; the others keep their ids, and the one with a single task is left alone."""
    for name, count in (("web", 6), ("api", 5), ("solo", 1)):
        await made.service(name, replicas=count, constraints=ON_WORKERS, restart=QUICK)
    await away_and_back(made, "web", "api", "solo")
    before = {n: {t.id for t in made.swarm.running(n)} for n in ("web", "api", "solo")}
    fewest = sum(map(len, before.values()))
    for _ in range(3000):
        await asyncio.sleep(0.1)
        fewest = min(fewest, sum(len(made.swarm.running(name)) for name in before))
    assert spread(made, "web") == {"w1": 3, "w2": 3}
    assert even(made, "api")
    assert fewest == 11
    done = moves(made)
    assert Counter(done) == {"web": 3, "api": 2}
    assert done in (sorted(done), sorted(done, reverse=True))
    left = {n: len({t.id for t in made.swarm.running(n)} & before[n]) for n in before}
    assert left == {"web": 3, "api": 3, "solo": 1}
    last = {d.service_name: d for d in made.actor().latest.values()}
    assert last["web"].reason is Reason.BALANCED
    assert "w1 3, w2 3; the Swarm puts none on m1" in last["web"].sentence
    assert last["solo"].reason is Reason.POINTLESS
    said = [one.sentence for one in made.records.decisions if one.action is not None]
    assert any("w1 0, w2 6 becomes w1 3, w2 3" in one for one in said)
    ends = [end for end in made.actor().core.ends.of("web") if end.cause is not None]
    assert Counter(end.cause for end in ends)[Cause.RESTART_RULE] == 3


@fleet_of(SKEWED, limit=1200)
async def test_a_full_or_forbidden_node_costs_no_task(made: Agents) -> None:
    """At most 3 of `web` fit on w2's return, by memory to reserve `api` fits nowhere else, and
    `solo` must stay where it is: what would not change anything is not stopped."""
    gib = 1024**3
    size = made.swarm.node(made.ids["w1"]).memory_bytes
    await made.service("web", replicas=4, constraints=("node.hostname==w2",))
    await made.service("api", replicas=2, memory_reservation=size // 2, constraints=ON_WORKERS)
    made.swarm.drain(made.ids["w1"])
    await made.until(lambda: spread(made, "api") == {"w2": 2})
    made.swarm.create_service(
        "db", replicas=1, memory_reservation=size - gib, constraints=("node.hostname==w1",)
    )
    made.swarm.activate(made.ids["w1"])
    await made.swarm.converged("db")
    before = {n: {t.id for t in made.swarm.running(n)} for n in ("web", "api")}
    await asyncio.sleep(300)
    assert {n: {t.id for t in made.swarm.running(n)} for n in before} == before
    last = {d.service_name: d for d in made.actor().latest.values()}
    assert last["api"].reason is Reason.CAPACITY
    assert "no room on w1 (memory to reserve)" in last["api"].sentence
    assert last["web"].reason is Reason.BALANCED
    assert "by its constraint node.hostname==w2" in last["web"].sentence


@fleet_of(SKEWED, limit=1200)
async def test_the_next_actor_waits_for_the_move_of_the_one_before(made: Agents) -> None:
    """The actor dies right after it had a task stopped that takes long to start: the other service
    waits until it runs, and both are even in the end with no task moved twice."""
    made.swarm.behaviours["slow:1"] = Behaviour(start=60.0)
    for name in ("web", "api"):
        await made.service(name, replicas=4, constraints=ON_WORKERS, restart=QUICK, image="slow:1")
    await away_and_back(made, "web", "api")
    await made.until(lambda: moves(made), 300)
    await asyncio.sleep(2)  # what happened is stored
    dead = made.actor()
    made.kill(dead.node)
    await made.acting(but=dead)
    fewest = 8
    for _ in range(6000):
        await asyncio.sleep(0.1)
        running = [len(made.swarm.running(name)) for name in ("web", "api")]
        fewest = min(fewest, sum(running))
    assert fewest == 7
    assert even(made, "web")
    assert even(made, "api")
    assert Counter(moves(made)) == {"web": 2, "api": 2}
