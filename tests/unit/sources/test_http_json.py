"""What each JSON answer means as one number."""

import pytest

from monitor.model.scalar import JsonUrl
from monitor.sources.fault import SourceFault
from monitor.sources.http_json import read_json
from tests.unit.sources.server import Handler, asking, saying


async def ask(handler: Handler, path: str = "n") -> float:
    async with asking(handler) as (server, fetch):
        found = await read_json(JsonUrl(f"{server.url}/stats?key=hidden", path), fetch)
        [(method, asked, _, _)] = server.seen
        assert (method, asked) == ("GET", "/stats?key=hidden")
        return found


async def refused(handler: Handler, path: str = "n") -> str:
    with pytest.raises(SourceFault) as caught:
        await ask(handler, path)
    assert "hidden" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "path", "number"),
    [
        ('{"n": 17}', "n", 17.0),
        ('{"n": -2.5e3}', "n", -2500.0),
        ('{"n": "42"}', "n", 42.0),
        ('{"n": " -4.25 "}', "n", -4.25),
        ("17", "", 17.0),
        ("[1, 2, 3]", "[-1]", 3.0),
        ('{"q": [{"messages.ready": 9}]}', 'q[0]["messages.ready"]', 9.0),
    ],
)
async def test_numbers_are_found(body: str, path: str, number: float) -> None:
    """As JSON numbers, or as texts that hold nothing but a number."""
    assert await ask(saying(body), path) == number
    assert await ask(saying(body, content_type="text/plain"), path) == number


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ('{"n": true}', "has true at 'n', not a number"),
        ('{"n": null}', "has null at 'n', not a number"),
        ('{"n": "many"}', "has the text \"many\" at 'n', not a number"),
        ('{"n": "nan"}', "not a number"),
        ('{"n": "0x10"}', "not a number"),
        ('{"n": "1 2"}', "not a number"),
        ('{"n": ""}', "not a number"),
        ('{"n": "1e999"}', "a number beyond all bounds"),
        ('{"n": 1e999}', "a number beyond all bounds"),
        ('{"n": NaN}', "NaN"),
        ('{"n": 1%s}' % ("0" * 400), "a number beyond all bounds"),
        ('{"n": 1%s}' % ("0" * 5000), "not JSON"),
        ('{"n": []}', "an empty list at 'n', not a number"),
        ('{"n": [1, 2]}', "not a number: name one element, [0] to [1]"),
        ('{"n": {"b": 1, "a": 2}}', "not a number: go on to one of 'a', 'b'"),
        ('{"m": 1}', "has no key 'n' at its top; there is 'm'"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("\xff\xfe", "not JSON"),
    ],
)
async def test_what_is_no_number_is_said(body: str, part: str) -> None:
    """Every other answer becomes a sentence that says what is there instead."""
    assert part in await refused(saying(body.encode("latin-1")))


@pytest.mark.parametrize(
    ("status", "part"),
    [(401, "check the credentials"), (404, "answers 404 Not Found"), (500, "answers 500")],
)
async def test_a_refusal_is_told(status: int, part: str) -> None:
    """A number beside a status of failure is none."""
    assert part in await refused(saying('{"n": 1}', status=status))


async def test_a_bad_path_or_url_is_told() -> None:
    """Also where nobody checked it at load."""
    assert "leave out the $" in await refused_unasked("http://a.invalid", "$.n")
    assert "write http://HOST:PORT/PATH" in await refused_unasked("a.invalid/stats", "n")


async def refused_unasked(url: str, path: str) -> str:
    async with asking(saying("")) as (_, fetch):
        with pytest.raises(SourceFault) as caught:
            await read_json(JsonUrl(url, path), fetch)
        return str(caught.value)
