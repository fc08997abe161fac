"""The answer of `ps` as a table: what `docker service ps` prints, and why tasks ended."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]

# Ends that somebody wanted.
_QUIET = frozenset(
    {"scaled_down", "update", "rollback", "restart_rule", "drain", "exit_zero"},
)
_COLUMNS = ("id", "slot", "node", "image", "desired", "state", "since", "exit", "cause", "evidence")
_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def show_ps(console: Console, tasks: list[Json], now: datetime | None = None) -> None:
    """tasks: as `/api/v1/ps` answers. now: for how long ago something was; this moment's."""
    if not tasks:
        console.print("no tasks")
        return
    moment = now or datetime.now(UTC)  # noqa: TID251 - the command shows ages to a person
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in _COLUMNS:
        table.add_column(column, overflow="fold")
    for task in tasks:
        table.add_row(*_row(task, moment))
    console.print(table)
    for task in tasks:
        _show_log(console, task)


def _show_log(console: Console, task: Json) -> None:
    """Below the table; nothing where logs were not asked for, or it runs."""
    log = task.get("log")
    if log is None:
        return
    console.print()
    place = "" if task["slot"] is None else f", slot {task['slot']}"
    why = f": {log['why']}" if log["why"] else ""
    what = f"log of {task['task_id'][:12]}{place}{why}"
    console.print(Text(what, style="dim" if why else "bold"))
    for line in log["lines"]:
        console.print(Text(f"  {line}"), soft_wrap=True)


def _row(task: Json, now: datetime) -> tuple[str | Text, ...]:
    cause = task["cause"] or ""
    return (
        task["task_id"][:12],
        "" if task["slot"] is None else str(task["slot"]),
        escape(task["node"]),
        escape(task["image"].partition("@")[0]),
        task["desired_state"],
        task["state"],
        _ago(task["since"], now),
        "" if task["exit_code"] is None else str(task["exit_code"]),
        Text(cause, style="" if cause in _QUIET else "red"),
        Text(task["evidence"]),
    )


def _ago(since: str, now: datetime) -> str:
    seconds = max((now - datetime.fromisoformat(since)).total_seconds(), 0.0)
    for size, unit in _STEPS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
