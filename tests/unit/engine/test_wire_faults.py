"""Whatever comes over the wire, a call ends in its result or in one fault of the family."""

import asyncio
import json
import random
from contextlib import suppress

import pytest

from monitor.engine.client import DockerEngine
from monitor.engine.deadlines import Deadlines
from monitor.ports.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    EngineError,
    Forbidden,
    NotAManager,
    NotFound,
    Unreachable,
)
from tests.unit.engine.wire import CHUNKED, answer, chunk, cut, hang, raw, wire_engine

SHORT = Deadlines(swarm=0.3, local=0.3, ping=0.3)
NODES = json.dumps([{"ID": "n1"}]).encode()
HTML = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
SEQUENCE = "rpc error: code = Unknown desc = update out of sequence"
NO_LEADER = "rpc error: code = Unknown desc = The swarm does not have a leader."
WORKER = "This node is not a swarm manager. Worker nodes can't be used to view cluster state."
BROKE = "rpc error: code = Unavailable desc = transport is closing"


def message(text: str, status: int, kind: str = "application/json"):
    return answer({"message": text}, status=status, kind=kind)


READS = {
    "cut in the middle": (cut(NODES[:5]), BadAnswer, "cut off"),
    "chunks cut": (raw(CHUNKED + chunk(NODES[:5]), then_hang_up=True), BadAnswer, "cut off"),
    "hung up before an answer": (raw(b"", then_hang_up=True), Unreachable, ""),
    "hung up within the head": (
        raw(b"HTTP/1.1 200 OK\r\nCont", then_hang_up=True),
        EngineError,
        "",
    ),
    "never answered": (hang, DeadlineExceeded, "in time"),
    "no HTTP": (raw(b"\x00\xff garbage \r\n\r\n", then_hang_up=True), EngineError, ""),
    "empty": (answer(b""), BadAnswer, "empty answer"),
    "no JSON": (answer(b"hello"), BadAnswer, "not JSON"),
    "half a list": (answer(b'[{"ID": "n1"}'), BadAnswer, "cut off"),
    "not UTF-8": (answer(b'["\xff"]'), BadAnswer, "not JSON"),
    "an object": (answer({}), BadAnswer, "array"),
    "a list of numbers": (answer([1]), BadAnswer, "objects"),
    "an object without id": (answer([{}]), BadAnswer, "without ID"),
    "deep nesting": (answer(b"[" * 200_000), BadAnswer, "GET /nodes"),
    "a huge number": (answer(b'[{"ID":' + b"9" * 10_000 + b"}]"), BadAnswer, "GET /nodes"),
    "a web page": (answer(HTML, kind="text/html"), BadAnswer, "not JSON"),
    "an error page": (answer(HTML, status=500, kind="text/html"), BadAnswer, "a web page"),
    "a proxy without engine": (answer(HTML, status=503, kind="text/html"), Unreachable, "proxy"),
    "a bad gateway": (answer(HTML, status=502, kind="text/html"), Unreachable, "proxy"),
    "a proxy's no": (answer(HTML, status=403, kind="text/html"), Forbidden, "proxy"),
    "a redirect": (answer(b"", status=302), BadAnswer, "302"),
    "forbidden": (message("authorization denied", 403), Forbidden, "denied"),
    "a worker": (message(WORKER, 503), NotAManager, "not a swarm manager"),
    "no leader": (message(NO_LEADER, 500), NotAManager, "leader"),
    "leader lost": (message(BROKE, 503), NotAManager, "transport"),
    "server's own deadline": (
        message("rpc error: code = DeadlineExceeded desc = context deadline exceeded", 500),
        DeadlineExceeded,
        "deadline",
    ),
    "with a charset": (message(WORKER, 503, "application/json; charset=utf-8"), NotAManager, ""),
    "an unknown path": (message("page not found", 404), BadRequest, "does not know"),
    "not found": (message("no such node", 404), NotFound, "no such node"),
    "a conflict": (message("busy", 409), Conflict, "busy"),
    "refused": (message("invalid filter", 400), BadRequest, "invalid filter"),
    "not implemented": (message("not supported", 501), BadRequest, "not supported"),
    "broken": (message("boom", 500), BadAnswer, "500"),
}


@pytest.mark.parametrize("name", READS)
async def test_each_bad_answer_is_one_fault_with_a_sentence(name: str) -> None:
    """Every way an answer can be bad ends in the fault that says so, never in another error."""
    script, fault, words = READS[name]
    async with wire_engine() as wire, DockerEngine(wire.url, deadlines=SHORT) as engine:
        wire.answers["/nodes"] = [script]
        with pytest.raises(fault) as caught:
            await engine.nodes()
        assert words in str(caught.value)
        assert str(caught.value)
        failures = engine.call_stats.endpoints[("GET", "/nodes")].failures
        assert failures == {caught.value.reason: 1}


WRITES = {
    "out of sequence": (message(SEQUENCE, 500), Conflict),
    "gone": (message("service x not found", 404), NotFound),
    "not a manager": (message(WORKER, 503), NotAManager),
    "mode change": (message("service mode change is not allowed", 501), BadRequest),
    "a proxy's no": (answer(b"<html>", status=403), Forbidden),
    "leader lost on the way": (message(BROKE, 503), BadAnswer),
    "answer cut": (cut(b"{"), BadAnswer),
    "no answer": (hang, DeadlineExceeded),
    "hung up": (raw(b"", then_hang_up=True), Unreachable),
    "empty": (answer(b""), BadAnswer),
}


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_is_refused_clearly_or_left_open(name: str) -> None:
    """A write that may have been carried out never ends in a fault that says it was not."""
    script, fault = WRITES[name]
    async with wire_engine() as wire, DockerEngine(wire.url, deadlines=SHORT) as engine:
        wire.answers["/services/s1/update"] = [script]
        with pytest.raises(fault):
            await engine.update_service("s1", 7, {"Name": "web"})
        (request,) = wire.asked("/update")  # sent once: never repeated on its own
        assert request.query == {"version": "7", "registryAuthFrom": "spec"}
        assert json.loads(request.body) == {"Name": "web"}


