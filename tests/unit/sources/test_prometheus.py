"""What each answer of a Prometheus server means as one number."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from monitor.model.scalar import PrometheusQuery
from monitor.sources.fault import ServerFault, SourceFault
from monitor.sources.prometheus import read_prometheus
from tests.unit.sources.server import Handler, asking, saying

NOW = datetime(2100, 5, 1, 12, tzinfo=UTC)  # no server of today serves it late


def success(kind: str, result: Any, **more: Any) -> str:
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", "data": data} | more)


def vector(*values: str, at: float = NOW.timestamp()) -> str:
    return success(
        "vector",
        [{"metric": {"n": str(n)}, "value": [at, value]} for n, value in enumerate(values)],
    )


async def ask(handler: Handler, **fields: Any) -> float:
    """The number that a query gives where the server answers as the handler does."""
    async with asking(handler) as (server, fetch):
        source = PrometheusQuery("up", address=server.url, **fields)
        return await read_prometheus(source, None, fetch)


async def refused(handler: Handler, **fields: Any) -> str:
    with pytest.raises(SourceFault) as caught:
        await ask(handler, **fields)
    return str(caught.value)


async def test_one_sample_is_the_number() -> None:
    """A scalar and a vector of one are numbers, negative ones too; warnings do no harm."""
    assert await ask(saying(success("scalar", [NOW.timestamp(), "0.25"]))) == 0.25
    assert await ask(saying(vector("12"))) == 12.0
    assert await ask(saying(vector("-3.5e2"))) == -350.0
    assert (
        await ask(
            saying(
                success(
                    "vector",
                    [{"metric": {}, "value": [NOW.timestamp(), "7"]}],
                    warnings=["slow"],
                    infos=["?"],
                )
            )
        )
        == 7.0
    )


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (vector("1", "2", "3"), "gives 3 series: wrap it in sum() or max()"),
        (vector(), "returned nothing"),
        (vector("NaN"), "gives NaN"),
        (vector("+Inf"), "gives +Inf"),
        (success("scalar", [NOW.timestamp(), "-Inf"]), "gives -Inf"),
        (success("matrix", [{"metric": {}, "values": [[1, "1"]]}]), "wrap it in rate()"),
        (success("string", [1, "text"]), "gives a text"),
        (success("cube", []), "unknown type: cube"),
        (success("vector", [{"metric": {}, "histogram": [1, {}]}]), "histogram_quantile()"),
        (vector("many"), "not a number"),
        (success("vector", [17]), "not a number"),
        (success("vector", [{"value": "17"}]), "not a number"),
        (success("scalar", [True, "1", 3]), "not a number"),
        ('{"status": "success"}', "is it a Prometheus server?"),
        ("[]", "is it a Prometheus server?"),
        ("17", "is it a Prometheus server?"),
        ("", "is it a Prometheus server?"),
        ("[" * 100_000, "is it a Prometheus server?"),
        (
            '{"status": "error", "errorType": "timeout", "error": "took\\nlong"}',
            "timeout: took long",
        ),
    ],
)
async def test_what_is_no_number_is_said(body: str, part: str) -> None:
    """Every other successful answer becomes a sentence, and never a number."""
    assert part in await refused(saying(body))


async def test_nothing_may_mean_a_number() -> None:
    """`empty_is` stands for an empty vector, and for nothing else."""
    assert await ask(saying(vector()), empty_is=0.0) == 0.0
    assert "NaN" in await refused(saying(vector("NaN")), empty_is=0.0)
    assert await ask(saying(vector("4")), empty_is=0.0) == 4.0


@pytest.mark.parametrize(
    ("status", "body", "part"),
    [
        (
            400,
            '{"status":"error","errorType":"bad_data","error":"parse error"}',
            "refuses the query: bad_data: parse error",
        ),
        (503, '{"status":"error","errorType":"timeout","error":"too slow"}', "timeout: too slow"),
        (401, "Unauthorized", "refuses us (401 Unauthorized): check the credentials"),
        (403, "no", "refuses us (403 Forbidden)"),
        (404, "not found", "write the address under which"),
        (502, "<html>", "answers 502 Bad Gateway"),
        (599, "", "answers 599"),
        (500, "{}", "answers 500"),
    ],
)
async def test_a_refusal_is_told(status: int, body: str, part: str) -> None:
    """The server's own words where it has some, its status else."""
    assert part in await refused(saying(body, status=status))


async def test_a_page_instead_of_the_api_is_noticed() -> None:
    """A proxy's sign-in page answers 200 with HTML."""
    said = await refused(saying("<html>hello</html>", content_type="text/html"))
    assert said.endswith("answers text/html, not JSON: is it a Prometheus server?")


async def test_old_samples_are_not_believed() -> None:
    """By the server's own clock: five minutes are what it looks back, more comes of a cache."""
    for minutes, fresh in ((0, True), (4, True), (6, False), (-60, True)):
        served = NOW + timedelta(minutes=minutes)
        handler = saying(vector("5"), headers={"Date": format_datetime(served, usegmt=True)})
        if fresh:
            assert await ask(handler) == 5.0
        else:
            assert "360 s old" in await refused(handler)
    kept = {"Date": format_datetime(NOW, usegmt=True), "Age": "301"}
    assert "301 s old" in await refused(saying(vector("5"), headers=kept))
    for odd in ({"Date": "yesterday"}, {"Date": format_datetime(NOW, usegmt=True), "Age": "x"}):
        assert await ask(saying(vector("5"), headers=odd)) == 5.0


async def test_what_the_server_is_asked() -> None:
    """A form with the query as it stands and our deadline, under the address's own path."""
    query = 'sum(rate(x{job="a&b"}[1m])) > 0 # ü'
    async with asking(saying(vector("1"))) as (server, fetch):
        source = PrometheusQuery(query, address=f"{server.url}/prom/?tenant=a", timeout=2.5)
        await read_prometheus(source, "http://unused.invalid", fetch)
    [(method, path, form, _)] = server.seen
    assert (method, path) == ("POST", "/prom/api/v1/query?tenant=a")
    assert form == {"query": query, "timeout": "2500ms"}


async def test_a_server_without_post_is_asked_by_get() -> None:
    """Some proxies let GET through alone."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            return web.Response(status=405)
        assert request.query["query"] == 'up{a="b&c"}'
        return await saying(vector("3"))(request)

    async with asking(handler) as (server, fetch):
        source = PrometheusQuery('up{a="b&c"}', address=server.url)
        assert await read_prometheus(source, None, fetch) == 3.0


async def test_the_agents_own_server_is_the_default() -> None:
    """A query's address comes first; with neither, the sentence says what to write."""
    async with asking(saying(vector("3"))) as (server, fetch):
        assert await read_prometheus(PrometheusQuery("up"), server.url, fetch) == 3.0
        with pytest.raises(ServerFault, match="--prometheus http://HOST:9090"):
            await read_prometheus(PrometheusQuery("up"), None, fetch)
        for wrong in ("localhost:9090", "prometheus", "ftp://a/", "http://", "http://[", "/a/b"):
            with pytest.raises(SourceFault, match="is no URL to ask: write http://HOST:9090"):
                await read_prometheus(PrometheusQuery("up", address=wrong), None, fetch)
