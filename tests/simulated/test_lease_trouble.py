"""The lease while calls get lost, hang or come late, and while people change its config."""

import asyncio

import pytest
from structlog.testing import capture_logs

from monitor.fleet.lease_labels import CONFIG, PREFIX, read_claim
from tests.simulated.leased import HELD, PATIENCE, fleet, labels, write
from tests.simulated.virtual import virtual


@virtual()
async def test_without_quorum_the_same_one_goes_on() -> None:
    """Nobody could take it: once the Swarm answers its holder renews, under the same term."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        three.swarm.has_leader = False
        await asyncio.sleep(HELD)
        assert three.acting() == []
        assert "leader" in first.lease.why_not()
        await asyncio.sleep(120)
        began = three.swarm.mono()
        three.swarm.has_leader = True
        holder = await three.until_acting()
        assert three.swarm.mono() - began < 2
        if holder is first:
            assert holder.lease.term() == term


@pytest.mark.parametrize("lost", [1, 2, 3])
@virtual()
async def test_a_lost_reply_is_found_by_reading(lost: int) -> None:
    """The beat that stands there tells that it was carried out; nobody stops acting for it."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        first.engine.faults.lose_replies = lost
        await asyncio.sleep(20)
        assert first.engine.faults.lose_replies == 0
        assert first.terms[1:] == []
        assert first.lease.term() == term


@virtual()
async def test_a_lost_reply_to_the_taking_itself() -> None:
    """The one who took it without knowing finds out, and no second one does."""
    async with fleet() as three:
        for agent in three.agents:
            agent.engine.faults.lose_replies = 2
        first = await three.until_acting()
        await asyncio.sleep(60)
        assert three.acting() == [first]
        assert len(three.written) == 1


@virtual()
async def test_a_write_that_arrives_after_its_deadline() -> None:
    """Its time counts from when it was sent: over when it arrives, however late that is."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        first.way.late = 9.0
        await asyncio.sleep(8 + 3)
        assert first.lease.term() is None
        first.way.late = 0.0
        holder = await three.until_acting()
        await asyncio.sleep(30)
        assert three.acting() == [holder]


@virtual()
async def test_a_renewal_counts_from_when_it_was_sent() -> None:
    """An answer 4.5 s later does not make it last 4.5 s longer than others wait."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        first.engine.faults.answer_delay = lambda method, _: 4.5 * (method == "update_config")
        before = three.swarm.config(CONFIG).version
        while three.swarm.config(CONFIG).version == before:
            await asyncio.sleep(0.01)
        await asyncio.sleep(4.6)
        assert first.lease.term() is not None
        first.engine.freeze()
        await asyncio.sleep(HELD - 4.6)
        assert first.lease.term() is None
        await three.until_acting(*three.but(first))


@virtual()
async def test_a_removed_lease_comes_back_under_a_higher_term() -> None:
    """The holder is told by the event and makes it anew; nobody else acts in between."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        assert term is not None
        three.swarm.remove_config(CONFIG)
        await asyncio.sleep(0.5)
        assert read_claim(labels(three)).holder == f"{first.name}-1"
        await asyncio.sleep(20)
        assert three.acting() == [first]
        assert (first.lease.term() or 0) > term
        assert read_claim(labels(three)).term > term


@virtual()
async def test_after_a_removal_no_term_is_given_twice() -> None:
    """Also where who makes the lease anew never saw the last term before the removal."""
    async with fleet() as three:
        first = await three.until_acting()
        unaware, third = three.but(first)
        await asyncio.sleep(5)
        unaware.engine.cut_off()
        await first.die()
        await asyncio.sleep(20)
        assert three.acting() == [third]
        term = third.lease.term()
        assert term is not None
        await third.die()
        three.swarm.remove_config(CONFIG)
        unaware.engine.restore()
        await asyncio.sleep(30)
        assert three.acting() == [unaware]
        assert (unaware.lease.term() or 0) > term


@virtual()
async def test_a_lease_removed_under_a_cut_off_holder_is_waited_for() -> None:
    """Others make it anew, and leave the holder the time that it may still act."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        assert term is not None
        first.engine.cut_off()
        three.swarm.remove_config(CONFIG)
        began = three.swarm.mono()
        second = await three.until_acting(*three.but(first))
        assert PATIENCE <= three.swarm.mono() - began <= PATIENCE + 2
        assert (second.lease.term() or 0) > term


