"""Streams over hours of virtual time: silence, loss, partitions, nonsense."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.rows import ReportEncoder
from monitor.fleet.session import Session, Side
from monitor.fleet.wire import Wire
from monitor.model.peer import Command, CommandResult, PeerState
from monitor.simulate.clock import VirtualClock
from tests.simulated.fleet import PORT, Heard, fleet, oom_of
from tests.simulated.spoken import end_of, greet, raving
from tests.simulated.virtual import virtual
from tests.unit.fleet.build import SECRET, about, hello, looking, report, up


@virtual()
async def test_every_manager_hears_every_agent() -> None:
    """Three managers and two workers in one process: each manager hears the four others."""
    nodes = ("m1", "m2", "m3", "w1", "w2")
    async with fleet(*nodes) as fleet_:
        heards = {name: Heard() for name in nodes[:3]}
        peers = []
        for name, heard in heards.items():
            entered = looking(fleet_.addresses, heard, **fleet_.parts(name))
            peers.append(await fleet_.stack.enter_async_context(entered))
        await asyncio.sleep(60)
        for name, heard in heards.items():
            others = {node for node in nodes if node != name}
            assert {node for node, _, _ in heard.reports} == others
            for node, got, received in heard.reports:
                assert [one.task_id for one in got.readings] == [f"task-{node}"]
                assert received == got.sent_at  # no time passes on the way here
            assert len(heard.reports) == pytest.approx(60 * 4, abs=8)
            assert heard.resyncs == sorted(others)
        assert all(p.skew == pytest.approx(2.5) for p in peers[0].peers().values())
        fleet_.agents["w2"].server.tell(oom_of("w2"))
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        assert all(heard.events == [("w2", oom_of("w2"))] for heard in heards.values())
        told = {said.node_id for said, _ in fleet_.agents["w1"].managers}
        assert told == {"m1", "m2", "m3"}
        assert fleet_.agents["w1"].server.stats.connections == 3


@virtual()
async def test_silence_is_noticed_and_ends_the_connection() -> None:
    """An agent that stops sampling is SILENT after 5 s, cut after 15 s and connected anew."""
    heard = Heard()
    async with fleet("w1") as fleet_, looking(fleet_.addresses, heard, **fleet_.parts()) as peers:
        await asyncio.sleep(10.5)
        fleet_.agents["w1"].sampling = False
        last = heard.reports[-1][2]
        await asyncio.sleep(last + 4.9 - fleet_.clock.now().mono)
        assert peers.peers()["w1"].state is PeerState.UP
        await asyncio.sleep(0.2)
        peer = peers.peers()["w1"]
        assert peer.state is PeerState.SILENT
        assert "nothing was heard for 5 s" in peer.why
        assert peer.heard_at == last
        await asyncio.sleep(9.8)
        assert heard.resyncs == ["w1"]
        await asyncio.sleep(0.5)
        assert heard.resyncs == ["w1", "w1"]
        assert heard.reports[-1][2] == last  # what it sampled before is not passed off as new
        fleet_.agents["w1"].sampling = True
        await asyncio.sleep(2)
        assert peers.peers()["w1"].state is PeerState.UP
        assert heard.reports[-1][2] == pytest.approx(fleet_.clock.now().mono, abs=1)


class Attempts:
    """A network where every connection is refused, and when each was tried."""

    def __init__(self) -> None:
        self.tried: list[tuple[str, float]] = []

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Wire]:
        self.tried.append((address, VirtualClock().now().mono))
        raise StreamEnded(End.UNREACHABLE, f"{address}: connection refused.")
        yield


@virtual()
async def test_pauses_double_up_to_half_a_minute() -> None:
    """Attempts come 0.1 to 0.2 s apart at first, 15 to 30 s in the end, never in step."""
    attempts = Attempts()
    where = {"w1": ("w1:1",)}
    async with looking(where, Heard(), clock=VirtualClock(), connect=attempts.connect) as peers:
        await asyncio.sleep(600)
        assert peers.peers()["w1"].why == "w1:1: connection refused."
        assert peers.peers()["w1"].heard_at is None
    times = [at for _, at in attempts.tried]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    for pause, whole in zip(pauses, [0.2 * 2**n for n in range(7)], strict=False):
        assert whole / 2 <= pause <= whole
    assert all(15 <= pause <= 30 for pause in pauses[8:])
    assert len({round(pause, 6) for pause in pauses}) == len(pauses)


@virtual()
async def test_a_new_address_is_tried_at_once() -> None:
    """A node's agent that moved is not waited for until the pause is over, nor after one miss."""
    attempts = Attempts()
    where = {"w1": ("w1:1",)}
    async with looking(where, Heard(), clock=VirtualClock(), connect=attempts.connect) as peers:
        await asyncio.sleep(300)
        where["w1"] = ("w1:2",)
        peers.look()
        await asyncio.sleep(1)
        later = [address for address, at in attempts.tried if at >= 1300]
        assert later[:3] == ["w1:2"] * 3


