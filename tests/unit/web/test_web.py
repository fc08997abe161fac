"""The HTTP side over real sockets on the loopback address."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import pytest
from aiohttp import ClientError, ClientSession, DummyCookieJar, web

from monitor.export.block import Block
from monitor.model.cause import TaskEnd
from monitor.model.decision import Condition, Decision, Stage
from monitor.model.logs import TaskLog
from monitor.model.now import Now
from monitor.model.pause import Pause, PauseScope
from monitor.web.app import build_app
from monitor.web.server import CannotListen, parse_address, serve
from monitor.web.state import (
    ActingAgent,
    AgentStatus,
    DecisionEntry,
    NodeStatus,
    Operations,
    RuleStatus,
    ServiceStatus,
    Status,
)
from tests.unit.export.things import decision

NASTY = "<script>alert('x')</script>&\"'"


class State:
    """A state that tests fill; `broken` makes every answer a bug."""

    def __init__(self) -> None:
        self.why_not: str | None = None
        self.actor: ActingAgent | None = None
        self.broken = False
        self.names: list[str] = ["web", "api"]
        self.kept: dict[str, list[Decision]] = {}
        self.now = Status()
        self.body = b"# TYPE x gauge\nx 1\n"
        self.asked: list[tuple[bool, frozenset[str]]] = []
        self.shown: dict[str, list[TaskEnd]] = {}
        self.written: dict[str, TaskLog] = {}
        self.logs_asked: list[str] = []

    async def metrics(self, *, openmetrics: bool, names: frozenset[str]) -> Sequence[Block]:
        self.asked.append((openmetrics, names))
        if self.broken:
            raise RuntimeError("secret detail")
        lines = self.body.splitlines(keepends=True)
        return [Block(lines[first : first + 1_000]) for first in range(0, len(lines), 1_000)]

    def not_ready(self) -> str | None:
        return self.why_not

    def acting_agent(self) -> ActingAgent | None:
        return self.actor

    def status(self) -> Status:
        if self.broken:
            raise RuntimeError("secret detail")
        return self.now

    def tasks(self, service_name: str) -> Sequence[TaskEnd] | None:
        return self.shown.get(service_name)

    async def logs(self, ends: Sequence[TaskEnd]) -> Mapping[str, TaskLog]:
        self.logs_asked += [end.task_id for end in ends]
        return {end.task_id: self.written.get(end.task_id, TaskLog(why="gone")) for end in ends}

    def service_names(self) -> Sequence[str]:
        return self.names

    def decisions(self) -> Mapping[str, Sequence[DecisionEntry]]:
        return {
            name: [DecisionEntry(d, d.time.wall - 60.0, 61, "applied", "late") for d in kept]
            for name, kept in self.kept.items()
        }

    @property
    def operations(self) -> Operations:
        raise NotImplementedError


@pytest.fixture
def state() -> State:
    return State()


class Client:
    def __init__(self, session: ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def get(self, path: str, method: str = "GET", **headers: str):
        named = {"Accept-Encoding": "identity"}
        named |= {key.replace("_", "-"): value for key, value in headers.items()}
        async with self.session.request(method, self.base + path, headers=named) as response:
            return response, await response.read()


@pytest.fixture
async def client(state: State) -> AsyncIterator[Client]:
    async with (
        serve(build_app(state), "127.0.0.1", 0) as port,
        ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session,
    ):
        yield Client(session, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5", True),
        ("text/plain,application/openmetrics-text;version=1.0.0;q=0.5", False),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=much", False),
        (",;=,;q=", False),
    ],
)
async def test_format_by_accept(
    client: Client, state: State, accept: str, openmetrics: bool
) -> None:
    """OpenMetrics where it is asked for and liked no less than text; else text 0.0.4."""
    response, body = await client.get("/metrics", Accept=accept)
    assert state.asked == [(openmetrics, frozenset())]
    expected = (
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
        if openmetrics
        else "text/plain; version=0.0.4; charset=utf-8"
    )
    assert (response.status, response.headers["Content-Type"]) == (200, expected)
    assert body == state.body


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_gzip_where_accepted(client: Client, state: State, size: int) -> None:
    """A compressed answer unpacks to the plain one, small or big, and says what it depends on."""
    state.body = b"x 1\n" * size
    response, body = await client.get("/metrics", Accept_Encoding="gzip, deflate")
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    assert gzip.decompress(body) == state.body
    response, body = await client.get("/metrics", Accept_Encoding="gzip;q=0")
    assert "Content-Encoding" not in response.headers
    assert body == state.body


async def test_names_filter(client: Client, state: State) -> None:
    """`name[]`, given several times, reaches the exposition."""
    await client.get("/metrics?name[]=a&name[]=b")
    assert state.asked == [(False, frozenset({"a", "b"}))]


async def test_alive_and_ready(client: Client, state: State) -> None:
    """Alive always; ready only if nothing speaks against it, else the sentence that does."""
    assert (await client.get("/healthz"))[0].status == 200
    assert (await client.get("/readyz"))[0].status == 200
    state.why_not = "The Engine at /var/run/docker.sock does not answer."
    state.broken = True
    assert (await client.get("/healthz"))[0].status == 200
    response, body = await client.get("/readyz")
    assert response.status == 503
    assert body.decode() == state.why_not + "\n"


async def test_status_has_its_five_parts(client: Client, state: State) -> None:
    """Status is nodes, services, rules, agents and the actor, in snake_case."""
    state.now = full_status("a service")
    response, _ = await client.get("/api/v1/status")
    assert response.content_type == "application/json"
    value = await response.json()
    assert {"nodes", "services", "rules", "agents", "actor"} <= value.keys()
    assert value["actor"] == "alpha"
    assert value["services"][0]["name"] == "a service"
    assert value["services"][0]["last_decision"]["reason"] == "above_target"
    assert value["nodes"][0]["availability"] == "active"


def at(mono: float, **changes: object) -> Decision:
    return decision(time=Now(mono=mono, wall=1_700_000_000.0 + mono), **changes)


async def test_decisions_newest_first(client: Client, state: State) -> None:
    """Decisions come newest first over all services, and by service, rule and limit."""
    state.kept = {"web": [at(1), at(3), at(5, rule="leak")], "api": [at(2, service_name="api")]}

    async def times(query: str) -> list[str]:
        response, _ = await client.get("/api/v1/decisions" + query)
        assert response.status == 200
        return [item["time"][-7:-1] for item in await response.json()]

    assert await times("") == ["25.000", "23.000", "22.000", "21.000"]
    assert await times("?service=web") == ["25.000", "23.000", "21.000"]
    assert await times("?service=web&rule=load&limit=1") == ["23.000"]
    assert await times("?limit=2") == ["25.000", "23.000"]
    state.kept = {}
    assert await times("?service=api") == []


async def test_a_decision_as_json(client: Client, state: State) -> None:
    """A decision shows its stages, inputs and conditions; what JSON cannot say becomes null."""
    state.kept = {
        "web": [
            at(
                1.5,
                stages=(Stage("raw", 3.2, "cpu"), Stage("bounded", float("inf"))),
                conditions=(Condition("ScalingLimited", True, "TooManyReplicas", "max"),),
                binding="max",
                would_change="max is raised",
            )
        ]
    }
    response, _ = await client.get("/api/v1/decisions?service=web")
    [value] = await response.json()
    assert value["time"] == "2023-11-14T22:13:21.500Z"
    assert (value["rule"], value["service_name"]) == ("load", "web")
    assert (value["current"], value["desired"]) == (2, 4)
    assert (value["action"], value["reason"]) == ("scale_up", "above_target")
    assert value["stages"] == [
        {"name": "raw", "value": 3.2, "note": "cpu"},
        {"name": "bounded", "value": None, "note": ""},
    ]
    assert value["inputs"][2] == {
        "metric": "cpu",
        "task_id": "t3",
        "value": 9.0,
        "used": False,
        "note": "too old",
    }
    assert value["conditions"][0]["type"] == "ScalingLimited"
    assert (value["binding"], value["would_change"]) == ("max", "max is raised")
    assert (value["since"], value["repeats"]) == ("2023-11-14T22:12:21.500Z", 61)
    assert (value["outcome"], value["outcome_detail"]) == ("applied", "late")
    contract = {"time", "rule", "service_name", "current", "desired", "action", "reason"}
    assert contract | {"sentence", "stages", "inputs", "conditions"} <= value.keys()


async def test_an_unknown_service_gets_help(client: Client, state: State) -> None:
    """404 names what the person may have meant; a worker's agent says where to ask."""
    response, _ = await client.get("/api/v1/decisions?service=wep")
    assert response.status == 404
    value = await response.json()
    assert value["close"] == ["web"]
    assert "did you mean web" in value["error"]
    state.names = []
    response, _ = await client.get("/api/v1/decisions?service=web")
    assert response.status == 404
    assert "manager" in (await response.json())["error"]
    response, body = await client.get("/api/v1/decisions?service=" + "w" * 5000)
    assert response.status == 404
    assert len(body) < 1000


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1001", "9" * 50, "²", ""])
async def test_a_bad_limit_is_explained(client: Client, limit: str) -> None:
    """A limit that is none gets 400 and what to write instead."""
    response, _ = await client.get(f"/api/v1/decisions?limit={limit}")
    assert response.status == 400
    assert "limit must be a number from 1 to 1000" in (await response.json())["error"]


