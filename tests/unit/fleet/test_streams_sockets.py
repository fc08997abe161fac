"""Server and peers over real sockets of this machine."""

import asyncio
import contextlib
import logging
from dataclasses import replace

import aiohttp
import pytest

from monitor.agent.clock import SystemClock
from monitor.fleet.secret import Secret
from monitor.fleet.server import StreamServer
from monitor.model.peer import Command, CommandResult, PeerState
from tests.unit.fleet.build import SECRET, Heard, about, looking, oom, report, until, up

HOST = "127.0.0.1"


def server(node_id: str = "w1", secret: bytes = SECRET, **parts: object) -> StreamServer:
    return StreamServer(SystemClock(), Secret(value=secret), lambda: about(node_id), **parts)


async def test_samples_events_and_words_on_itself_flow() -> None:
    """A manager hears what the agent publishes, tells and says of itself, and its changes."""
    said = about("w1")
    told: list[object] = []
    agent = StreamServer(
        SystemClock(),
        Secret(value=SECRET),
        lambda: said,
        on_manager_about=lambda *what: told.append(what),
        on_manager_gone=told.append,
    )
    heard = Heard()
    async with agent.serve(HOST, 0) as port:
        async with looking({"w1": (f"{HOST}:{port}",)}, heard) as peers:
            await until(lambda: up(peers, "w1"))
            assert heard.resyncs == ["w1"]
            assert peers.peers()["w1"].about == said
            agent.publish(report("t1", "t2"))
            await until(lambda: heard.reports)
            node_id, got, received = heard.reports[0]
            assert (node_id, got) == ("w1", report("t1", "t2"))
            assert received == pytest.approx(SystemClock().now().mono, abs=20)
            skew = peers.peers()["w1"].skew
            assert skew == pytest.approx(1000.0 - SystemClock().now().wall, abs=20)
            agent.tell(oom())
            await until(lambda: heard.events)
            assert heard.events == [("w1", oom())]
            said = replace(said, acting=True, digest="another")
            agent.about_changed()
            await until(lambda: peers.peers()["w1"].about == said)
            await until(lambda: told)
            assert told[0] == (about("m1", role="manager"), HOST)
            assert agent.stats.connections == peers.stats.connections == 1
        await until(lambda: not agent.stats.connections)
        assert told[-1] == "m1"
    assert peers.stats.frames_in == agent.stats.frames_out > 4
    assert peers.stats.bytes_in == agent.stats.bytes_out
    assert not any(agent.stats.auth_failures.values())


async def test_the_peer_comes_back_after_its_restart() -> None:
    """A restarted agent is connected again, with a resync, a new table and a count."""
    heard = Heard()
    async with server().serve(HOST, 0) as port:
        addresses = {"w1": (f"{HOST}:{port}",)}
        connecting = looking(addresses, heard)
        peers = await connecting.__aenter__()
        await until(lambda: up(peers, "w1"))
    await until(lambda: peers.peers()["w1"].state is PeerState.CONNECTING)
    assert peers.peers()["w1"].why
    again = server()
    async with again.serve(HOST, port):
        await until(lambda: up(peers, "w1"))
        again.publish(report("t9"))
        await until(lambda: heard.reports)
        assert heard.reports[-1][1] == report("t9")
        assert heard.resyncs == ["w1", "w1"]
        assert peers.stats.reconnects == 1
        await connecting.__aexit__(None, None, None)


