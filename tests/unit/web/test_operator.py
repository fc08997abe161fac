"""Pausing, resuming and explaining over real sockets on the loopback address."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar
from structlog.testing import capture_logs

from monitor.control.assignment import Claim
from monitor.model.pause import Pause, PauseScope
from monitor.model.rule import RuleSet
from monitor.web.app import build_app
from monitor.web.door import Door, TokenSource
from monitor.web.server import serve
from monitor.web.state import Explanation, Refused
from tests.unit.export.things import decision
from tests.unit.web.test_web import State

TOKEN = "correct-horse-battery-staple"
PAUSES = "/api/v1/pauses"
EXPLAIN = "/api/v1/explain"
WEB = {"service": "web"}
RULE = "version: 1\nrules:\n- name: {name}\n  services: [web]\n  scale:\n    min: 1\n    max: 5\n"
CPU = "    metrics: [{type: cpu, target: 50%}]\n"
OWN_SERVER = (
    "    metrics: [{type: prometheus, address: 'http://10.0.0.9:9090', query: q, target: 1}]\n"
)
OWN_SECRET = (
    "    metrics: [{type: prometheus, query: q, target: 1, "
    "auth: {bearer_token_file: /run/secrets/x}}]\n"
)
DEFAULT_SERVER = "    metrics: [{type: prometheus, query: q, target: 1}]\n"
URL = "    metrics: [{type: http, url: 'http://10.0.0.9/q', path: length, target: 1}]\n"


class Desk:
    """Operations that remember what they were asked."""

    def __init__(self) -> None:
        self.paused: list[Pause] = []
        self.asked: list[Any] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.explaining = 0
        self.refusal: Refused | None = None

    def pauses(self) -> Sequence[Pause]:
        return self.paused

    async def pause(
        self, scope: PauseScope, name: str, seconds: float | None, *, note: str, by: str
    ) -> Pause:
        self.asked.append((scope, name, seconds, note, by))
        made = Pause(scope, name, None if seconds is None else 1e9 + seconds, 1e9, note, by)
        self.paused.append(made)
        return made

    async def resume(self, scope: PauseScope, name: str) -> Pause:
        for pause in self.paused:
            if (pause.scope, pause.name) == (scope, name):
                self.paused.remove(pause)
                return pause
        raise Refused(404, f"{scope} {name} is not paused.")

    async def roll_back(self, service_name: str, *, by: str) -> str:
        return self._done("roll_back", service_name, by)

    async def unpark(self, service_name: str, *, by: str) -> str:
        return self._done("unpark", service_name, by)

    def _done(self, what: str, service_name: str, by: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((what, service_name, by))
        return f"{service_name}: {what} for {by}"

    def claim(
        self, rules: RuleSet, service_name: str, rule: str | None
    ) -> tuple[Claim, tuple[str, ...]]:
        chosen = [r for r in rules.rules if rule in (None, r.name)]
        if not chosen:
            raise Refused(404, f"There is no rule {rule}.")
        return Claim(chosen[0]), tuple(r.name for r in rules.rules if r is not chosen[0])

    async def explain(self, claim: Claim, service_name: str) -> Explanation:
        self.explaining += 1
        await self.hold.wait()
        return Explanation(decision(rule=claim.rule.name, service_name=service_name), ("a note",))


class OperatedState(State):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()

    @property
    def operations(self) -> Desk:  # type: ignore[override]
        return self.desk


class Client:
    def __init__(self, session: ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def send(
        self, method: str, path: str, body: Any = None, token: str | None = TOKEN, **options: Any
    ) -> tuple[int, Any]:
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            options["data"] = io.BytesIO(raw)
            headers.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method, self.base + path, headers=headers, **options
        ) as response:
            assert response.content_type == "application/json"
            assert not [name for name in response.headers if name.startswith("Access-Control")]
            assert "Set-Cookie" not in response.headers
            return response.status, await response.json()


class Serving:
    def __init__(self, client: Client, state: OperatedState, door: Door) -> None:
        self.send, self.state, self.desk, self.door = client.send, state, state.desk, door


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    """Starts a server for a token source."""
    async with asyncio.TaskGroup() as group:
        ends: list[asyncio.Event] = []

        async def starting(token: TokenSource | None) -> Serving:
            ready: asyncio.Future[Serving] = asyncio.get_running_loop().create_future()
            end = asyncio.Event()
            ends.append(end)

            async def running() -> None:
                state, door = OperatedState(), Door(token)
                async with (
                    serve(build_app(state, door), "127.0.0.1", 0) as port,
                    ClientSession(cookie_jar=DummyCookieJar()) as session,
                ):
                    client = Client(session, f"http://127.0.0.1:{port}")
                    ready.set_result(Serving(client, state, door))
                    await end.wait()

            group.create_task(running())
            return await ready

        yield starting
        for end in ends:
            end.set()


@pytest.fixture
async def web(start: Callable[..., Any]) -> Serving:
    serving: Serving = await start(TokenSource(direct=TOKEN))
    return serving


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (
            {"service": "web", "for": "2h", "note": "load test", "by": "ann"},
            (PauseScope.SERVICE, "web", 7200.0, "load test", "ann"),
        ),
        ({"rule": "load", "for": None}, (PauseScope.RULE, "load", None, "", "127.0.0.1")),
        ({"all": True, "by": ""}, (PauseScope.ALL, "", None, "", "127.0.0.1")),
    ],
)
async def test_pausing(web: Serving, body: dict[str, Any], asked: tuple[Any, ...]) -> None:
    """With the token a pause is made as asked, listed, and answered with a sentence."""
    status, made = await web.send("POST", PAUSES, body)
    assert status == 200
    assert web.desk.asked == [asked]
    assert made["sentence"] == web.desk.paused[0].sentence
    assert await web.send("GET", PAUSES, token=None) == (200, [made])
    assert made.keys() == {"scope", "name", "since", "until", "note", "by", "sentence"}


async def test_resuming(web: Serving) -> None:
    """Each of the three ends its pause; the answer tells of pauses that still hold."""
    for body in ({"all": True}, {"service": "web"}, {"rule": "load"}):
        await web.send("POST", PAUSES, body)
    status, ended = await web.send("DELETE", PAUSES + "?service=web")
    assert status == 200
    assert ended["sentence"].startswith("service web is not paused any more; but everything is ")
    status, ended = await web.send("DELETE", PAUSES + "?all=true")
    assert "but rule load is paused" in ended["sentence"]
    status, ended = await web.send("DELETE", PAUSES + "?rule=load")
    assert ended["sentence"] == "rule load is not paused any more"
    assert web.desk.paused == []
    status, error = await web.send("DELETE", PAUSES + "?rule=load")
    assert (status, error["error"]) == (404, "rule load is not paused.")


@pytest.mark.parametrize("query", ["", "?service=a&rule=b", "?all=no", "?service=a&x=1", "?x=1"])
async def test_resuming_needs_one_target(web: Serving, query: str) -> None:
    """Anything but one of the three is refused with what to write."""
    status, error = await web.send("DELETE", PAUSES + query)
    assert status == 400
    assert "all=true" in error["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "one of service, rule and all"),
        ({"service": "a", "rule": "b"}, "one of service, rule and all"),
        ({"service": "a", "all": True}, "one of service, rule and all"),
        ({"all": False}, "all: "),
        ({"all": 1}, "all: "),
        ({"service": 5}, "service: "),
        ({"service": ""}, "service: "),
        ({"service": "a\nb"}, "printable"),
        ({"service": "w" * 257}, "service: "),
        ({**WEB, "for": "soon"}, "such as 30s"),
        ({**WEB, "for": 60}, "for: "),
        ({**WEB, "for": "0s"}, "from 1s to 366d"),
        ({**WEB, "for": "9999d"}, "from 1s to 366d"),
        ({**WEB, "for_": "1h"}, "for_: "),
        ({**WEB, "note": "n" * 201}, "note: "),
        ({**WEB, "note": "\u202eevil"}, "printable"),
        ({**WEB, "more": 1}, "more: "),
        ([], "valid"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 60_000, "no JSON"),
    ],
)
async def test_a_bad_pause_is_refused(web: Serving, body: Any, said: str) -> None:
    """400 and one sentence that names the field; nothing is paused."""
    status, error = await web.send("POST", PAUSES, body)
    assert status == 400
    assert said in error["error"]
    assert len(error["error"]) < 300
    assert web.desk.asked == []


async def test_bodies_are_bounded_and_json(web: Serving) -> None:
    """Too large, of another type or encoded: refused, also where no length is told."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    status, _ = await web.send("POST", PAUSES, b" " * (64 * 1024 + 1))
    assert status == 413
    status, _ = await web.send(
        "POST", PAUSES, data=endless(), headers={"Content-Type": "application/json"}
    )
    assert status == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        status, _ = await web.send("POST", PAUSES, WEB, headers={"Content-Type": kind})
        assert status == 415
    status, _ = await web.send("POST", PAUSES, b"", headers={"Content-Encoding": "gzip"})
    assert status == 415
    assert web.desk.asked == []


