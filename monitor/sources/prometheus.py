"""An instant query to a Prometheus server, or to one that speaks as it does."""

import json
import math
from typing import Any

from monitor.model.scalar import PrometheusQuery
from monitor.sources.fault import ServerFault, SourceFault, quoted
from monitor.sources.fetch import Answer, Fetch, Request, http_url, where

STALE = 300.0
"""Seconds that a sample may be older than its answer: for as long servers look back."""

_EXAMPLE = "http://HOST:9090"
_NO_SERVER = (
    "no Prometheus server is known: start the agent with --prometheus http://HOST:9090 "
    "(or SWARM_MONITOR_PROMETHEUS), or write address: in the metric"
)
_NO_POST = frozenset({405, 501})


async def read_prometheus(source: PrometheusQuery, default: str | None, fetch: Fetch) -> float:
    """Finite; negative numbers are as good as others. Raises SourceFault.

    default: the server to ask where the query names none. The API's
    answers are described in https://prometheus.io/docs/prometheus/latest/querying/api/.
    """
    address = source.address or default
    if not address:
        raise ServerFault(_NO_SERVER)
    base = http_url(address, _EXAMPLE)
    url = base.with_path(f"{base.path.rstrip('/')}/api/v1/query").with_query(base.query)
    form = {"query": source.query, "timeout": f"{max(round(source.timeout * 1000), 1)}ms"}
    answer = await fetch(Request(url, source.credentials, source.timeout, form))
    if answer.status in _NO_POST:
        asked = url.extend_query(form)
        answer = await fetch(Request(asked, source.credentials, source.timeout))
    place = where(base).rstrip("/")
    data = _data(answer, place)
    return _finite(_value(data, source, answer.served_at))


def _data(answer: Answer, place: str) -> dict[str, Any]:
    """What a successful answer holds; `warnings` and `infos` beside it are let pass."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("status") == "error":
        kind, text = str(found.get("errorType", "error")), str(found.get("error", ""))
        raise SourceFault(f"{place} refuses the query: {quoted(f'{kind}: {text}')}")
    if answer.status in {401, 403}:
        raise ServerFault(f"{place} refuses us ({answer.status_text}): check the credentials")
    if answer.status == 404:
        raise SourceFault(
            f"{place} has no /api/v1/query: write the address under which that is found"
        )
    if not 200 <= answer.status < 300:
        raise SourceFault(f"{place} answers {answer.status_text}")
    if found is None:
        what = answer.content_type or "something"
        raise SourceFault(f"{place} answers {what}, not JSON: is it a Prometheus server?")
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise SourceFault(f"{place} answers JSON that is not a query's: is it a Prometheus server?")
    return data


def _value(data: dict[str, Any], source: PrometheusQuery, served_at: float | None) -> float:
    result: list[Any] = data["result"]
    match data.get("resultType"):
        case "scalar":
            return _sample(result, served_at)
        case "vector":
            return _of_vector(result, source, served_at)
        case "matrix":
            raise SourceFault(
                "the query gives ranges of samples: wrap it in rate(), avg_over_time() or the like"
            )
        case "string":
            raise SourceFault("the query gives a text: write one that gives a number")
        case other:
            raise SourceFault(f"the query's result is of an unknown type: {quoted(str(other))}")


def _of_vector(result: list[Any], source: PrometheusQuery, served_at: float | None) -> float:
    if not result:
        if source.empty_is is not None:
            return source.empty_is
        raise SourceFault(
            "the query returned nothing: no series match now; write empty_is: if that is a number"
        )
    if len(result) > 1:
        raise SourceFault(f"the query gives {len(result)} series: wrap it in sum() or max()")
    only = result[0]
    if isinstance(only, dict) and "value" not in only and "histogram" in only:
        raise SourceFault(
            "the query gives a histogram: wrap it in histogram_quantile() or histogram_sum()"
        )
    return _sample(only.get("value") if isinstance(only, dict) else None, served_at)


def _sample(pair: object, served_at: float | None) -> float:
    """`[epoch seconds, "value"]`; old where a cache answers in the server's place."""
    match pair:
        case [int() | float() as at, str(text)]:
            age = 0.0 if served_at is None else served_at - at
            if age > STALE:
                raise SourceFault(f"the newest sample is {age:.0f} s old: the answer is stale")
            try:
                return float(text)
            except ValueError:
                pass
    raise SourceFault("the query's sample is not a number in the API's form")


def _finite(value: float) -> float:
    if math.isnan(value):
        raise SourceFault(
            "the query gives NaN, most often by a division by zero: add a guard such as > 0"
        )
    if math.isinf(value):
        word = "+Inf" if value > 0 else "-Inf"
        raise SourceFault(f"the query gives {word}: no number of replicas follows from that")
    return value
