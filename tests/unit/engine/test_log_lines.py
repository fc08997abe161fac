"""The log of a container as lines: both formats, bounds, and what is no log."""

import pytest

from monitor.engine.client import DockerEngine
from monitor.engine.log_lines import LogLines
from monitor.model.container import Container
from monitor.model.logs import MOST_BYTES, MOST_LINE_BYTES
from monitor.ports.errors import BadAnswer, BadRequest, NotFound
from tests.unit.engine.wire import answer, wire_engine


def frame(content: bytes, stream: int = 1) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


async def read(*chunks: bytes, lines: int = 20, tty: bool = False, limit: int = 1 << 30):
    async def sent():
        for chunk in chunks:
            yield chunk

    reader = LogLines(lines, tty=tty)
    await reader.take(sent(), limit)
    return await reader.result()


async def test_frames_of_both_streams_become_lines_however_they_are_cut() -> None:
    """Wherever a piece of the answer ends: within a header, a line or a character."""
    body = frame(b"one\ntwo \xc3") + frame(b"oops\n", 2) + frame(b"\xa4\n") + frame(b"rest", 2)
    expected = ("one", "oops", "two ä", "rest")
    for size in range(1, len(body) + 1):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        assert await read(*pieces) == expected


async def test_a_terminals_output_is_taken_as_it_is() -> None:
    """It has no frames, ends its lines with a carriage return, and colours mean nothing here."""
    found = await read(b"\x1b[31mred\x1b[0m\r\nbell\x07 \x1b]0;title\x07\r\n", tty=True)
    assert found == ("red", "bell\ufffd \ufffd]0;title\ufffd")


async def test_what_is_kept_is_bounded() -> None:
    """The last lines, each cut, and no more than 8 KiB of them, whatever a program writes."""
    assert await read(frame(b"".join(b"%d\n" % n for n in range(50))), lines=2) == ("48", "49")
    (cut,) = await read(frame(b"x" * 5000), frame(b"y" * 5000 + b"\n"))
    assert cut == "x" * MOST_LINE_BYTES + "…"
    long = await read(*[frame(b"%03d" % n + b"z" * 997 + b"\n") for n in range(100)], lines=100)
    assert [line[:3] for line in long] == [f"{n:03d}" for n in range(92, 100)]
    assert sum(map(len, long)) <= MOST_BYTES
    with pytest.raises(BadAnswer, match="more than 100 bytes"):
        await read(frame(b"x" * 200), limit=100)


@pytest.mark.parametrize(
    "body", [b"plain text\n", frame(b"whole")[:-1], frame(b"x")[:5], b"\x07\0\0\0\0\0\0\x01x"]
)
async def test_what_is_no_log_is_a_bad_answer(body: bytes) -> None:
    """Another format, or one that was cut off."""
    with pytest.raises(BadAnswer):
        await read(body)


async def test_an_empty_log_has_no_lines() -> None:
    """A program may say nothing."""
    assert await read() == await read(b"") == ()


async def test_the_engine_is_asked_for_the_last_lines_alone() -> None:
    """Of both streams; a driver that cannot be read and a container that is gone are faults."""
    container = Container("c1", "t1", "s1", "web", "n1")
    path = "/containers/c1/logs"
    async with wire_engine() as wire:
        wire.answers[path] = [
            answer(frame(b"bye\n")),
            answer({"message": "configured logging driver does not support reading"}, status=501),
            answer({"message": "No such container: c1"}, status=404),
        ]
        async with DockerEngine(wire.url) as engine:
            assert await engine.logs(container, 7) == ("bye",)
            (asked,) = wire.asked(path)
            assert asked.query == {"stdout": "true", "stderr": "true", "tail": "7"}
            with pytest.raises(BadRequest, match="does not support reading"):
                await engine.logs(container, 7)
            with pytest.raises(NotFound):
                await engine.logs(container, 7)