CHANGES = [("POST", PAUSES, WEB), ("DELETE", PAUSES + "?service=web", None)]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_without_a_token_set_nobody_changes_anything(
    start: Callable[..., Any], method: str, path: str, body: Any
) -> None:
    """403 and how to set one, whatever the caller shows; reading goes on."""
    web: Serving = await start(None)
    for token in (None, "", TOKEN):
        status, error = await web.send(method, path, body, token=token)
        assert status == 403
        assert "--token-file" in error["error"]
    assert web.desk.asked == []
    assert web.door.refusals["no_token_set"] == 3
    assert (await web.send("GET", PAUSES, token=None))[0] == 200


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "token_missing"),
        ("", "token_missing"),
        ("Bearer", "token_missing"),
        ("Bearer ", "token_missing"),
        (f"Basic {TOKEN}", "token_missing"),
        (TOKEN, "token_missing"),
        ("Bearer wrong", "token_wrong"),
        (f"Bearer {TOKEN}x", "token_wrong"),
        (f"Bearer {TOKEN[:-1]}", "token_wrong"),
        (f"Bearer {TOKEN.upper()}", "token_wrong"),
        ("Bearer \u00fc", "token_wrong"),
    ],
)
async def test_a_wrong_token_is_refused_and_counted(
    web: Serving, method: str, path: str, body: Any, header: str | None, reason: str
) -> None:
    """401, nothing happens, and the reason is counted."""
    headers = {} if header is None else {"Authorization": header}
    status, error = await web.send(method, path, body, token=None, headers=headers)
    assert status == 401
    assert TOKEN not in json.dumps(error)
    assert web.desk.asked == []
    assert web.door.refusals[reason] == web.door.refusals.total() == 1


