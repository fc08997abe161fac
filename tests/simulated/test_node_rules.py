"""Node rules by the agents of a whole Swarm, on virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from monitor.model.node import Availability, NodeState
from monitor.model.rule import (
    Budget,
    FailingHere,
    NodeAction,
    NodeCondition,
    NodeConditionKind,
    NodeRule,
    RuleMode,
    RuleSet,
)
from monitor.model.selector import NodeSelector
from tests.simulated.agents import Agents, agents
from tests.simulated.hosts import run_on_hosts

FOR = 120.0
FAILING = NodeRule(
    name="sick",
    selector=NodeSelector(),
    any_of=(FailingHere(3, 600.0),),
    action=NodeAction.DRAIN,
    drain_for=FOR,
    budget=Budget(5, 86400.0),
)
DOWN = replace(FAILING, any_of=(NodeCondition(NodeConditionKind.DOWN_FOR, 1.0, 20.0),))


@asynccontextmanager
async def fleet(*rules: NodeRule, **parts: Any) -> AsyncIterator[Agents]:
    """Five nodes with agents that follow these rules."""
    async with agents(**parts, node_rules=rules) as made:
        yield made


def available(made: Agents, node: str) -> Availability:
    return made.swarm.node(made.ids[node]).availability


def drained(made: Agents) -> list[str]:
    return [name for name in made.ids if available(made, name) is Availability.DRAIN]


async def fail_on(made: Agents, node: str, service: str = "web") -> None:
    """Three tasks of it end with 1 on this node, one after the other, and run well elsewhere."""
    for _ in range(3):
        await made.until(lambda: _on(made, node, service), 60)
        made.swarm.end_task(_on(made, node, service)[0], 1)
        await asyncio.sleep(1)


def _on(made: Agents, node: str, service: str = "web") -> list[str]:
    return [task.id for task in made.swarm.running(service) if task.node_id == made.ids[node]]


def said(made: Agents, node: str) -> list[str]:
    """What the acting agents newly decided of this node, by reason."""
    found = [one for one in made.records.decisions if one.node_name == node]
    reasons = [one.reason.value for one in found]
    return [one for n, one in enumerate(reasons) if n == 0 or reasons[n - 1] != one]


def test_a_node_whose_tasks_fail_is_drained_and_taken_back_by_time():
    """Its tasks run elsewhere meanwhile; nothing but its availability differs; then it is back."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            node = made.swarm.node(made.ids["w1"])
            node.labels["disk"] = "ssd"
            await fail_on(made, "w1")
            await made.until(lambda: drained(made) == ["w1"], 60)
            began = made.now()
            await made.until(lambda: not _on(made, "w1") and len(made.swarm.running("web")) == 10)
            await made.until(lambda: not drained(made), FOR + 30)
            assert FOR - 10 <= made.now() - began <= FOR + 15
            assert (node.labels, node.role) == ({"disk": "ssd"}, "worker")
            await asyncio.sleep(300)
            assert not drained(made)
            assert {"condition_met", "drained", "drain_over"} <= set(said(made, "w1"))

    run_on_hosts(run(), limit=1500)


def test_a_drain_is_taken_back_by_whoever_acts_then():
    """The acting agent dies and then all agents are started anew: the time goes on."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            await fail_on(made, "w1")
            await made.until(lambda: drained(made) == ["w1"], 60)
            began = made.now()
            first = made.actor()
            made.kill(first.node)
            await made.acting(but=first, within=60)
            await asyncio.sleep(10)
            assert drained(made) == ["w1"]
            for node in ("m1", "m2", "m3", "w2"):
                made.kill(node)
            await made.until(made.actors, 90)
            await made.until(lambda: not drained(made), FOR + 60)
            assert FOR - 10 <= made.now() - began <= FOR + 20

    run_on_hosts(run(), limit=1500)


def test_one_node_at_a_time():
    """Of two sick nodes the second waits until the first is back."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            await made.service("api", replicas=10)
            await asyncio.gather(fail_on(made, "w1"), fail_on(made, "w2", "api"))
            await made.until(lambda: drained(made), 60)
            (first,) = drained(made)
            second = ({"w1", "w2"} - {first}).pop()
            most = 0
            while drained(made) != [second]:
                most = max(most, len(drained(made)))
                await asyncio.sleep(0.5)
            assert most == 1
            assert "one_at_a_time" in said(made, second)

    run_on_hosts(run(), limit=1500)