def full_status(text: str) -> Status:
    return Status(
        nodes=(NodeStatus("n1", text, "manager", "ready", "active", leader=True, tasks=2),),
        services=(
            ServiceStatus(
                "s1",
                text,
                "replicated",
                desired=3,
                running=2,
                rules=(text,),
                cpu=0.5,
                memory=2.0**20,
                update_state=text,
                last_decision=decision(sentence=text),
            ),
        ),
        rules=(RuleStatus(text, "scale", "act", text, (text,), (text,)),),
        agents=(AgentStatus("n1", text, "manager", "1", ready=True, acting=True, message=text),),
        actor="alpha",
        problems=(text,),
        pauses=(Pause(PauseScope.SERVICE, text, None, 0.0, text, text),),
    )


async def test_the_page_escapes_everything(client: Client, state: State) -> None:
    """No text from outside gets into the page as markup; the page holds what matters."""
    state.now = replace(full_status(NASTY), actor=NASTY)
    state.why_not = NASTY
    response, body = await client.get("/")
    text = body.decode()
    assert response.content_type == "text/html"
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 12
    assert "2 of 3" in text
    assert 'http-equiv="refresh"' in text


async def test_an_empty_page(client: Client) -> None:
    """An agent that knows nothing yet shows a page all the same."""
    response, body = await client.get("/")
    assert response.status == 200
    assert b"No services are known here" in body


