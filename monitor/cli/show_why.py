"""Decisions for people: one sentence on top, then a short table of what led to it."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]

MOST_INPUTS = 8
"""Tasks of a metric that are shown one by one; more are folded."""


def show_why(console: Console, service: str, decisions: list[Json]) -> None:
    """decisions: as `/api/v1/decisions` answers, newest first; the newest is shown whole."""
    if not decisions:
        console.print(Text(f"No rule has judged {service} yet: does any rule select it?"))
        return
    newest, *older = decisions
    _show(console, newest, _when(newest))
    if older:
        console.print(Text("\nbefore that", style="bold"))
        console.print(_older(older))


def show_explanation(console: Console, decision: Json) -> None:
    """decision: as `/api/v1/explain` answers."""
    _show(console, decision, "now, if this rule were judged; nothing was done")
    for note in decision["notes"]:
        console.print(Text(f"note: {note}", style="dim"))


def _show(console: Console, decision: Json, when: str) -> None:
    console.print(Text(decision["sentence"], style="bold"))
    facts = [f"rule {decision['rule']}", f"reason {decision['reason']}"]
    if decision["action"] != "none":
        facts.append(f"action {decision['action']}")
    console.print(Text(f"{', '.join(facts)}; {when}"))
    for line in _changes(decision):
        console.print(Text(line))
    if decision["stages"]:
        console.print()
        console.print(_stages(decision["stages"]))
    if decision["inputs"]:
        console.print()
        console.print(_inputs(decision["inputs"]))
    if decision["conditions"]:
        console.print()
    for condition in decision["conditions"]:
        state = "True" if condition["status"] else "False"
        line = f"{condition['type']}={state} {condition['reason']}: {condition['message']}"
        console.print(Text(line, style="dim"))


def _changes(decision: Json) -> Iterator[str]:
    """What became of it, what bound it, and what would change it."""
    if decision.get("outcome"):
        detail = decision.get("outcome_detail")
        yield f"outcome: {decision['outcome']}" + (f": {detail}" if detail else "")
    if decision.get("binding"):
        yield f"bound by: {decision['binding']}"
    if decision.get("would_change"):
        yield f"would come out differently if: {decision['would_change']}"


def _when(decision: Json) -> str:
    repeats = decision.get("repeats", 1)
    if repeats > 1:
        return f"{decision['time']}, the same {repeats} times since {decision['since']}"
    return str(decision["time"])


def _number(value: float | None) -> str:
    """Four digits are enough for people; large ones without an exponent."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _stages(stages: list[Json]) -> Table:
    table = _table("stage", "replicas", "note")
    for stage in stages:
        table.add_row(stage["name"], _number(stage["value"]), Text(stage["note"]))
    return table


def _inputs(inputs: list[Json]) -> Table:
    table = _table("metric", "task", "value", "used", "note")
    for group in _by_metric(inputs):
        for row in _rows(group):
            table.add_row(*(Text(cell) for cell in row))
    return table


def _by_metric(inputs: list[Json]) -> Iterator[list[Json]]:
    names = dict.fromkeys(item["metric"] for item in inputs)
    for name in names:
        yield [item for item in inputs if item["metric"] == name]


def _rows(group: list[Json]) -> Iterator[tuple[str, ...]]:
    """One row per task, or where there are many: those with a note, and the others folded."""
    if len(group) <= MOST_INPUTS:
        yield from map(_row, group)
        return
    plain = [item for item in group if item["used"] and not item["note"]]
    told = [item for item in group if not (item["used"] and not item["note"])]
    if plain:
        values = [item["value"] for item in plain if item["value"] is not None]
        span = "-"
        if values:
            mean = sum(values) / len(values)
            low, high = _number(min(values)), _number(max(values))
            span = f"mean {_number(mean)} ({low} to {high})"
        yield group[0]["metric"], f"{len(plain)} tasks", span, "yes", ""
    yield from map(_row, told[:MOST_INPUTS])
    for used in (True, False):
        rest = [item for item in told[MOST_INPUTS:] if item["used"] is used]
        if rest:
            yield group[0]["metric"], f"{len(rest)} more", "", "yes" if used else "no", ""


def _row(item: Json) -> tuple[str, ...]:
    used = "yes" if item["used"] else "no"
    return item["metric"], item["task_id"], _number(item["value"]), used, item["note"]


def _older(decisions: list[Json]) -> Table:
    table = _table("time", "", "outcome", "")
    table.show_header = False
    for decision in decisions:
        repeats = decision.get("repeats", 1)
        times = f"x{repeats}" if repeats > 1 else ""
        outcome = decision.get("outcome") or ""
        table.add_row(decision["time"], times, outcome, Text(decision["sentence"]))
    return table