@virtual()
async def test_a_good_minute_makes_pauses_short_again() -> None:
    """A connection that lasted is tried again at once; ones that break at once are not."""
    heard = Heard()
    async with fleet("w1") as fleet_, looking(fleet_.addresses, heard, **fleet_.parts()):
        await asyncio.sleep(100)
        fleet_.pipes.unlisten(f"w1:{PORT}")
        fleet_.agents["w1"].server._dismiss()
        await asyncio.sleep(100)  # the pauses have grown
        fleet_.pipes.listen(f"w1:{PORT}", fleet_.agents["w1"].server.attend)
        await asyncio.sleep(100)
        assert len(heard.resyncs) == 2
        fleet_.agents["w1"].server._dismiss()
        await asyncio.sleep(0.3)
        assert len(heard.resyncs) == 3
        times = []
        for _ in range(8):
            fleet_.agents["w1"].server._dismiss()
            before, at = len(heard.resyncs), fleet_.clock.now().mono
            while len(heard.resyncs) == before:
                await asyncio.sleep(0.01)
            times.append(fleet_.clock.now().mono - at)
        assert times[-1] > 5


@virtual()
async def test_what_a_gone_node_said_is_dropped_in_time() -> None:
    """15 s after a node is not named any more it is gone; one that is back by then is not."""
    heard = Heard()
    async with (
        fleet("w1", "w2") as fleet_,
        looking(fleet_.addresses, heard, **fleet_.parts()) as peers,
    ):
        await asyncio.sleep(10)
        places = dict(fleet_.addresses)
        fleet_.addresses.clear()
        peers.look()
        await asyncio.sleep(5)
        assert peers.peers() == {}
        assert fleet_.agents["w1"].server.stats.connections == 0
        fleet_.addresses["w2"] = places["w2"]
        await asyncio.sleep(9.5)
        assert heard.gone == []
        await asyncio.sleep(2)
        assert heard.gone == ["w1"]
        assert up(peers, "w2")
        await asyncio.sleep(60)
        assert heard.gone == ["w1"]


@virtual()
async def test_a_partition_heals() -> None:
    """Cut from a manager an agent is silent, then unreachable; healed, it is back within 30 s."""
    heard = Heard()
    async with (
        fleet("w1", "w2") as fleet_,
        looking(fleet_.addresses, heard, **fleet_.parts()) as peers,
    ):
        await asyncio.sleep(30)
        fleet_.pipes.cut("m1", "w1")
        await asyncio.sleep(300)
        peer = peers.peers()["w1"]
        assert peer.state is PeerState.CONNECTING
        assert "did not answer" in peer.why
        assert up(peers, "w2")
        assert fleet_.agents["w1"].server.stats.connections == 0  # its side noticed as well
        fleet_.pipes.heal("m1", "w1")
        await asyncio.sleep(31)
        assert up(peers, "w1")
        assert heard.resyncs.count("w1") == 2
        assert heard.resyncs.count("w2") == 1


@virtual()
async def test_a_manager_that_says_nothing_is_let_go() -> None:
    """A connection that nobody is behind any more is given up by the serving side after 15 s."""
    async with fleet("w1") as fleet_:
        server = fleet_.agents["w1"].server
        async with fleet_.pipes.connector("m1")(f"w1:{PORT}") as wire:
            await greet(wire, Session(Side.MANAGER, SECRET, hello("m1"), expects="w1"))
            await asyncio.sleep(14)
            assert server.stats.connections == 1
            await asyncio.sleep(2)
            assert server.stats.connections == 0


@virtual()
async def test_the_older_connection_of_a_manager_is_told_that_it_was_replaced() -> None:
    """One connection per manager: the newest, which stays; the older one ends at once."""
    async with fleet("w1") as fleet_:
        server = fleet_.agents["w1"].server
        connect = fleet_.pipes.connector("m1")
        async with connect(f"w1:{PORT}") as first, connect(f"w1:{PORT}") as second:
            await greet(first, Session(Side.MANAGER, SECRET, hello("m1"), expects="w1"))
            await greet(second, Session(Side.MANAGER, SECRET, hello("m1", 5), expects="w1"))
            at = fleet_.clock.now().mono
            assert await end_of(first) is End.REPLACED
            assert fleet_.clock.now().mono == at
            await asyncio.sleep(1)
            assert server.stats.connections == 1
            await second.receive()


@virtual()
async def test_a_reader_that_stops_reading_is_dropped() -> None:
    """Nothing read for 10 s while more is to be sent ends the connection; memory stays bounded."""
    async with fleet("w1") as fleet_:
        server = fleet_.agents["w1"].server
        async with fleet_.pipes.connector("m1")(f"w1:{PORT}") as wire:
            session = Session(Side.MANAGER, SECRET, hello("m1"), expects="w1")
            await greet(wire, session)
            for _ in range(100):  # it goes on talking, but does not listen
                if not server.stats.connections:
                    break
                await wire.send(session.seal(b'{"t":"about","node":"m1"}'))
                await asyncio.sleep(1)
            assert server.stats.dropped_slow == 1
            assert server.stats.frames_out < 80