@pytest.mark.parametrize(
    "changes",
    [
        {"term": "x"},
        {"term": "9" * 16},
        {"beat": "-1"},
        {"released": "maybe"},
        {"holder": "h" * 300},
        {"holder": ""},
        {"beat": "0"},
    ],
)
@virtual()
async def test_what_a_person_wrote_is_repaired(changes: dict[str, str]) -> None:
    """The holder in time writes over it and goes on; at most three lines of each agent."""
    with capture_logs() as logs:
        async with fleet() as three:
            first = await three.until_acting()
            await asyncio.sleep(5)
            term = first.lease.term()
            logs.clear()
            write(three, **changes)
            await asyncio.sleep(4)
            assert three.acting() == [first]
            assert first.lease.term() == term
            assert read_claim(labels(three)).term == term
            assert labels(three)[f"{PREFIX}holder"] == f"{first.name}-1"
    assert len(logs) <= 9


@virtual()
async def test_whoever_else_is_named_is_believed() -> None:
    """The labels name another agent: the holder lets go, and its time is waited for."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        assert term is not None
        write(three, holder="someone", node_name="m9", term=str(term + 1))
        began = three.swarm.mono()
        await asyncio.sleep(3.1)
        assert three.acting() == []
        assert "agent on m9 holds the lease" in first.lease.why_not()
        second = await three.until_acting()
        assert PATIENCE <= three.swarm.mono() - began <= PATIENCE + 2
        assert second.lease.term() == term + 2


@virtual()
async def test_late_and_changed_meanwhile_is_lost() -> None:
    """A late holder goes on from its own version alone: a person's label in between ends it."""
    async with fleet(1) as alone:
        first = await alone.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        assert term is not None
        first.engine.freeze()
        await asyncio.sleep(HELD)
        config = alone.swarm.config(CONFIG)
        alone.swarm.label_config(config.id, config.version, config.labels | {"team": "ops"})
        await asyncio.sleep(1)
        first.engine.thaw()
        began = alone.swarm.mono()
        await alone.until_acting()
        assert PATIENCE - 1 <= alone.swarm.mono() - began <= PATIENCE + 2
        assert first.lease.term() == term + 1


@virtual()
async def test_garbage_under_a_dead_holder_is_waited_for_and_repaired() -> None:
    """Nobody knows who wrote it: 10 s without a change, then a term above all known."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(5)
        term = first.lease.term()
        assert term is not None
        await first.die()
        await asyncio.sleep(5)
        write(three, term="nonsense")
        began = three.swarm.mono()
        await asyncio.sleep(2)
        assert "changed by hand" in three.but(first)[0].lease.why_not()
        second = await three.until_acting(*three.but(first))
        assert PATIENCE <= three.swarm.mono() - began <= PATIENCE + 2
        assert (second.lease.term() or 0) > term


@virtual()
async def test_other_labels_of_the_config_stay() -> None:
    """A person's own label there survives every renewal, and costs nobody the lease."""
    async with fleet() as three:
        first = await three.until_acting()
        await asyncio.sleep(4)
        config = three.swarm.config(CONFIG)
        three.swarm.label_config(config.id, config.version, config.labels | {"team": "ops"})
        await asyncio.sleep(30)
        assert labels(three)["team"] == "ops"
        assert first.terms[1:] == []


@virtual()
async def test_the_wall_clock_means_nothing() -> None:
    """An hour forth and a day back: the same one acts throughout."""
    async with fleet() as three:
        first = await three.until_acting()
        for jump in (3600, -86_400, 1e6):
            three.swarm.clock.jump_wall(jump)  # type: ignore[attr-defined]
            await asyncio.sleep(30)
        assert first.terms[1:] == []
        assert three.acting() == [first]


@virtual()
async def test_a_lasting_failure_is_said_seldom() -> None:
    """Ten minutes without an engine: not a line for each second."""
    with capture_logs() as logs:
        async with fleet() as three:
            first = await three.until_acting()
            await asyncio.sleep(5)
            logs.clear()
            first.engine.cut_off()
            await asyncio.sleep(600)
            first.engine.restore()
            await asyncio.sleep(5)
    said = [entry["event"] for entry in logs if "could not be read" in entry["event"]]
    assert 1 <= len(said) <= 12
    assert sum("again" in entry["event"] for entry in logs) == 1