async def test_a_wrong_secret_is_counted_and_nothing_is_given(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither side takes or gives anything; both say so once, without the secret."""
    told: list[object] = []
    agent = server(on_manager_about=lambda *what: told.append(what))
    agent.publish(report("t1"))
    heard = Heard()
    other = b"quite another secret of a fleet"
    async with (
        agent.serve(HOST, 0) as port,
        looking({"w1": (f"{HOST}:{port}",)}, heard, other) as peers,
    ):
        await until(lambda: agent.stats.auth_failures["wrong_secret"] >= 2)
        await until(lambda: peers.stats.auth_failures["refused"] >= 2)
        peer = peers.peers()["w1"]
        assert peer.state is PeerState.REFUSED
        assert "secret" in peer.why
        assert peer.about is None
    assert (heard.reports, heard.events, heard.resyncs, told) == ([], [], [], [])
    assert agent.stats.connected == peers.stats.connected == 0
    lines = capsys.readouterr().out
    assert lines.count("a connection was refused") == 1
    assert lines.count("no stream from a node's agent") == 1
    everything = lines + caplog.text
    assert other.decode() not in everything
    assert SECRET.decode() not in everything


async def test_without_a_secret_nothing_is_served_nor_asked() -> None:
    """An agent with too short a secret accepts nobody, and one that connects says why."""
    agent = server(secret=b"short")
    heard = Heard()
    async with agent.serve(HOST, 0) as port:
        async with looking({"w1": (f"{HOST}:{port}",)}, heard) as peers:
            await until(lambda: agent.stats.auth_failures["no_secret"])
            await until(lambda: "secret" in peers.peers()["w1"].why)
            assert not heard.resyncs
        async with looking({"w1": (f"{HOST}:{port}",)}, heard, b"short") as peers:
            await until(lambda: peers.stats.auth_failures["no_secret"])
            assert peers.peers()["w1"].state is PeerState.REFUSED
            assert "at least 16" in peers.peers()["w1"].why
            assert not heard.resyncs


async def test_strangers_get_hello_and_nothing_else() -> None:
    """Garbage, text, a huge frame and other paths end the connection, which is counted."""
    agent = server()
    agent.publish(report("t1"))
    async with agent.serve(HOST, 0) as port, aiohttp.ClientSession() as session:
        url = f"http://{HOST}:{port}"
        assert (await session.get(f"{url}/metrics")).status == 404
        assert (await session.get(f"{url}/stream")).status == 426
        for number, send in enumerate(
            (b"\x00garbage", "text", b"x" * (1 << 20), b"x" * (1 << 21)), 1
        ):
            socket = await session.ws_connect(f"{url}/stream")
            if isinstance(send, str):
                await socket.send_str(send)
            else:
                await socket.send_bytes(send)
            answer = await socket.receive(timeout=20)
            assert answer.type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code in (4400, 1009)
            await until(lambda n=number: agent.stats.auth_failures["bad_frame"] == n)
        assert agent.stats.frames_out == 0


async def test_a_slow_reader_is_dropped_and_resyncs() -> None:
    """A manager that reads nothing is cut when 1,000 events wait; connected anew, it is told."""
    agent = server()
    heard = Heard()
    async with agent.serve(HOST, 0) as port, looking({"w1": (f"{HOST}:{port}",)}, heard) as peers:
        await until(lambda: up(peers, "w1"))
        for number in range(1002):  # without letting anybody read in between
            agent.tell(oom(number=number))
        await until(lambda: agent.stats.dropped_slow == 1)
        await until(lambda: len(heard.resyncs) == 2)
        agent.publish(report("t1"))
        await until(lambda: heard.reports)
        assert peers.stats.reconnects == 1


async def test_commands_are_answered() -> None:
    """A command reaches the agent's handler and its result comes back, over many at once."""
    seen: list[str] = []

    async def obey(command: Command) -> CommandResult:
        seen.append(command.id)
        return CommandResult(command.id, command.arguments["task"] == "t1", "so it is")

    heard = Heard()
    agent = server(on_command=obey)
    async with agent.serve(HOST, 0) as port, looking({"w1": (f"{HOST}:{port}",)}, heard) as peers:
        await until(peers.peers)
        order = Command("d1", "stop_task", 3, 10.0, {"task": "t1"})
        assert await peers.command("w1", order) == CommandResult("d1", True, "so it is")
        assert await peers.command("w1", order) == CommandResult("d1", True, "so it is")
        assert seen == ["d1"]
        absent = await peers.command("w9", order)
        assert not absent.done
        assert "known" in absent.detail
    assert agent.stats.commands == 1


async def test_the_newest_of_one_managers_connections_counts() -> None:
    """A manager that connects twice is served once; the older connection is told why it ends."""
    agent = server()
    async with agent.serve(HOST, 0) as port:
        first, second = Heard(), Heard()
        async with looking({"w1": (f"{HOST}:{port}",)}, first) as peers:
            await until(lambda: up(peers, "w1"))
            async with looking({"w1": (f"{HOST}:{port}",)}, second) as others:
                await until(lambda: up(others, "w1"))
                assert agent.stats.connections == 1
                await until(lambda: agent.stats.connected >= 3)


async def test_another_node_at_the_address_is_not_taken_for_it() -> None:
    """An authentic agent of another node than the one looked for is not connected to."""
    agent = server("w2")
    heard = Heard()
    async with agent.serve(HOST, 0) as port:
        wrong, right = f"{HOST}:{port}", f"localhost:{port}"
        async with looking({"w1": (wrong,), "w2": (right,)}, heard) as peers:
            await until(lambda: up(peers, "w2"))
            await until(lambda: "Another node" in peers.peers()["w1"].why)
            assert heard.resyncs == ["w2"]


async def lurk(port: int) -> None:
    """Connects, says nothing, and returns when it is cut."""
    reader, writer = await asyncio.open_connection(HOST, port)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_what_is_no_websocket_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that ask for nothing within the time of a handshake are closed."""
    monkeypatch.setattr("monitor.fleet.websocket.HANDSHAKE_SECONDS", 0.2)
    async with server().serve(HOST, 0) as port, asyncio.timeout(20), asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(lurk(port))


async def test_connections_of_any_kind_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 that say nothing stay for the time of a handshake; 20 more are closed at once."""
    monkeypatch.setattr("monitor.fleet.websocket.HANDSHAKE_SECONDS", 3600.0)
    async with server().serve(HOST, 0) as port:
        lurking = [asyncio.create_task(lurk(port)) for _ in range(100)]
        await until(lambda: sum(task.done() for task in lurking) >= 20)
        await asyncio.sleep(0.1)
        assert sum(task.done() for task in lurking) == 20
    await asyncio.wait(lurking)


async def test_addresses_that_are_none_are_survived(caplog: pytest.LogCaptureFixture) -> None:
    """Nonsense for an address is a peer that cannot be reached, and says so."""
    caplog.set_level(logging.DEBUG)
    heard = Heard()
    bad = {"w1": ("no such host:1",), "w2": ("[::1",), "w3": ("127.0.0.1:1",), "w4": ()}
    async with looking(bad, heard) as peers:
        await until(lambda: len(peers.peers()) == 4)
        await until(
            lambda: all(
                "127" in p.why or "cannot" in p.why or "not" in p.why
                for p in peers.peers().values()
            )
        )
        assert {peer.state for peer in peers.peers().values()} == {PeerState.CONNECTING}


async def test_what_strangers_send_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Garbage for HTTP and requests broken off write no line: there is no end to them."""
    caplog.set_level(logging.INFO)
    upgrade = (
        b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    async with server().serve(HOST, 0) as port:
        for sent in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /x" * 4000, upgrade):
            for _ in range(3):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.write(sent)
                await writer.drain()
                writer.transport.abort()
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"\x00\xff\r\n\r\n")
        async with asyncio.timeout(20):
            assert b"400" in await reader.readline()
        writer.close()
        again = Heard()
        async with looking({"w1": (f"{HOST}:{port}",)}, again) as peers:
            await until(lambda: up(peers, "w1"))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_redirects_are_not_followed() -> None:
    """What answers at an agent's address cannot send this one elsewhere."""
    visits = []

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(1)
        writer.close()

    elsewhere = await asyncio.start_server(visited, HOST, 0)
    there = elsewhere.sockets[0].getsockname()[1]

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        where = f"Location: http://{HOST}:{there}/"
        writer.write(f"HTTP/1.1 302 Found\r\n{where}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(redirect, HOST, 0) as luring, elsewhere:
        port = luring.sockets[0].getsockname()[1]
        async with looking({"w1": (f"{HOST}:{port}",)}, Heard()) as peers:
            await until(peers.peers)
            await until(lambda: "cannot be reached" in peers.peers()["w1"].why)
    assert visits == []
