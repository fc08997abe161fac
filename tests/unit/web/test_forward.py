"""Any agent answers for the one that acts, over real sockets on the loopback address."""

import contextlib
import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from monitor.model.pause import PauseScope
from monitor.web.app import build_app
from monitor.web.door import Door, TokenSource
from monitor.web.forward import ANSWERED_BY, FORWARDED
from monitor.web.server import serve
from monitor.web.state import ActingAgent, Status
from tests.unit.web.test_operator import OperatedState

TOKEN = "correct-horse-battery-staple"


@contextlib.asynccontextmanager
async def serving(state: OperatedState, tmp_path: Path) -> AsyncIterator[str]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    async with serve(build_app(state, Door(TokenSource(token))), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def two_agents(tmp_path: Path) -> AsyncIterator[tuple[OperatedState, OperatedState, str]]:
    """The state of the acting one, that of the asked one, and the asked one's address."""
    acting, asked = OperatedState(), OperatedState()
    acting.now = Status(actor="m2")
    async with serving(acting, tmp_path) as actor_url, serving(asked, tmp_path) as url:
        asked.actor = ActingAgent("m2", actor_url)
        yield acting, asked, url


async def test_asking_any_agent_gives_the_actors_answer(tmp_path: Path) -> None:
    """The acting agent's status comes from whichever agent was asked, and says whose it is."""
    async with (
        two_agents(tmp_path) as (_, _, url),
        ClientSession() as session,
        session.get(f"{url}/api/v1/status") as answer,
    ):
        assert (await answer.json())["actor"] == "m2"
        assert answer.headers[ANSWERED_BY] == "m2"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("how", [{"local": "1"}, None])
async def test_an_agent_can_be_asked_for_its_own_view(
    tmp_path: Path, how: dict[str, str] | None
) -> None:
    """With ?local=1, and where the request was passed on already, the asked agent answers itself,
    so that no request goes round in circles."""
    headers = {FORWARDED: "1"} if how is None else {}
    async with (
        two_agents(tmp_path) as (_, _, url),
        ClientSession(headers=headers) as session,
        session.get(f"{url}/api/v1/status", params=how) as answer,
    ):
        assert (await answer.json())["actor"] is None
        assert ANSWERED_BY not in answer.headers


async def test_a_pause_reaches_the_actor_with_its_token(tmp_path: Path) -> None:
    """Pausing through any agent pauses at the actor, which judges the token itself."""
    body = {"service": "web", "for": "2h"}
    async with two_agents(tmp_path) as (acting, asked, url), ClientSession() as session:
        async with session.post(f"{url}/api/v1/pauses", json=body) as answer:
            assert answer.status == 401
        shown = {"Authorization": f"Bearer {TOKEN}"}
        async with session.post(f"{url}/api/v1/pauses", json=body, headers=shown) as answer:
            assert answer.status == 200
            assert (await answer.json())["name"] == "web"
        assert [pause.scope for pause in acting.desk.paused] == [PauseScope.SERVICE]
        assert asked.desk.paused == []


async def test_a_body_that_is_too_large_goes_nowhere(tmp_path: Path) -> None:
    """More than the largest body that is read anywhere is refused before it is passed on."""
    async with two_agents(tmp_path) as (acting, _, url), ClientSession() as session:
        async with session.post(
            f"{url}/api/v1/explain", data=io.BytesIO(b"x" * (2 << 20))
        ) as answer:
            assert answer.status == 413
        assert acting.desk.asked == []


async def test_an_actor_that_does_not_answer(tmp_path: Path) -> None:
    """Reading falls back to the asked agent's own view; changing says that nothing happened."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        asked = OperatedState()
        asked.actor = ActingAgent("m2", f"http://127.0.0.1:{closed.getsockname()[1]}")
        async with serving(asked, tmp_path) as url, ClientSession() as session:
            async with session.get(f"{url}/api/v1/status") as answer:
                assert answer.status == 200
                assert ANSWERED_BY not in answer.headers
            shown = {"Authorization": f"Bearer {TOKEN}"}
            async with session.post(
                f"{url}/api/v1/pauses", json={"all": True}, headers=shown
            ) as answer:
                assert answer.status == 502
                assert "the acting agent on m2 did not answer" in (await answer.json())["error"]
        assert asked.desk.paused == []