async def test_errors_tell_nothing_of_the_inside(client: Client, state: State) -> None:
    """A bug is a 500 with one sentence; neither its message nor a trace gets out."""
    state.broken = True
    for path in ("/metrics", "/api/v1/status", "/"):
        response, body = await client.get(path)
        assert response.status == 500
        assert b"secret" not in body
        assert b"Traceback" not in body
    response, body = await client.get("/nope")
    assert response.status == 404
    assert b"/metrics" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_reading(client: Client, method: str) -> None:
    """Whatever would change something is refused on every path."""
    for path in ("/metrics", "/api/v1/status", "/nope"):
        response, _ = await client.get(path, method)
        assert response.status == 405
        assert response.headers["Allow"] == "GET, HEAD"


async def test_head(client: Client) -> None:
    """HEAD is GET without the body."""
    response, body = await client.get("/metrics", "HEAD")
    assert (response.status, body) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/metrics", "/nope", "/api/v1/status"])
async def test_security_headers(client: Client, path: str) -> None:
    """Every answer, errors too, forbids sniffing, framing and foreign content; none has CORS."""
    response, _ = await client.get(path, Origin="http://evil.example")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not [name for name in response.headers if name.startswith("Access-Control")]


async def test_a_taken_port_is_said_clearly(state: State) -> None:
    """The message names the port and what to do; nothing keeps running."""
    async with serve(build_app(state), "127.0.0.1", 0) as port:
        with pytest.raises(CannotListen, match=f"Port {port} is taken") as caught:
            async with serve(build_app(state), "127.0.0.1", port):
                pass
        assert "--listen 127.0.0.1:9590" in str(caught.value)


async def test_a_foreign_address_is_said_clearly(state: State) -> None:
    """An address that this host has not is named."""
    with pytest.raises(CannotListen, match=r"This host has no address 192\.0\.2\.1"):
        async with serve(build_app(state), "192.0.2.1", 9580):
            pass


async def test_ipv6(state: State) -> None:
    """`[::1]:0` listens on IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this host has no IPv6")
    host, _ = parse_address("[::1]:0")
    async with (
        serve(build_app(state), host, 0) as port,
        ClientSession() as session,
        session.get(f"http://[::1]:{port}/healthz") as response,
    ):
        assert response.status == 200


async def test_leaving_closes_the_port(state: State) -> None:
    """After the block nobody listens, and the port can be taken again at once."""
    async with serve(build_app(state), "127.0.0.1", 0) as port:
        pass
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    async with serve(build_app(state), "127.0.0.1", port) as again:
        assert again == port


async def test_a_hanging_client_does_not_hold_up_the_end(state: State) -> None:
    """A request that never ends is cut off when the agent stops."""
    app = build_app(state)
    entered = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        entered.set()
        await asyncio.Event().wait()
        return web.Response()

    app.router.add_get("/hang", hang)
    async with asyncio.timeout(30), ClientSession() as session:
        async with serve(app, "127.0.0.1", 0) as port:
            request = asyncio.create_task(session.get(f"http://127.0.0.1:{port}/hang"))
            await entered.wait()
        with pytest.raises(ClientError):
            await request


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:9580", ("0.0.0.0", 9580)),
        ("[::]:9580", ("::", 9580)),
        (":9580", ("", 9580)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    """HOST:PORT in its usual spellings."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "9580", "host", "::1:9580", "host:x", "host:70000", "host:-1"]
)
def test_bad_addresses(text: str) -> None:
    """What is no address gets an error with an example of one."""
    with pytest.raises(ValueError, match="9580"):
        parse_address(text)
