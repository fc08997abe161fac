"""Streams under attack: strangers, forgeries, nonsense."""

import asyncio

import pytest

from monitor.fleet.ends import StreamEnded
from monitor.fleet.places import MAX_OF_ONE_HOST, MAX_STRANGERS
from monitor.fleet.session import MAC_BYTES, Session, Side
from monitor.fleet.wire import Wire
from monitor.model.peer import PeerState
from tests.simulated.fleet import PORT, Heard, fleet
from tests.simulated.spoken import greet, raving
from tests.simulated.virtual import virtual
from tests.unit.fleet.build import SECRET, hello, looking, up


@virtual()
async def test_many_strangers_keep_no_manager_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Connections that prove nothing are bounded, by host too, cut after 5 s, and logged once."""
    heard = Heard()
    async with fleet("w1") as fleet_:
        server = fleet_.agents["w1"].server

        async def lurk(host: str) -> str:
            try:
                async with fleet_.pipes.connector(host)(f"w1:{PORT}") as wire:
                    await wire.receive()
            except StreamEnded as end:
                return end.kind.value
            return ""

        lurking = [asyncio.create_task(lurk("evil")) for _ in range(40)]
        await asyncio.sleep(0.1)
        assert sum(task.done() for task in lurking) == 40 - MAX_OF_ONE_HOST
        async with looking(fleet_.addresses, heard, **fleet_.parts()) as peers:
            await asyncio.sleep(1)
            assert up(peers, "w1")
            others = [asyncio.create_task(lurk(f"evil{n}")) for n in range(40)]
            await asyncio.sleep(0.1)
            assert sum(not task.done() for task in others) == MAX_STRANGERS - MAX_OF_ONE_HOST
            await asyncio.sleep(6)
            assert all(task.done() for task in lurking + others)
            assert {task.result() for task in lurking} == {"full", "refused"}
            assert up(peers, "w1")
        assert server.stats.auth_failures["no_secret"] == MAX_STRANGERS
        lines = capsys.readouterr().out.splitlines()
        assert sum("address=evil " in f"{line} " for line in lines) <= 1


@pytest.mark.parametrize("forged", [b"", b"short", bytes(MAC_BYTES) + b'{"t":"samples"}'])
def test_a_forged_frame_ends_the_connection(
    forged: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted each time, logged once a minute, and the next connection is a new conversation."""

    @virtual()
    async def run() -> None:
        heard = Heard()

        async def forge(wire: Wire, host: str) -> None:
            session = Session(Side.AGENT, SECRET, hello("w1"))
            await greet(wire, session)
            await wire.send(session.seal(b'{"t":"about","node":"w1"}'))
            await wire.send(forged)
            await asyncio.sleep(100)

        async with fleet() as fleet_:
            fleet_.pipes.listen("w1:1", forge)
            where = {"w1": ("w1:1",)}
            async with looking(where, heard, **fleet_.parts()) as peers:
                await asyncio.sleep(30)
                assert peers.stats.auth_failures["bad_frame"] == peers.stats.connected > 3
                assert peers.peers()["w1"].state is PeerState.REFUSED
                assert heard.reports == heard.events == []
        assert capsys.readouterr().out.count("no stream from a node's agent") == 1

    run()


NONSENSE = [
    b"", b"{", b"[]", b'{"t":"samples","table":9,"sent_at":1,"wall":1,"rows":[]}',
    b'{"t":"table","number":1,"tasks":[' + b'"a",' * 6000 + b'"b"]}', b'{"t":"about"}',
]  # fmt: skip


@virtual()
async def test_an_authentic_but_mad_agent_is_survived(capsys: pytest.CaptureFixture[str]) -> None:
    """Sealed nonsense is counted and not heard: the peer turns silent and is tried anew."""
    heard = Heard()
    async with fleet() as fleet_:
        fleet_.pipes.listen("w1:1", raving(*NONSENSE))
        async with looking({"w1": ("w1:1",)}, heard, **fleet_.parts()) as peers:
            await asyncio.sleep(5.5)
            assert peers.peers()["w1"].state is PeerState.SILENT
            assert peers.stats.malformed == 6 * len(NONSENSE)
            await asyncio.sleep(10)
            assert peers.stats.connected == 2
            assert heard.reports == heard.events == []
    assert capsys.readouterr().out.count("makes no sense") == 1