async def test_refusals_are_logged_once_a_minute(web: Serving) -> None:
    """Guessing does not fill the log, and tokens do not get into it."""
    with capture_logs() as logs:
        for _ in range(20):
            await web.send("POST", PAUSES, WEB, token="guess-1234")
    assert len(logs) == 1
    assert (logs[0]["log_level"], logs[0]["reason"]) == ("warning", "token_wrong")
    assert "guess-1234" not in str(logs)
    assert TOKEN not in str(logs)


async def test_a_rotated_token_counts_at_once(start: Callable[..., Any], tmp_path: Path) -> None:
    """The file is read at each use and goes before a token given directly."""
    file = tmp_path / "token"
    file.write_text("first\n")
    web: Serving = await start(TokenSource(file, TOKEN))
    assert (await web.send("POST", PAUSES, WEB, token="first"))[0] == 200
    assert (await web.send("POST", PAUSES, WEB, token=TOKEN))[0] == 401
    file.write_text("second\n")
    assert (await web.send("POST", PAUSES, WEB, token="first"))[0] == 401
    assert (await web.send("POST", PAUSES, WEB, token="second"))[0] == 200


@pytest.mark.parametrize("content", [None, "", "\n", "two words", "\u00fc", b"\xff"])
async def test_an_unusable_token_file_lets_nobody_in(
    start: Callable[..., Any], tmp_path: Path, content: str | bytes | None
) -> None:
    """403; its path is told to the log alone."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    web: Serving = await start(TokenSource(file))
    with capture_logs() as logs:
        for token in (None, "x", ""):
            status, error = await web.send("POST", PAUSES, WEB, token=token)
            assert status == 403
            assert str(tmp_path) not in error["error"]
    assert str(file) in logs[0]["detail"]
    assert web.door.refusals["token_unreadable"] == 3


def test_a_token_is_not_shown() -> None:
    """Not even where its source is printed."""
    assert TOKEN not in repr(TokenSource(direct=TOKEN))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (PAUSES, "GET, HEAD, POST, DELETE"),
        (EXPLAIN, "POST"),
        ("/metrics", "GET, HEAD"),
        ("/nope", "GET, HEAD"),
    ],
)
async def test_other_methods_are_refused(web: Serving, path: str, allowed: str) -> None:
    """A browser's question before a foreign page's request gets no permission either."""
    for method in ("PUT", "PATCH", "OPTIONS"):
        async with web.send.__self__.session.request(
            method,
            web.send.__self__.base + path,
            headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
        ) as response:
            assert response.status == 405
            assert response.headers["Allow"] == allowed
            assert not [name for name in response.headers if name.startswith("Access-Control")]


def question(*texts: str, **more: Any) -> dict[str, Any]:
    files = {f"{number}.yml": text for number, text in enumerate(texts)}
    return {"files": files, "service": "web", **more}


async def test_explaining(web: Serving) -> None:
    """One decision, with notes, without a token where the rule asks nobody's own server."""
    for metrics in (CPU, DEFAULT_SERVER):
        text = RULE.format(name="load") + metrics
        status, answer = await web.send("POST", EXPLAIN, question(text), token=None)
        assert status == 200, answer
        assert (answer["rule"], answer["service_name"]) == ("load", "web")
        assert answer["notes"] == ["a note"]
        contract = {"time", "rule", "service_name", "current", "desired", "action", "reason"}
        assert contract | {"sentence", "stages", "inputs", "conditions"} <= answer.keys()


