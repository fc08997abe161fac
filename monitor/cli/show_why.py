"""The answer of `why` as sentences and one table of stages."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]


def show_why(console: Console, service: str, decisions: list[Json]) -> None:
    """decisions: as `/api/v1/decisions` answers, newest first; the newest is shown whole."""
    if not decisions:
        console.print(Text(f"No rule has judged {service} yet: does any rule select it?"))
        return
    newest, *older = decisions
    console.print(Text(newest["sentence"], style="bold"))
    console.print(Text(f"{newest['time']}  rule {newest['rule']}  reason {newest['reason']}"))
    if newest["stages"]:
        console.print(_stages(newest["stages"]))
    if newest["inputs"]:
        console.print(_inputs(newest["inputs"]))
    for condition in newest["conditions"]:
        state = "True" if condition["status"] else "False"
        line = f"{condition['type']}={state} {condition['reason']}"
        console.print(Text(f"  {line}: {condition['message']}", style="dim"))
    if older:
        console.print(Text("before that", style="bold"))
    for decision in older:
        console.print(Text(f"  {decision['time']}  {decision['sentence']}"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _stages(stages: list[Json]) -> Table:
    table = Table("stage", "replicas", "note", box=None, pad_edge=False)
    for stage in stages:
        table.add_row(stage["name"], _number(stage["value"]), Text(stage["note"]))
    return table


def _inputs(inputs: list[Json]) -> Table:
    table = Table("metric", "task", "value", "used", "note", box=None, pad_edge=False)
    for item in inputs:
        table.add_row(
            item["metric"],
            Text(item["task_id"]),
            _number(item["value"]),
            "yes" if item["used"] else "no",
            Text(item["note"]),
        )
    return table