@virtual()
async def test_a_table_counts_for_its_own_connection_alone() -> None:
    """Rows of a restarted agent are not put together with the table of the one before it."""
    encoded = ReportEncoder().encode(report("t1"))
    said = [[encoded.table, encoded.samples], [encoded.samples]]

    async def attend(wire: Wire, host: str) -> None:
        session = Session(Side.AGENT, SECRET, hello("w1"))
        await greet(wire, session)
        for content in said.pop(0) if said else ():
            await wire.send(session.seal(content))

    heard = Heard()
    async with fleet() as fleet_:
        fleet_.pipes.listen("w1:1", attend)
        async with looking({"w1": ("w1:1",)}, heard, **fleet_.parts()) as peers:
            await asyncio.sleep(5)
            assert said == []
            assert len(heard.reports) == peers.stats.malformed == 1


@virtual()
async def test_an_agent_of_a_later_release_is_heard() -> None:
    """Types of messages that nobody knows here are counted, and are a sign of life."""
    heard = Heard()
    async with fleet() as fleet_:
        fleet_.pipes.listen("w1:1", raving(b'{"t":"weather","rain":1}'))
        async with looking({"w1": ("w1:1",)}, heard, **fleet_.parts()) as peers:
            await asyncio.sleep(29.5)
            assert peers.stats.unknown == 30
            assert (peers.stats.connected, peers.stats.malformed) == (1, 0)
            assert peers.peers()["w1"].state is PeerState.UP


@virtual()
async def test_a_command_survives_a_lost_connection() -> None:
    """Sent, cut, connected again and answered; carried out once."""
    seen: list[str] = []

    async def obey(order: Command) -> CommandResult:
        seen.append(order.id)
        await asyncio.sleep(2)
        return CommandResult(order.id, True)

    async with fleet() as fleet_:
        agent = await fleet_.serve("w1", on_command=obey)
        async with looking(fleet_.addresses, Heard(), **fleet_.parts()) as peers:
            await asyncio.sleep(5)
            waiting = asyncio.create_task(peers.command("w1", Command("d1", "stop", 1, 20.0)))
            await asyncio.sleep(1)
            agent.server._dismiss()
            assert await waiting == CommandResult("d1", True)
            assert seen == ["d1"]
            assert agent.server.stats.connected == 2


@virtual()
async def test_an_agent_that_is_another_nodes_by_now_is_left() -> None:
    """After an engine left its Swarm and joined again, nothing of it counts for the old node."""
    heard = Heard()
    async with fleet("w1") as fleet_, looking(fleet_.addresses, heard, **fleet_.parts()) as peers:
        await asyncio.sleep(5)
        agent = fleet_.agents["w1"]
        agent.said[0] = about("w9")
        agent.server.about_changed()
        await asyncio.sleep(1)
        known = len(heard.reports)
        await asyncio.sleep(60)
        assert len(heard.reports) == known
        assert "Another node" in peers.peers()["w1"].why
        fleet_.addresses["w9"] = fleet_.addresses.pop("w1")
        await asyncio.sleep(2)
        assert up(peers, "w9")


@virtual()
async def test_500_agents_are_connected_within_a_second() -> None:
    """A manager that starts has all of a large fleet soon, and loses all without an error."""
    async with fleet(*(f"w{number}" for number in range(500))) as fleet_:
        heard = Heard()
        async with looking(fleet_.addresses, heard, **fleet_.parts()) as peers:
            await asyncio.sleep(1)
            assert sum(up(peers, node_id) for node_id in peers.peers()) == 500
            for agent in fleet_.agents.values():
                agent.sampling = False
            fleet_.addresses.clear()
            await asyncio.sleep(20)
            assert len(heard.gone) == 500


@virtual()
async def test_nothing_is_connected_before_the_own_node_is_known() -> None:
    """An agent whose engine has not said which node it is neither connects nor is connected to."""
    own = [about("")]
    async with fleet("w1") as fleet_:
        parts = fleet_.parts() | {"about": lambda: own[0]}
        async with looking(fleet_.addresses, Heard(), **parts) as peers:
            await asyncio.sleep(10)
            assert peers.peers() == {}
            own[0] = about("w1")  # it is the very one: still nobody to connect to
            await asyncio.sleep(10)
            assert peers.peers() == {}
            own[0] = about("m1")
            await asyncio.sleep(2)
            assert up(peers, "w1")
            fleet_.agents["w1"].said[0] = about("")
            fleet_.agents["w1"].server._dismiss()
            await asyncio.sleep(10)
            assert "does not know its own node" in peers.peers()["w1"].why


@virtual()
@pytest.mark.parametrize("turns", range(12))
async def test_a_link_that_ends_while_it_is_cancelled_is_cancelled(turns: int) -> None:
    """Whichever comes first, by any number of turns of the loop, nothing is left running."""
    async with fleet("w1") as fleet_, looking(fleet_.addresses, Heard(), **fleet_.parts()) as peers:
        await asyncio.sleep(5)
        link, task = peers._links["w1"]
        link.end(StreamEnded(End.CLOSED, "The connection broke."))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(1)
        assert task.done()
