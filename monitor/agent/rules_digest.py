"""One name for everything that decides what an agent would do: its rules and its settings."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from monitor.agent.settings import Settings
from monitor.model.rule import RuleSet
from monitor.rulefile.label_limits import LabelCeilings

DECIDING = frozenset({"dry_run", "labels", "prometheus", "writes_per_minute", "restarts_at_once"})
"""The settings that change what is decided or done, and so must be the same on all managers."""


def acting_digest(rules: RuleSet, settings: Settings) -> str:
    """64 hex digits, equal where two agents would do the same with the same Swarm in front of them.

    Files, addresses, folders, secrets and what is only shown make no difference: each agent has
    its own. Ceilings of labels make none where labels are not looked at.
    """
    facts: dict[str, Any] = {name: getattr(settings, name) for name in DECIDING}
    facts["labels"] = _ceilings(settings.labels)
    facts["prometheus"] = (settings.prometheus or "").rstrip("/")  # as it is asked
    facts["rules"] = rules.digest
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _ceilings(labels: LabelCeilings) -> dict[str, Any]:
    return asdict(labels) if labels.enabled else {"enabled": False}
