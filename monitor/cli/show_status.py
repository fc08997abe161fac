"""The answer of `status` as tables."""

from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]


def show_status(console: Console, status: Json) -> None:
    """status: as `/api/v1/status` answers."""
    for part in status_parts(status):
        console.print(part)


def status_parts(status: Json) -> list[RenderableType]:
    """What is shown, one below the other."""
    parts: list[RenderableType] = []
    for agent in status["agents"]:
        state = "acts" if agent["acting"] else "watches"
        line = f"agent on {agent['node_name'] or '?'} ({agent['role']}) {state}"
        parts.append(Text(line + (f": {agent['message']}" if agent["message"] else "")))
    parts += [Text(f"{pause['sentence']}.", style="yellow") for pause in status["pauses"]]
    parts += [Text(f"rule files: {problem}", style="red") for problem in status["problems"]]
    parts += [_services(status["services"]), _nodes(status["nodes"])]
    if status["rules"]:
        parts.append(_rules(status["rules"]))
    return parts


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _services(services: list[Json]) -> Table:
    table = _table("services", "name", "tasks", "cpu", "memory", "update", "last decision")
    for service in services:
        short = service["running"] < service["desired"]
        last = service["last_decision"]
        table.add_row(
            escape(service["name"]),
            Text(f"{service['running']}/{service['desired']}", style="red" if short else ""),
            "" if service["cpu"] is None else f"{service['cpu']:.2f}",
            "" if service["memory"] is None else f"{service['memory'] / 2**20:.0f} MiB",
            service["update_state"] or "",
            Text("" if last is None else last["sentence"]),
        )
    return table


def _nodes(nodes: list[Json]) -> Table:
    table = _table("nodes", "name", "role", "state", "availability", "tasks", "engine")
    for node in nodes:
        role = node["role"] + (" (leader)" if node["leader"] else "")
        bad = node["state"] != "ready"
        table.add_row(
            escape(node["name"]),
            role,
            Text(node["state"], style="red" if bad else ""),
            _availability(node),
            str(node["tasks"]),
            node["engine_version"],
        )
    return table


def _availability(node: Json) -> str:
    if not node.get("drained_by"):
        return str(node["availability"])
    until = node.get("drained_until")
    return escape(
        f"{node['availability']} by {node['drained_by']}" + (f" until {until}" if until else "")
    )


def _rules(rules: list[Json]) -> Table:
    table = _table("rules", "name", "kind", "mode", "services", "where", "problems")
    for rule in rules:
        table.add_row(
            escape(rule["name"]),
            rule["kind"],
            rule["mode"],
            escape(", ".join(rule["services"] or rule.get("nodes", ()))),
            escape(rule["source"]),
            Text("; ".join(rule["problems"]), style="yellow"),
        )
    return table