async def test_of_several_rules_one_is_explained(web: Serving) -> None:
    """The one that is named, or the first, with a note on the others."""
    texts = [RULE.format(name=name) + CPU for name in ("one", "two")]
    _, answer = await web.send("POST", EXPLAIN, question(*texts, rule="two"), token=None)
    assert (answer["rule"], answer["notes"]) == ("two", ["a note"])
    _, answer = await web.send("POST", EXPLAIN, question(*texts), token=None)
    assert (answer["rule"], len(answer["notes"])) == ("one", 2)
    assert "two" in answer["notes"][1]
    status, _ = await web.send("POST", EXPLAIN, question(*texts, rule="six"), token=None)
    assert status == 404


@pytest.mark.parametrize("metrics", [OWN_SERVER, OWN_SECRET, URL])
async def test_rules_that_name_servers_or_secrets_need_the_token(
    web: Serving, metrics: str
) -> None:
    """Else whoever reaches the port could send the agent anywhere, with its secrets."""
    body = question(RULE.format(name="load") + metrics)
    for token in (None, "wrong"):
        status, error = await web.send("POST", EXPLAIN, body, token=token)
        assert status == 401, error
    assert web.desk.explaining == 0
    assert (await web.send("POST", EXPLAIN, body))[0] == 200


async def test_problems_in_explained_files_are_listed(web: Serving) -> None:
    """422 with a line for each, under the names that the files were sent with."""
    body = question("version: 1\nrules:\n- name: x\n", "version: 2\n")
    status, answer = await web.send("POST", EXPLAIN, body, token=None)
    assert status == 422
    assert answer["problems"][0].startswith("0.yml:3:")
    assert any(line.startswith("1.yml:") for line in answer["problems"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"service": "wep"}, 404),
        ({"service": ""}, 400),
        ({"files": {}}, 400),
        ({"files": {"": "x"}}, 400),
        ({"files": {f"{n}.yml": "" for n in range(101)}}, 400),
        ({"files": "x"}, 400),
        ({"extra": 1}, 400),
    ],
)
async def test_a_bad_question_is_refused(web: Serving, change: dict[str, Any], status: int) -> None:
    """With one sentence; an unknown service with what may have been meant."""
    body = question(RULE.format(name="load") + CPU) | change
    got, answer = await web.send("POST", EXPLAIN, body, token=None)
    assert got == status
    assert answer["error"]


async def test_explanations_are_bounded(web: Serving) -> None:
    """1 MiB at most, and only a few at the same time: anybody may ask."""
    body = question(RULE.format(name="load") + CPU)
    large = question("#" * (1024 * 1024))
    assert (await web.send("POST", EXPLAIN, large, token=None))[0] == 413
    web.desk.hold.clear()
    async with asyncio.TaskGroup() as group:
        first = [group.create_task(web.send("POST", EXPLAIN, body)) for _ in range(2)]
        while web.desk.explaining < 2:
            await asyncio.sleep(0.01)
        assert (await web.send("POST", EXPLAIN, body))[0] == 503
        web.desk.hold.set()
    assert [task.result()[0] for task in first] == [200, 200]


async def test_recorded_inputs_need_the_token_and_a_service(web: Serving) -> None:
    """Rules may hold keys in their URLs; decisions without their inputs stay open to all."""
    path = "/api/v1/decisions?service=web"
    status, answer = await web.send("GET", path, token=None)
    assert (status, answer) == (200, [])
    status, _ = await web.send("GET", path + "&recorded=1", token=None)
    assert status == 401
    status, _ = await web.send("GET", path + "&recorded=1")
    assert status == 200
    status, error = await web.send("GET", "/api/v1/decisions?recorded=1")
    assert (status, "service=NAME" in error["error"]) == (400, True)
