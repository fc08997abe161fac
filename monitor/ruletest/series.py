"""Series as promtool writes them: `0+10x5 _x3 7`, and which numbers they are."""

import math
import re
from dataclasses import dataclass

MAX_VALUES = 100_000

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_ITEM = re.compile(
    rf"(?P<start>{_NUMBER}|_|stale)(?:(?P<step>[-+](?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)))?"
    r"(?:x(?P<times>[0-9]{1,6}))?"
)
_NAME = re.compile(r"(?P<name>[a-z_]+)\{(?P<labels>[^{}]*)\}")
_LABEL = re.compile(r'\s*([a-z_]+)\s*=\s*"([^"\\]*)"\s*')

KINDS = {
    "cpu": "cores of each task",
    "cpu_total": "cores that the service's tasks share",
    "memory": "bytes of each task",
    "memory_total": "bytes that the service's tasks share",
    "network_receive": "bytes per second of each task",
    "network_transmit": "bytes per second of each task",
    "number": "what a prometheus or http metric reads",
    "node_memory": "share of the node's memory in use, 0 to 1",
    "node_disk": "share of the node's disk in use, 0 to 1",
}
OF_NODES = ("node_memory", "node_disk")


@dataclass(frozen=True, slots=True)
class Series:
    """One value per interval from the test's start on; None where there is no sample.

    kind: one of KINDS. metric: the metric's name, of a `number`. service: whose tasks, "" for a
    series of a node. node: its name.
    The last value goes on to the end of the test.
    """

    kind: str
    service: str
    metric: str
    values: tuple[float | None, ...]
    node: str = ""

    def at(self, seconds: float, interval: float) -> float | None:
        """The value `seconds` after the start; before it the first one."""
        index = min(max(int(seconds // interval), 0), len(self.values) - 1)
        return self.values[index]


def parse_series(name: str, values: str) -> Series:
    """`cpu{service="web"}` and `0.1x3 0.4`; raises ValueError with a sentence."""
    found = _NAME.fullmatch(name.strip())
    if found is None or found["name"] not in KINDS:
        known = ", ".join(KINDS)
        raise ValueError(f'"{name}": write cpu{{service="web"}}; there is {known}')
    labels = _labels(found["labels"])
    if found["name"] in OF_NODES:
        return _of_node(name, found["name"], labels, parse_values(values))
    wanted = {"service", "metric"} if found["name"] == "number" else {"service"}
    if labels.keys() != wanted:
        example = "".join(f', {key}="..."' for key in sorted(wanted - {"service"}))
        raise ValueError(f'"{name}": write {found["name"]}{{service="web"{example}}}')
    return Series(found["name"], labels["service"], labels.get("metric", ""), parse_values(values))


def _of_node(
    name: str, kind: str, labels: dict[str, str], values: tuple[float | None, ...]
) -> Series:
    if labels.keys() != {"node"}:
        raise ValueError(f'"{name}": write {kind}{{node="w1"}}')
    if not all(value is None or 0 <= value <= 1 for value in values):
        raise ValueError(f'"{name}": values are shares from 0 to 1, such as 0.95')
    return Series(kind, "", "", values, labels["node"])


def parse_values(text: str) -> tuple[float | None, ...]:
    """promtool's notation: `1 2 3`, `0+10x5` (six values), `5x3` (four), `_` or `_x3`: none.

    Raises ValueError with a sentence.
    """
    values: list[float | None] = []
    for item in text.split():
        found = _ITEM.fullmatch(item)
        if found is None or (found["step"] and not found["times"]):
            raise ValueError(f'"{item}": write values such as 1 2 3, 0+10x5, 5x3 or _x2')
        values += _expanded(found)
        if len(values) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values: use a longer interval")
    if not values:
        raise ValueError("has no values: write at least one")
    return tuple(values)


def _expanded(found: re.Match[str]) -> list[float | None]:
    times = int(found["times"]) if found["times"] else 0
    if found["start"] in ("_", "stale"):
        return [None] * max(times, 1)
    start, step = float(found["start"]), float(found["step"] or 0)
    if not math.isfinite(start):
        raise ValueError(f'"{found["start"]}" is too large a number')
    return [start + step * index for index in range(times + 1)]


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _LABEL.fullmatch(part)
        if found is None:
            raise ValueError(f'"{part}": write name="value"')
        labels[found[1]] = found[2]
    return labels
