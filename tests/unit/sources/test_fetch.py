"""Bounded questions over HTTP: in time, in size, in where the secrets go."""

import asyncio
import os
import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from monitor.model.scalar import NO_CREDENTIALS, Credentials
from monitor.sources.fault import ServerFault, SourceFault
from monitor.sources.fetch import MAX_BODY, Answer, Request, where
from monitor.sources.session import http_fetch
from tests.unit.sources.server import Handler, asking, saying, serving, silent


async def ask(
    handler: Handler, timeout: float = 30.0, credentials: Credentials = NO_CREDENTIALS
) -> Answer:
    async with asking(handler) as (server, fetch):
        return await fetch(Request(URL(f"{server.url}/a"), credentials, timeout))


async def refused(handler: Handler, timeout: float = 30.0) -> str:
    with pytest.raises(ServerFault) as caught:
        await ask(handler, timeout)
    return str(caught.value)


async def unanswered(url: str) -> str:
    async with http_fetch() as fetch:
        with pytest.raises(ServerFault) as caught:
            await fetch(Request(URL(url), NO_CREDENTIALS, 30.0))
        return str(caught.value)


async def test_a_server_that_hangs_is_left_in_time() -> None:
    """Before its answer begins, and in the middle of it."""

    async def halting(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        return await silent(request)

    assert (await refused(silent, timeout=0.2)).endswith("/a did not answer within 0.2 s")
    assert (await refused(halting, timeout=0.2)).endswith("/a did not answer within 0.2 s")


async def test_a_body_without_end_is_left() -> None:
    """One MiB is enough for a number; exactly that much is taken."""

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)

    assert "answers with more than 1024 KiB" in await refused(endless)
    assert len((await ask(saying(b" " * MAX_BODY))).body) == MAX_BODY
    assert "more than 1024 KiB" in await refused(saying(b" " * (MAX_BODY + 1)))


async def test_a_server_that_is_not_there_is_named() -> None:
    """Each way of not being there has its own words."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gone = await unanswered(f"http://user:secret@127.0.0.1:{port}/a?key=secret")
    assert gone == f"http://127.0.0.1:{port}/a cannot be reached: connection refused"
    assert "its host name is not known here" in await unanswered("http://nobody.invalid/")


async def test_a_server_that_speaks_something_else_is_named() -> None:
    """No HTTP, no TLS, or an end in the middle."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"220 mail ready\r\n\r\n")
        writer.close()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
        writer.close()

    for speak, scheme, part in (
        (talk, "http", "does not answer as an HTTP server does"),
        (talk, "https", "does not speak TLS"),
        (hang_up, "http", "broke the connection off"),
    ):
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            assert part in await unanswered(f"{scheme}://127.0.0.1:{port}/")


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """TLS is checked, and the sentence says so."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    made = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    if await made.wait():
        pytest.skip("openssl makes no certificate here")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        assert "self-signed" in await unanswered(f"https://127.0.0.1:{port}/")


async def test_redirects_stay_with_the_origin(tmp_path: Path) -> None:
    """Within it they are followed with the secret; nobody else ever sees it."""
    (tmp_path / "token").write_text("s3cret\n")
    secret = Credentials(bearer_token_file=str(tmp_path / "token"))

    async def within(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/a":
            return web.Response(status=301, headers={"Location": "/b"})
        assert request.headers["Authorization"] == "Bearer s3cret"
        return web.Response(body=b"1")

    assert (await ask(within, credentials=secret)).body == b"1"
    async with serving(saying("1")) as other:
        target = {"Location": f"{other.url}/x?key=hidden"}
        for status in (301, 302, 303, 307, 308):
            said = await refused(saying("", status=status, headers=target))
            assert said.endswith(f"redirects elsewhere: write {other.url}/x if you trust it")
        assert not other.seen
    for wrong in ({}, {"Location": "ftp://a/"}, {"Location": "http://[/"}):
        assert "redirects to nowhere" in await refused(saying("", status=302, headers=wrong))
    endless = saying("", status=302, headers={"Location": "/a"})
    assert "redirects more than 3 times" in await refused(endless)


async def test_a_rotated_secret_counts_at_once(tmp_path: Path) -> None:
    """Files are read whenever they are used; the line's end is not part of them."""
    token, word = tmp_path / "token", tmp_path / "password"
    async with asking(saying("")) as (server, fetch):
        for text in ("first\n", "second\r\n"):
            token.write_text(text)
            credentials = Credentials(bearer_token_file=str(token))
            await fetch(Request(URL(server.url), credentials, 30.0))
        word.write_text("pässword \n")
        named = Credentials(username="user", password_file=str(word))
        await fetch(Request(URL(server.url), named, 30.0))
    sent = [headers["Authorization"] for *_, headers in server.seen]
    assert sent == ["Bearer first", "Bearer second", "Basic dXNlcjpww6Rzc3dvcmQg"]


async def test_a_secret_that_is_said_back_is_not_shown(tmp_path: Path) -> None:
    """A server's refusal may hold what it was sent."""
    (tmp_path / "token").write_text("s3cret")
    credentials = Credentials(bearer_token_file=str(tmp_path / "token"))

    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=401, text=f"wrong: {request.headers['Authorization']}")

    answer = await ask(echo, credentials=credentials)
    assert answer.body == b"wrong: Bearer ***"
    assert "s3cret" not in repr(answer)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "cannot be read: no such file or directory"),
        (b"", "is empty"),
        (b"\r\n", "is empty"),
        (b"x" * 20_000, "is larger than 16 KiB"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"two\nlines", "holds no bearer token"),
        (b"a b", "holds no bearer token"),
        ("schlüssel".encode(), "holds no bearer token"),
    ],
)
async def test_a_bad_secret_file_is_named(tmp_path: Path, content: bytes | None, part: str) -> None:
    """The sentence names the file and never what is in it; nothing is sent."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    async with asking(saying("")) as (server, fetch):
        credentials = Credentials(bearer_token_file=str(path))
        with pytest.raises(SourceFault) as caught:
            await fetch(Request(URL(server.url), credentials, 30.0))
        assert not server.seen
    assert str(path) in str(caught.value)
    assert part in str(caught.value)
    assert not content or content.strip() == b"" or content not in str(caught.value).encode()


async def test_a_pipe_is_no_secret_file(tmp_path: Path) -> None:
    """Opening one would wait for ever; folders and devices are refused the same way."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with asking(saying("")) as (server, fetch):
        for path in (pipe, tmp_path, Path("/dev/zero")):
            credentials = Credentials(username="a", password_file=str(path))
            with pytest.raises(SourceFault, match="is not a regular file"):
                await fetch(Request(URL(server.url), credentials, 30.0))


def test_a_url_is_shown_without_its_secrets() -> None:
    """No user, no password, no query, no fragment."""
    assert where(URL("https://u:p@h.example:8443/a/b?k=v#f")) == "https://h.example:8443/a/b"
    assert where(URL("http://[::1]:9090/")) == "http://[::1]:9090/"
