"""The lease on virtual time: one holder at most, and one again soon, whatever breaks."""

import asyncio
import random

import pytest
from structlog.testing import capture_logs

from monitor.fleet.lease import Lease
from monitor.fleet.lease_labels import CONFIG, Claim, read_claim
from monitor.model.event import Event
from tests.simulated.leased import HELD, PATIENCE, fleet, labels
from tests.simulated.virtual import virtual


@virtual()
async def test_the_first_agents_agree_at_once() -> None:
    """Where there never was a lease nobody waits, exactly one holds it, and nobody complains."""
    async with fleet() as three:
        with capture_logs() as logs:
            first = await three.until_acting(within=1.0)
            await asyncio.sleep(600)
        assert {entry["log_level"] for entry in logs} == {"info"}
        assert len(logs) == 3
        assert three.acting() == [first]
        assert len(first.terms) == 1
        assert first.lease.why_not() == ""
        for agent in three.agents:
            assert agent.lease.holder == (first.node_id, first.name)
            assert agent.lease.holder_digest == "d1"
        for agent in three.but(first):
            assert f"agent on {first.name} holds the lease" in agent.lease.why_not()


@virtual()
async def test_renewing_costs_two_calls_in_three_seconds() -> None:
    """Of the holder; a standby reads, and writes nothing."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(10)
        for agent in three.agents:
            agent.engine.calls.clear()
        await asyncio.sleep(300)
        assert 95 <= first.engine.calls["update_config"] <= 101
        assert 95 <= first.engine.calls["config"] <= 101
        for agent in three.but(first):
            assert agent.engine.calls["update_config"] == 0
            assert agent.engine.calls["config"] <= 420


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize("seed", range(5))
@virtual()
async def test_a_dead_holder_is_replaced_in_time(seed: int, events: bool) -> None:
    """Never before 10 s after its last renewal, and at most 12 s after it, events or not."""
    async with fleet(seed=seed) as three:
        first = await three.until_acting()
        for agent in three.agents:
            agent.events = events
        await asyncio.sleep(20 + random.Random(seed).random() * 3)
        await first.die()
        renewed = three.swarm.config(CONFIG).updated_ns / 1e9 - 1_750_000_000
        before = read_claim(labels(three)).term
        second = await three.until_acting(*three.but(first))
        taken = three.swarm.mono() - renewed
        assert PATIENCE <= taken <= PATIENCE + 2
        assert second.lease.term() == before + 1


@virtual()
async def test_a_standby_that_just_started_waits_the_whole_time() -> None:
    """It cannot know how old what it first sees is."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        for agent in three.but(first):
            await agent.die()
        await first.die()
        await asyncio.sleep(100)
        one = three.but(first)[0]
        began = three.swarm.mono()
        one.start()
        assert await three.until_acting() is one
        assert PATIENCE <= three.swarm.mono() - began <= PATIENCE + 2


@pytest.mark.parametrize("events", [True, False])
@virtual()
async def test_an_orderly_stop_hands_over(events: bool) -> None:
    """Another acts within 2 s, without events as well, under the next term."""
    async with fleet() as three:
        first = await three.until_acting()
        for agent in three.agents:
            agent.events = events
        await asyncio.sleep(7)
        term = first.lease.term()
        assert term is not None
        began = three.swarm.mono()
        assert await first.stop() < 0.2
        second = await three.until_acting(*three.but(first))
        assert three.swarm.mono() - began < (0.3 if events else 2.0)
        assert second.lease.term() == term + 1


@virtual()
async def test_releasing_on_a_dead_engine_is_bounded() -> None:
    """2 s, no error, and no term from the first moment on; others wait as for a dead holder."""
    async with fleet() as three:
        first = await three.until_acting()
        first.engine.freeze()
        began = three.swarm.mono()
        releasing = asyncio.create_task(first.lease.release())
        await asyncio.sleep(0)
        assert first.lease.term() is None
        await releasing
        assert 1.9 <= three.swarm.mono() - began <= 2.1
        assert "stopping" in first.lease.why_not()
        standby = three.but(first)[0]
        await standby.lease.release()  # nothing to give up
        assert three.swarm.mono() - began <= 2.1


@virtual()
async def test_a_released_agent_takes_nothing_any_more() -> None:
    """Between the release and its end it does not compete for what it just gave up."""
    async with fleet(1) as alone:
        (agent,) = alone.agents
        await alone.until_acting()
        await agent.lease.release()
        agent.engine.calls.clear()
        await asyncio.sleep(60)
        assert agent.lease.term() is None
        assert not agent.engine.calls
        assert read_claim(labels(alone)).released


