"""What an agent says of its decisions, beside those that it made."""

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulated.dst.process import FleetProcess

Outcomes = Counter[tuple[str, str, str]]
"""By rule, service and outcome how often."""

_ACTIONS = re.compile(r"^swarm_rule_actions_total\{([^}]*)\} (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def unsaid(process: "FleetProcess") -> str:
    """The first rule and service of which the newest decision cannot be asked for, "" if none."""
    book = process.core.controller.book
    kept = {(one.decision.rule, one.decision.subject_id): one.decision.id for one in book.latest()}
    services = process.world.swarm.store.services
    for (rule, name), decision in process.latest.items():
        key = rule, decision.subject_id
        if decision.service_id in services and key in kept and kept[key] != decision.id:
            return f"the newest decision of {rule} on {name} is {decision.id}, kept: {kept[key]}"
    return ""


def counted(text: str) -> Outcomes:
    """Of the actions that /metrics tells of."""
    found: Outcomes = Counter()
    for labels, value in _ACTIONS.findall(text):
        of = dict(_LABEL.findall(labels))
        found[of["rule"], of["service_name"], of["outcome"]] += int(float(value))
    return found


def miscounted(before: Outcomes, shown: Outcomes, after: Outcomes) -> str:
    """before, after: what became of writes when the scrape began, and when it was answered.

    Less after than before: the rule has gone meanwhile, and what is told of it with it.
    """
    for key in sorted(before.keys() | shown.keys() | after.keys()):
        least, most = sorted((before[key], after[key]))
        if not least <= shown[key] <= most:
            return f"{shown[key]} actions of {' '.join(key)}, and there were {after[key]}"
    return ""
