"""Rolling back, unparking and log lines over real sockets: who may, and what is answered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.model.logs import TaskLog
from monitor.web.door import TokenSource
from monitor.web.state import Refused
from tests.unit.web.test_operator import TOKEN, WEB, start
from tests.unit.web.test_ps import DEAD, LIVE

__all__ = ["start"]  # a fixture

ROUTES = ("rollback", "unpark")
LOGS = "/api/v1/ps?service=web&logs=1"
DID = {"rollback": "roll_back", "unpark": "unpark"}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    place = tmp_path / "token"
    place.write_text(f"{TOKEN}\n")
    return place


@pytest.mark.parametrize("route", ROUTES)
async def test_who_shows_the_token_has_it_done(
    start: Callable[..., Any], token_file: Path, route: str
) -> None:
    """In their own name, or as who they are to the network."""
    serving = await start(TokenSource(token_file))
    status, body = await serving.send("POST", f"/api/v1/{route}", WEB | {"by": "ann"})
    assert (status, body["service"]) == (200, "web")
    assert body["sentence"] == f"web: {DID[route]} for ann"
    await serving.send("POST", f"/api/v1/{route}", WEB)
    assert serving.desk.asked == [(DID[route], "web", "ann"), (DID[route], "web", "127.0.0.1")]


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_else_does_anything(
    start: Callable[..., Any], token_file: Path, route: str
) -> None:
    """No token, a wrong one, an agent without any: refused before the body is looked at."""
    serving = await start(TokenSource(token_file))
    for token, words in ((None, "needs the agent's token"), ("wrong", "is not this agent's")):
        status, body = await serving.send("POST", f"/api/v1/{route}", b"{", token=token)
        assert status == 401
        assert words in body["error"]
    without = await start(None)
    status, body = await without.send("POST", f"/api/v1/{route}", WEB)
    assert (status, "--token-file" in body["error"]) == (403, True)
    assert serving.desk.asked == without.desk.asked == []


@pytest.mark.parametrize("route", ROUTES)
async def test_what_cannot_be_done_is_refused_with_a_reason(
    start: Callable[..., Any], token_file: Path, route: str
) -> None:
    """A service that is not there, nothing to go back to, a body that makes no sense, a method."""
    serving = await start(TokenSource(token_file))
    path = f"/api/v1/{route}"
    status, body = await serving.send("POST", path, {"service": "wep"})
    assert (status, body["close"]) == (404, ["web"])
    for bad in ({}, {"service": ""}, {"service": "web", "to": "v1"}, {"service": "a\nb"}, [], b"{"):
        status, body = await serving.send("POST", path, bad)
        assert status == 400, bad
        assert body["error"]
    status, body = await serving.send("GET", path)
    assert (status, body["error"]) == (405, "Only POST is answered here.")
    serving.desk.refusal = Refused(409, "Nothing was changed: no earlier deploy of web is known.")
    status, body = await serving.send("POST", path, WEB)
    assert (status, "no earlier deploy" in body["error"]) == (409, True)
    assert serving.desk.asked == []


async def test_log_lines_need_the_token(start: Callable[..., Any], token_file: Path) -> None:
    """Nobody knows what a program writes; without `logs=1` none is read."""
    serving = await start(TokenSource(token_file))
    serving.state.shown = {"web": [LIVE, DEAD]}
    for token in (None, "wrong"):
        status, body = await serving.send("GET", LOGS, token=token)
        assert status == 401
    status, body = await serving.send("GET", "/api/v1/ps?service=web", token=None)
    assert status == 200
    assert all("log" not in task for task in body)
    assert serving.state.logs_asked == []


async def test_log_lines_of_ended_tasks_alone(start: Callable[..., Any], token_file: Path) -> None:
    """Lines, or why there are none; null of those that run, and beyond the newest twenty."""
    serving = await start(TokenSource(token_file))
    many = [replace(DEAD, task_id=f"d{number}") for number in range(30)]
    serving.state.shown = {"web": [LIVE, *many]}
    serving.state.written = {"d0": TaskLog(("panic: no <disk>", "bye"))}
    status, body = await serving.send("GET", LOGS)
    assert status == 200
    logs = [task["log"] for task in body]
    assert logs[:3] == [
        None,
        {"lines": ["panic: no <disk>", "bye"], "why": None},
        {"lines": [], "why": "gone"},
    ]
    assert logs[21:] == [None] * 10
    assert len(serving.state.logs_asked) == 20