async def test_a_body_above_the_bound_is_refused() -> None:
    """A body that grows without end is given up at the bound."""
    async with wire_engine() as wire, DockerEngine(wire.url, max_body=1000) as engine:
        wire.answers["/nodes"] = [answer(b" " * 2000 + b"[]")]
        with pytest.raises(BadAnswer, match="more than 1000 bytes"):
            await engine.nodes()
        wire.answers["/nodes"] = [answer(b"[]")]
        assert await engine.nodes() == ()


async def test_a_refused_version_is_negotiated_anew() -> None:
    """After "client version ... too new" the daemon is asked again and the call repeated once."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.api_version = "1.51"
        wire.answers["/nodes"] = [
            message("client version 1.51 is too new. Maximum supported API version is 1.41", 400),
            answer([]),
        ]
        await engine.refresh_version()
        wire.api_version = "1.41"
        assert await engine.nodes() == ()
        assert [request.path for request in wire.asked("/nodes")] == [
            "/v1.51/nodes",
            "/v1.41/nodes",
        ]


async def test_a_version_that_stays_refused_ends_in_a_fault() -> None:
    """A daemon that refuses even its own version is not asked for ever."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/nodes"] = [message("client version 1.41 is too old.", 400)]
        with pytest.raises(BadRequest, match="too old"):
            await engine.nodes()
        assert len(wire.asked("/nodes")) == 2


@pytest.mark.parametrize("version", ["", "banana", "1", "1.x", None, 7])
async def test_what_is_no_engine_says_so(version: object) -> None:
    """A server whose /version makes no sense is told apart from an engine."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/version"] = [answer({"ApiVersion": version})]
        with pytest.raises(BadAnswer, match="not a Docker Engine"):
            await engine.nodes()


async def test_first_calls_at_once_ask_for_the_version_once() -> None:
    """Many first calls together negotiate once."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/nodes"] = [answer([])]
        await asyncio.gather(*(engine.nodes() for _ in range(20)))
        assert len(wire.asked("/version")) == 1


async def test_only_the_whole_id_is_the_service() -> None:
    """The daemon answers to prefixes and names; the client does not pass that on."""
    other = {"ID": "abcdef", "Spec": {"Name": "web", "Mode": {"Global": {}}}}
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/services/abc"] = [answer(other)]
        wire.answers["/tasks"] = [
            answer([{"ID": "t1", "ServiceID": "abc"}, {"ID": "t2", "ServiceID": "abcdef"}])
        ]
        with pytest.raises(NotFound):
            await engine.service("abc")
        assert [task.id for task in await engine.tasks("abc")] == ["t1"]


async def test_ping_wants_a_ping_answer() -> None:
    """A web server on the port is not taken for an engine that lives."""
    async with wire_engine() as wire, DockerEngine(wire.url, deadlines=SHORT) as engine:
        wire.answers["/_ping"] = [answer(b"OK"), answer(HTML), hang]
        await engine.ping()
        with pytest.raises(BadAnswer):
            await engine.ping()
        with pytest.raises(DeadlineExceeded):
            await engine.ping()
        assert not wire.asked("/version")  # a ping costs one request


async def test_an_outer_deadline_stays_the_callers() -> None:
    """A caller's own timeout ends as the caller's, not as a fault of the engine."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/nodes"] = [hang]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await engine.nodes()


async def test_many_calls_hang_without_stopping_others() -> None:
    """200 hanging calls leave room for the next: the pool has no limit."""
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/nodes"] = [hang]
        wire.answers["/_ping"] = [answer(b"OK")]
        await engine.refresh_version()
        async with asyncio.TaskGroup() as group:
            hanging = [group.create_task(engine.nodes()) for _ in range(200)]
            await asyncio.sleep(0.1)
            await engine.ping()
            for task in hanging:
                task.cancel()


async def test_containers_gone_meanwhile_are_left_out() -> None:
    """A container that ended between list and inspect is missing, other faults are raised."""
    there = {
        "Id": "c1",
        "State": {"Running": True},
        "Config": {"Labels": {"com.docker.swarm.task.id": "t1"}},
    }
    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/containers/json"] = [answer([{"Id": "c1"}, {"Id": "c2"}])]
        wire.answers["/containers/c1/json"] = [answer(there)]
        wire.answers["/containers/c2/json"] = [message("No such container: c2", 404)]
        assert [container.id for container in await engine.containers()] == ["c1"]
        wire.answers["/containers/c2/json"] = [message("boom", 500)]
        with pytest.raises(BadAnswer, match="boom"):
            await engine.containers()


async def test_answers_made_by_chance_raise_nothing_else() -> None:
    """Bytes made by chance, whole and cut, end in a result or a fault of the family."""
    chance = random.Random(7)
    good = json.dumps([{"ID": "t", "ServiceID": "s", "Status": {"State": "running"}}]).encode()
    async with wire_engine() as wire, DockerEngine(wire.url, deadlines=SHORT) as engine:
        for _ in range(300):
            body = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                body[chance.randrange(len(body))] = chance.randrange(256)
            status = chance.choice([200, 200, 200, 404, 500, 503])
            wire.answers["/tasks"] = [
                answer(bytes(body[: chance.randrange(len(body) + 1)]), status=status)
            ]
            with suppress(EngineError):
                await engine.tasks()
