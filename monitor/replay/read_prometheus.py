"""Traces in what a Prometheus server answers to `query_range`: a matrix, as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.replay.trace import Trace, trace_of

_SHAPE = 'write what /api/v1/query_range answers: {"data": {"resultType": "matrix", "result": …}}'


def read_prometheus(name: str, text: str, columns: Sequence[str] = ()) -> Trace:
    """One series, or those of which a label has one of `columns` as its value, added up; "*" is
    all of them. Raises ValueError for what is no such answer.
    """
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} is no JSON: {error}") from None
    if isinstance(answer, Mapping) and answer.get("status") == "error":
        raise ValueError(f"{name} is an error of Prometheus: {answer.get('error')}")
    chosen = _chosen(name, _series(name, answer), columns)
    sums: dict[float, float] = {}
    skipped = 0
    for series in chosen:
        for time, value in _points(name, series):
            if math.isfinite(value) and value >= 0:
                sums[time] = sums.get(time, 0.0) + value
            else:
                skipped += 1
    if not sums:
        raise ValueError(f"{name} holds no values: ask a range in which there are some")
    notes = (f"{skipped} values that are no load are left out",) if skipped else ()
    return trace_of(name, sorted(sums.items()), notes)


def _series(name: str, answer: Any) -> list[Mapping[str, Any]]:
    data = answer.get("data", answer) if isinstance(answer, Mapping) else {"result": answer}
    kind = data.get("resultType", "matrix") if isinstance(data, Mapping) else None
    result = data.get("result") if isinstance(data, Mapping) else None
    if kind != "matrix" or not isinstance(result, list):
        found = f"a {kind}" if isinstance(kind, str) and kind != "matrix" else "something else"
        raise ValueError(f"{name} holds {found}, not a matrix: {_SHAPE}")
    if not result or not all(isinstance(series, Mapping) for series in result):
        raise ValueError(f"{name} holds no series: {_SHAPE}")
    return result


def _chosen(
    name: str, series: list[Mapping[str, Any]], columns: Sequence[str]
) -> list[Mapping[str, Any]]:
    if "*" in columns or (len(series) == 1 and not columns):
        return series
    if not columns:
        raise ValueError(
            f"{name} holds {len(series)} series: choose with --column the value of a label, or "
            f"'*' for their sum. They are {_names(series)}"
        )
    found = [one for one in series if set(columns) & set(_labels(one).values())]
    if not found:
        raise ValueError(
            f"{name} has no series with a label of value {' or '.join(columns)}: "
            f"it has {_names(series)}"
        )
    return found


def _labels(series: Mapping[str, Any]) -> dict[str, str]:
    metric = series.get("metric")
    return {str(key): str(value) for key, value in metric.items()} if metric else {}


def _names(series: list[Mapping[str, Any]]) -> str:
    """The first few by their labels."""
    shown = [
        "{" + ", ".join(f'{key}="{value}"' for key, value in _labels(one).items()) + "}"
        for one in series[:5]
    ]
    more = f" and {len(series) - 5} more" if len(series) > 5 else ""
    return ", ".join(shown) + more


def _points(name: str, series: Mapping[str, Any]) -> list[tuple[float, float]]:
    try:
        return [(float(time), float(value)) for time, value in series.get("values", ())]
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds points that are no [time, value]: {_SHAPE}") from None