@virtual()
async def test_a_stop_outruns_the_renewal_under_way() -> None:
    """What was sent before and is carried out meanwhile neither revives the term nor stays."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(2.5)
        first.way.late = 0.6
        while not first.way.under_way:
            await asyncio.sleep(0.01)
        for agent in three.but(first):
            agent.barred = "Not this one."
        await first.lease.release()
        for _ in range(200):
            assert first.lease.term() is None
            await asyncio.sleep(0.01)
        assert read_claim(labels(three)).released


@pytest.mark.parametrize("stops", [True, False])
@virtual()
async def test_what_changed_while_it_looked_counts(stops: bool) -> None:
    """Stopped, or barred, while the answer was under way: what it shows free is not taken."""
    async with fleet(1) as alone:
        (agent,) = alone.agents
        agent.barred = "Not yet."
        alone.swarm.create_config(CONFIG, Claim(released=True).labels({}), b"")
        await asyncio.sleep(3)
        agent.barred = ""
        agent.engine.faults.answer_delay = lambda method, _: 1.0 * (method == "config")
        agent.lease.reconsider()
        await asyncio.sleep(0.5)
        if stops:
            await agent.lease.release()
        else:
            agent.barred = "Not any more."
        await asyncio.sleep(5)
        assert alone.written == {}
        assert agent.terms == []


@virtual()
async def test_a_frozen_process_has_no_term_when_it_thaws() -> None:
    """60 s pass while nothing of it runs: no term before the first thing it awaits."""
    async with fleet(1) as alone:
        agent = await alone.until_acting()
        await asyncio.sleep(5)
        term = agent.lease.term()
        assert term is not None
        loop = asyncio.get_running_loop()
        loop._now += 60  # type: ignore[attr-defined]
        assert agent.lease.term() is None
        await asyncio.sleep(1)
        # Nobody changed it meanwhile: it goes on under its own term.
        assert agent.lease.term() == term


@virtual()
async def test_a_frozen_engine_costs_the_lease_and_no_more() -> None:
    """Another takes over within 15 s; the first one stands by when its engine comes back."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        assert term is not None
        first.engine.freeze()
        began = three.swarm.mono()
        renewed = three.swarm.config(CONFIG).updated_ns / 1e9 - 1_750_000_000
        await asyncio.sleep(HELD)
        assert first.lease.term() is None
        assert "renewed in time" in first.lease.why_not()
        # Said when it was over, though a call was waiting for its answer.
        lost_at, lost = first.terms[-1]
        assert lost is None
        assert HELD - 0.05 <= lost_at - renewed <= HELD
        second = await three.until_acting(*three.but(first))
        assert three.swarm.mono() - began <= 15
        await asyncio.sleep(60 - (three.swarm.mono() - began))
        first.engine.thaw()
        assert first.lease.term() is None
        await asyncio.sleep(30)
        assert three.acting() == [second]
        assert second.lease.term() == term + 1
        assert first.lease.holder == (second.node_id, second.name)


@virtual()
async def test_the_end_of_a_term_is_told_when_it_comes() -> None:
    """Also while a call waits for its answer: whoever asked to be told need not ask again."""
    async with fleet() as three:
        first = await three.until_acting()
        before = three.swarm.config(CONFIG).version
        while three.swarm.config(CONFIG).version == before:
            await asyncio.sleep(0.001)
        renewed = three.swarm.mono()
        await asyncio.sleep(0.003)  # the answer came, the look after it hangs
        first.engine.freeze()
        await asyncio.sleep(HELD)
        lost_at, lost = first.terms[-1]
        assert lost is None
        assert HELD - 0.05 <= lost_at - renewed <= HELD


@virtual()
async def test_what_bars_an_agent_makes_it_give_up() -> None:
    """Released within a second and said; it takes part again when nothing bars it."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        first.barred = "The rules here are others than on m2."
        began = three.swarm.mono()
        second = await three.until_acting(*three.but(first))
        assert three.swarm.mono() - began <= 1.5
        assert first.lease.term() is None
        assert first.lease.why_not() == "The rules here are others than on m2."
        await asyncio.sleep(30)
        assert three.acting() == [second]
        for agent in three.but(first):
            agent.barred = "A standby may not either."
        first.barred = ""
        assert await three.until_acting(first, within=2.5) is first


@virtual()
async def test_reconsidering_makes_it_immediate() -> None:
    """Told that something changed, the holder gives up at once instead of within a second."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5.5)
        first.barred = "This manager is a worker now."
        first.lease.reconsider()
        await asyncio.sleep(0.11)
        assert first.lease.term() is None


@virtual()
async def test_nobody_who_may_not_takes_it() -> None:
    """All barred: no lease is made, and none taken however long that lasts."""
    async with fleet() as three:
        for agent in three.agents:
            agent.barred = "The Swarm was not listed yet."
        await asyncio.sleep(60)
        assert three.acting() == []
        assert not any(agent.engine.calls["create_config"] for agent in three.agents)
        three.agents[1].barred = ""
        assert await three.until_acting(within=2) is three.agents[1]


@virtual()
async def test_workers_ask_seldom_and_say_nothing() -> None:
    """A worker's engine refuses by nature: no log, a call in 5 s."""
    with capture_logs() as logs:
        async with fleet(1) as alone:
            (agent,) = alone.agents
            agent.barred = "This node is a worker."
            alone.swarm.set_node(agent.node_id, role="worker")
            await asyncio.sleep(300)
            assert agent.engine.calls["config"] <= 62
            assert agent.lease.why_not() == "This node is a worker."
    assert logs == []


@virtual()
async def test_events_of_others_are_no_hints() -> None:
    """A storm of events of all kinds costs no call; one of its own at most ten a second."""
    async with fleet() as three:
        first = await three.until_acting()
        standby = three.but(first)[0]
        await asyncio.sleep(5.5)
        standby.engine.calls.clear()
        for number in range(100):
            for kind, name in (("config", "other"), ("service", CONFIG)):
                standby.lease.hint(Event(kind, "update", "x", number, {"name": name}))
        await asyncio.sleep(0.3)
        assert standby.engine.calls["config"] <= 1
        standby.engine.calls.clear()
        for number in range(100):
            standby.lease.hint(Event("config", "update", "x", number, {"name": CONFIG}))
            await asyncio.sleep(0.01)
        assert 5 <= standby.engine.calls["config"] <= 11


@virtual()
async def test_it_is_an_actorship() -> None:
    """What the core asks of whoever says who acts."""
    async with fleet(1) as alone:
        lease: Lease = alone.agents[0].lease
        assert lease.term() is None
        assert "no lease yet" in lease.why_not()
        assert lease.holder is None
        assert lease.holder_digest == ""
