"""What survives where the state cannot be stored, is gone or garbage, or came too late."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from monitor.model.outcome import OutcomeKind
from monitor.model.pause import PauseScope
from monitor.ports.errors import Conflict, Unreachable
from monitor.simulate.loop import run_virtual
from monitor.store.packing import PREFIX
from monitor.store.state_config import NAME
from tests.simulated.surviving import BUSY, CALM, COOLDOWN, COOLING, LEAK, cooled, fleet, web
from tests.simulated.virtual import virtual


@virtual(limit=300)
async def test_a_write_that_cannot_be_stored_is_not_sent() -> None:
    """And consumes nothing: once the store answers it is done at once, without a cooldown."""
    async with fleet(COOLING) as made:
        service_id = await web(made)
        made.used.cpu = CALM
        agent = await made.start("a", acts=True)
        await made.until(lambda: agent.survival.ready_for(made.lease.term) == "")
        made.engine().faults.fail_next("update_config", Unreachable("cut off"), times=4)
        made.engine().faults.fail_next("config", Unreachable("cut off"), times=4)
        made.used.cpu = BUSY
        await made.until(lambda: made.records.outcomes)
        kind = made.records.outcomes[0][1]
        assert kind.kind is OutcomeKind.FAILED
        assert "could not be stored" in kind.detail
        assert made.records.own == []
        assert agent.history(service_id, "r1").events == ()
        await made.until(lambda: made.replicas() == 2)
        assert len(agent.history(service_id, "r1").events) == 1


@virtual(limit=300)
async def test_an_agent_that_was_superseded_without_knowing_sends_nothing() -> None:
    """Both believe that they act: the one with the older term cannot store its intent."""
    async with fleet(COOLING) as made:
        await web(made)
        made.used.cpu = CALM
        old = await made.start("a", acts=True)
        await made.until(lambda: old.survival.ready_for(made.lease.term) == "")
        term = made.lease.term
        frozen = old.controller._actorship
        object.__setattr__(frozen, "lease", replace(made.lease))
        new = await made.start("b", acts=True)
        await made.until(lambda: new.survival.ready_for(made.lease.term) == "")
        made.records.writes.clear()
        made.used.cpu = BUSY
        await made.end(new)
        await asyncio.sleep(10)
        assert frozen.term() == term
        assert made.records.own == []
        assert "an agent of term 2 has written" in old.survival.problem
        assert old.survival.ready_for(term)


@virtual(limit=300)
async def test_a_pause_that_cannot_be_stored_is_refused() -> None:
    """The person is told, and what was in force before is in force."""
    async with fleet(COOLING) as made:
        await web(made)
        made.used.cpu = CALM
        agent = await made.start("a", acts=True)
        await made.until(lambda: agent.survival.ready_for(made.lease.term) == "")
        pauses = agent.controller.pauses.having(PauseScope.ALL, "", None, made.swarm.clock.now())
        made.engine().faults.unreachable = True
        said = await agent.controller.keep_pauses(pauses)
        assert "could not be stored" in said
        assert agent.controller.pauses.shown(made.swarm.clock.now()) == ()
        made.engine().faults.unreachable = False
        made.lease.give("nobody")
        assert "nobody acts" in await agent.controller.keep_pauses(pauses)


@virtual(limit=600)
async def test_a_removed_state_is_written_anew_from_memory() -> None:
    """A person removes the config: the agent that acts, or the next one, puts it back."""
    async with fleet(COOLING) as made:
        await web(made)
        first = await made.start("a", acts=True)
        await made.start("b")
        await made.until(lambda: made.replicas() == 2)
        at = made.records.applied[0].at
        await asyncio.sleep(8)
        made.swarm.remove_config(NAME)
        first.survival.hint()
        await asyncio.sleep(2)
        assert made.state()["services"]
        made.swarm.remove_config(NAME)
        await made.end(first)
        made.lease.give("b")
        await made.until(lambda: made.replicas() == 4, within=COOLDOWN)
        cooled(made, at)


@virtual(limit=900)
async def test_an_unreadable_state_is_said_and_taken_for_the_worst() -> None:
    """Nobody remembers: cooldowns begin, budgets are spent, and after that all goes on."""
    async with fleet(COOLING, LEAK) as made:
        service_id = await web(made)
        first = await made.start("a", acts=True)
        await made.until(lambda: made.replicas() == 2)
        made.used.cpu = CALM
        await asyncio.sleep(COOLDOWN + 5)
        await made.end(first)
        made.used.cpu = BUSY
        config = made.swarm.config(NAME)
        made.swarm.label_config(config.id, config.version, {f"{PREFIX}format": "99"})
        began = made.swarm.mono()
        second = await made.start("a", acts=True)
        await asyncio.sleep(10)
        assert "newer release" in second.problems[-1]
        assert len(second.history(service_id, "leak").restarts) == LEAK.budget.count
        await made.until(lambda: made.replicas() == 4, within=COOLDOWN + 10)
        assert made.records.applied[1].at - began >= COOLDOWN
        assert made.state()["services"]
        assert made.swarm.config(f"{NAME}-unreadable").labels == {f"{PREFIX}format": "99"}


@virtual(limit=600)
async def test_the_state_of_a_later_term_that_nobody_writes_any_more_is_taken_over() -> None:
    """The lease was removed and begins anew at term 1: it takes 15 s, and not for ever."""
    async with fleet(COOLING) as made:
        await web(made)
        made.lease.term = 40
        first = await made.start("a", acts=True)
        await made.until(lambda: made.replicas() == 2)
        made.used.cpu = CALM
        await made.end(first)
        made.lease.term = 0
        second = await made.start("b", acts=True)
        await asyncio.sleep(10)
        assert second.survival.ready_for(1)
        assert second.survival.highest_term == 41
        await made.until(lambda: second.survival.ready_for(1) == "", within=10)
        await asyncio.sleep(2)
        assert len(second.history(made.swarm.service("web").id, "r1").events) == 1


@pytest.mark.parametrize("wants", [True, False])
def test_a_write_that_arrives_after_its_agent_died_is_counted_or_refused(wants) -> None:
    """The next agent writes before it comes, and it is refused; or it does not, and what comes is
    known as the work of an agent: the cooldown runs from there."""

    async def run() -> None:
        async with fleet(COOLING) as made:
            service_id = await web(made)
            engine, late = made.engine(), []

            async def posted_late(*args) -> None:
                async def deliver() -> None:
                    await asyncio.sleep(4.0)
                    with suppress(Conflict):
                        made.swarm.update_service(*args)

                late.append(asyncio.create_task(deliver(), name="write late"))
                await asyncio.sleep(60.0)

            engine.update_service = posted_late
            first = await made.start("a", acts=True)
            await made.until(lambda: late)
            await made.end(first)
            del engine.update_service
            made.used.cpu = BUSY if wants else CALM
            second = await made.start("b", acts=True)
            await late[0]
            at = made.swarm.mono()
            await asyncio.sleep(3)
            assert made.replicas() == 2
            assert len(second.history(service_id, "r1").events) == 1
            assert second.history(service_id, "r1").set_by_us == 2
            made.used.cpu = BUSY
            await made.until(lambda: made.replicas() == 4, within=COOLDOWN + 10)
            assert made.swarm.mono() - at >= COOLDOWN - (6 if wants else 1)
            applied = [write for write in made.records.writes if write.applied]
            assert [write.replicas for write in applied] == [(1, 2), (2, 4)]

    run_virtual(run(), limit=600)