def test_a_manager_is_drained_with_a_quorum_alone():
    """With one manager down neither of the others is drained, whatever is wrong with it."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            made.swarm.node_down(made.ids["m3"])
            await fail_on(made, "m2")
            await made.until(lambda: "quorum" in said(made, "m2"), 90)
            await asyncio.sleep(60)
            assert not drained(made)
            made.swarm.node_ready(made.ids["m3"])
            await made.until(lambda: drained(made) == ["m2"], 90)

    run_on_hosts(run(), limit=1500)


def test_a_manager_is_not_drained_where_no_other_has_an_agent():
    """Nobody could take it back then."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            actor = made.actor().node
            others = [one for one in ("m1", "m2", "m3") if one != actor]
            for other in others:
                made.cut(actor, other)
            await asyncio.sleep(15)
            await fail_on(made, actor)
            await made.until(lambda: "last_node" in said(made, actor), 90)
            await asyncio.sleep(60)
            assert actor not in drained(made)

    run_on_hosts(run(), limit=1500)


def test_what_a_person_set_is_a_persons():
    """A node that a person drained is never taken back; one set active meanwhile is forgotten."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            made.swarm.drain(made.ids["w2"])
            await fail_on(made, "w1")
            await made.until(lambda: available(made, "w1") is Availability.DRAIN, 60)
            made.swarm.activate(made.ids["w1"])
            await made.until(lambda: "drain_lifted" in said(made, "w1"), 30)
            await asyncio.sleep(10)
            made.swarm.drain(made.ids["w1"])
            await asyncio.sleep(3 * FOR)
            assert drained(made) == ["w1", "w2"]

    run_on_hosts(run(), limit=1500)


def test_a_drain_whose_answer_was_lost_is_taken_back_too():
    """Whether it was applied is seen from the node; until then no other node is drained."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            faults = [made.swarm.engine(made.ids[node]).faults for node in ("m1", "m2", "m3")]
            for one in faults:
                one.answer_delay = lambda method, _: 40.0 if method == "update_node" else 0.0
            await fail_on(made, "w1")
            await made.until(lambda: drained(made) == ["w1"], 60)
            began = made.now()
            await asyncio.sleep(35)
            for one in faults:
                one.answer_delay = None
            await made.until(lambda: not drained(made), FOR + 60)
            assert FOR - 10 <= made.now() - began <= FOR + 20

    run_on_hosts(run(), limit=1500)


def test_a_pause_holds_node_rules_and_a_rule_that_is_gone_still_takes_back():
    """Neither is a node drained while its rule is paused, nor left drained for want of a rule."""

    async def run() -> None:
        async with fleet(FAILING) as made:
            await made.service(replicas=10)
            await _pause(made, 100.0)
            await fail_on(made, "w1")
            await made.until(lambda: "paused" in said(made, "w1"), 60)
            assert not drained(made)
            await made.until(lambda: drained(made) == ["w1"], 120)
            for rules in (RuleSet(), RuleSet(node_rules=(replace(FAILING, mode=RuleMode.OFF),))):
                for one in made.processes.values():
                    one.core.controller.use_rules(rules)
                await asyncio.sleep(20)
            assert drained(made) == ["w1"]
            await made.until(lambda: not drained(made), FOR + 30)

    run_on_hosts(run(), limit=1500)


async def _pause(made: Agents, seconds: float) -> None:
    from monitor.model.pause import PauseScope

    controller, now = made.actor().core.controller, made.actor().core._clock.now()
    pauses = controller.pauses.having(PauseScope.RULE, "sick", seconds, now)
    assert await controller.keep_pauses(pauses) == ""


def test_unknown_nodes_are_not_down_and_a_dry_run_drains_nothing():
    """Every election sets nodes to unknown; only `down` counts, and dry runs only tell."""

    async def run() -> None:
        async with fleet(replace(DOWN, mode=RuleMode.DRY_RUN)) as made:
            made.swarm.set_node(made.ids["w1"], state=NodeState.UNKNOWN)
            await asyncio.sleep(60)
            assert said(made, "w1") == ["condition_not_met"]
            made.swarm.node_down(made.ids["w1"])
            await made.until(lambda: said(made, "w1")[-1] == "dry_run", 60)
            assert not drained(made)

    run_on_hosts(run(), limit=600)
