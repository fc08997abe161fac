"""Writes docs/metrics.md from the catalogue: `python -m monitor.export.document`."""

import sys
from collections.abc import Iterable

from monitor.export.budget import DEFAULT_MAX_SERIES
from monitor.export.catalogue.agent import AGENT_FAMILIES, FOREIGN_FAMILIES
from monitor.export.catalogue.conditions import RULE_CONDITIONS_KIND
from monitor.export.catalogue.node_rules import NODE_RULE_STATE_KIND, NODE_RULE_TOTALS_KIND
from monitor.export.catalogue.nodes import CLUSTER_KIND, node_kind
from monitor.export.catalogue.rules import RULE_KIND, RULE_STATE_KIND, RULE_TOTALS_KIND
from monitor.export.catalogue.services import service_kind
from monitor.export.catalogue.tasks import SLOT_KIND, task_kind
from monitor.export.catalogue.usage import usage_kind
from monitor.export.family import Family, TaskLabels

_INTRODUCTION = f"""\
# Metrics

Generated from the catalogue by `python -m monitor.export.document`; a test holds the two equal.

`/metrics` speaks the Prometheus text format 0.0.4 and OpenMetrics 1.0, by the `Accept` header,
and gzip. `?name[]=swarm_task_state` asks for single metrics. In text format an info metric is
shown as a gauge.

* **Every agent** exports what the tasks on its own node use, and itself. **The agent that acts**
  also exports the Swarm: services, tasks, nodes. So nothing is there twice; queries of the
  Swarm's series should aggregate `without (instance)`, since they move when another agent takes
  over, and counters start at zero there.
* While the agent is out of touch with the Swarm, the Swarm's series and the rules' newest
  decisions are left out. Old values are never shown as current.
* Units are base units: seconds, bytes, cores. `_timestamp_seconds` are Unix times.
* **STABLE** names and labels go no earlier than two minor versions after notice.
  **EXPERIMENTAL** ones may change in any version.
* `slot` is the slot's number, or the node's id for global services.
* Of tasks those are exported that have not ended, and of each slot the newest that ended.
  `swarm_service_tasks` counts all that the Swarm still keeps.
* Docker labels are exported by allow-list alone, as `label_` and the key, `_` for all else than
  letters and digits; keys that come to the same name get `_conflict1`, `_conflict2`.
* Values longer than 1024 characters are cut; control characters become U+FFFD. Beyond
  {DEFAULT_MAX_SERIES:,} series whole objects are left out and counted in
  `swarm_agent_series_dropped_total`.
* Failures and restarts of tasks are counted from the agent's start, and for services created
  later from their first task; what happened before is history and counts nothing.
"""

_SLOT_NOTE = """\
Tasks can be told apart by slot instead of task id, which bounds the number of series however
often tasks are replaced. `task_id`, `service_id` and `container_id` are left out then:
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _labels(family: Family) -> str:
    names = [f"`{label}`" for label in family.labels]
    if family.open_labels:
        names.append("`label_*`")
    return ", ".join(names)


def _table(families: Iterable[Family]) -> str:
    lines = [
        "| name | type | labels | stability | meaning | present |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{family.name}` | {family.type} | {_labels(family)} | {family.stability} "
        f"| {_cell(family.help)} | {_cell(family.present)} |"
        for family in families
    ]
    return "\n".join(lines) + "\n"


def _slot_table() -> str:
    families = (*task_kind(TaskLabels.SLOT).families, *usage_kind(TaskLabels.SLOT).families)
    by_labels: dict[str, list[str]] = {}
    for family in families:
        by_labels.setdefault(_labels(family), []).append(f"`{family.name}`")
    lines = ["| labels by slot | metrics |", "|---|---|"]
    lines += [f"| {labels} | {', '.join(names)} |" for labels, names in by_labels.items()]
    return "\n".join(lines) + "\n"


def _foreign_table() -> str:
    lines = ["| name | type | labels | meaning |", "|---|---|---|---|"]
    for name, kind, labels, meaning in FOREIGN_FAMILIES:
        shown = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{name}` | {kind} | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def document() -> str:
    """The whole of docs/metrics.md."""
    rule_kinds = (
        *(RULE_KIND, RULE_TOTALS_KIND, RULE_STATE_KIND, RULE_CONDITIONS_KIND),
        *(NODE_RULE_TOTALS_KIND, NODE_RULE_STATE_KIND),
    )
    rules = [family for kind in rule_kinds for family in kind.families]
    sections = (
        ("Tasks", (*task_kind().families, *SLOT_KIND.families)),
        ("Services", service_kind().families),
        ("Nodes and the Swarm", (*node_kind().families, *CLUSTER_KIND.families)),
        ("Usage of tasks", usage_kind().families),
        ("Rules", rules),
        ("The agent", AGENT_FAMILIES),
    )
    parts = [_INTRODUCTION]
    parts += [f"## {title}\n\n{_table(families)}" for title, families in sections]
    parts.append(
        "The process and its Python, where prometheus_client can tell (Linux, CPython):\n\n"
        + _foreign_table()
    )
    parts.append(f"## Series by slot\n\n{_SLOT_NOTE}\n{_slot_table()}")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(document())
