"""`/`: one page for people, rendered here, without scripts."""

from collections.abc import Iterable
from html import escape

from aiohttp import web

from monitor.web.keys import STATE
from monitor.web.present import rfc3339
from monitor.web.state import ServiceStatus, Status

REFRESH_SECONDS = 5

_NOTHING = "-"

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 76rem;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 1.6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884;
  vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; } td.number { text-align: right; white-space: nowrap; }
.bad { color: #c33; font-weight: 600; } .quiet { opacity: .65; }
"""


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>\n"


def _cell(text: object, class_: str = "") -> str:
    """A table cell; `text` is escaped here and nowhere else."""
    attribute = f' class="{class_}"' if class_ else ""
    return f"<td{attribute}>{escape(str(text))}</td>"


def _table(titles: Iterable[str], rows: Iterable[str], empty: str) -> str:
    body = "".join(rows)
    if not body:
        return f'<p class="quiet">{escape(empty)}</p>\n'
    heads = "".join(f"<th>{escape(title)}</th>" for title in titles)
    return f"<table>\n<tr>{heads}</tr>\n{body}</table>\n"


def _mib(value: float | None) -> str:
    return f"{value / 2**20:,.0f} MiB" if value is not None else _NOTHING


def _service(service: ServiceStatus) -> str:
    decision = service.last_decision
    short = service.running < service.desired
    said = (
        f"{rfc3339(decision.time.wall)} {decision.sentence}" if decision is not None else _NOTHING
    )
    return _row(
        (
            _cell(service.name),
            _cell(service.mode),
            _cell(f"{service.running} of {service.desired}", "number bad" if short else "number"),
            _cell(f"{service.cpu:.2f}" if service.cpu is not None else _NOTHING, "number"),
            _cell(_mib(service.memory), "number"),
            _cell(service.update_state or _NOTHING),
            _cell(", ".join(service.rules) or _NOTHING),
            _cell(said),
        )
    )


def _services(status: Status) -> str:
    titles = ("service", "mode", "running", "cores/task", "memory/task", "update", "rules",
              "last decision")  # fmt: skip
    rows = map(_service, sorted(status.services, key=lambda service: service.name))
    return _table(titles, rows, "No services are known here; managers know them.")


def _nodes(status: Status) -> str:
    titles = ("node", "role", "state", "availability", "running tasks", "engine")
    rows = (
        _row(
            (
                _cell(node.name),
                _cell(f"{node.role}, leader" if node.leader else node.role),
                _cell(node.state, "" if node.state == "ready" else "bad"),
                _cell(node.availability),
                _cell(node.tasks, "number"),
                _cell(node.engine_version),
            )
        )
        for node in sorted(status.nodes, key=lambda node: node.name)
    )
    return _table(titles, rows, "No nodes are known here; managers know them.")


def _rules(status: Status) -> str:
    rows = (
        _row(
            (
                _cell(rule.name),
                _cell(rule.kind),
                _cell(rule.mode),
                _cell(", ".join(rule.services or rule.nodes) or _NOTHING),
                _cell("; ".join(rule.problems) or _NOTHING, "bad" if rule.problems else ""),
                _cell(rule.source, "quiet"),
            )
        )
        for rule in status.rules
    )
    titles = ("rule", "does", "mode", "services", "problems", "source")
    return _table(titles, rows, "No rules are loaded.")


def _agents(status: Status) -> str:
    rows = (
        _row(
            (
                _cell(agent.node_name),
                _cell(agent.role),
                _cell("yes" if agent.acting else "no"),
                _cell("yes" if agent.ready else "no", "" if agent.ready else "bad"),
                _cell(agent.version),
                _cell(agent.message),
            )
        )
        for agent in status.agents
    )
    return _table(("agent on", "role", "acts", "ready", "version", ""), rows, "None.")


def render_page(status: Status, not_ready: str | None) -> str:
    """The whole page; every text from outside is escaped."""
    paused = (f"{pause.sentence}." for pause in status.pauses)
    notes = [text for text in (not_ready, *paused, *status.problems) if text]
    shown = "".join(f'<p class="bad">{escape(text)}</p>\n' for text in notes)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="{REFRESH_SECONDS}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>swarm-monitor</title><style>{STYLE}</style></head><body>
<h1>swarm-monitor</h1>
{shown}<h2>Services</h2>
{_services(status)}<h2>Nodes</h2>
{_nodes(status)}<h2>Rules</h2>
{_rules(status)}<h2>Agents</h2>
<p>Acting: {escape(status.actor or "nobody")}</p>
{_agents(status)}<p class="quiet">Renewed every {REFRESH_SECONDS} s.
<a href="/metrics">metrics</a> · <a href="/api/v1/status">status</a> ·
<a href="/api/v1/decisions">decisions</a> · <a href="/readyz">readiness</a></p>
</body></html>
"""


async def page(request: web.Request) -> web.Response:
    state = request.app[STATE]
    text = render_page(state.status(), state.not_ready())
    return web.Response(text=text, content_type="text/html")
