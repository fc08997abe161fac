"""What an agent exports of the others is what there is."""

import asyncio

from monitor.agent.fleet_facts import fleet_facts
from monitor.export.facts import FleetFacts
from tests.simulated.agents import MANAGERS, Agents
from tests.simulated.fleet_rules import QUICK, fleet_of


def facts(made: Agents, node: str) -> FleetFacts:
    process = made.processes[node]
    found = fleet_facts(process.core, process.streams, made.digests.get(node, "d1"), 3)
    assert found is not None
    return found


@fleet_of(QUICK)
async def test_the_facts_of_a_healthy_fleet(made: Agents) -> None:
    """One holds the lease and misses nobody; managers hear all, workers are heard by all."""
    made.skews["w1"] = 30.0
    await asyncio.sleep(5)
    found = {node: facts(made, node) for node in made.ids}
    assert sum(one.held for one in found.values()) == 1
    actor = found[made.actor().node]
    assert (actor.held, actor.missing, actor.agree, actor.streams) == (True, 0, True, True)
    assert actor.term == made.actor().core.lease.term()
    assert abs(actor.skew["w1"] - 30) < 0.1
    assert abs(actor.skew["w2"]) < 0.1
    assert actor.journal_dropped == 3
    for node, one in found.items():
        assert one.managers_heard == 3
        assert one.peers.get("up", 0) == (4 if node in MANAGERS else 0)
        assert one.missing is None or one.held
        assert one.bytes["in"] > 0
        assert one.bytes["out"] > 0


@fleet_of(QUICK)
async def test_the_facts_of_a_fleet_in_which_much_is_wrong(made: Agents) -> None:
    """One hangs, one has another secret, one would act differently."""
    actor = made.actor().node
    other = next(node for node in MANAGERS if node != actor)
    made.processes["w1"].freeze()
    made.secrets["w2"] = b"another secret than the others have"
    made.kill("w2")
    made.digests[other] = "d2"
    await asyncio.sleep(11)
    found = facts(made, actor)
    assert found.held
    assert not found.agree
    assert found.peers == {"connecting": 0, "up": 2, "silent": 1, "refused": 1}
    assert found.missing == 2
    assert sum(found.refused.values()) >= 1
    assert sum(facts(made, "w2").refused.values()) >= 1
    assert facts(made, "w2").managers_heard == 0
