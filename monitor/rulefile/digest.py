"""One name for what a set of rules says, whatever files it came from."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from monitor.model.rule import AnyRule, NodeRule, RuleSet


def rule_set(rules: Iterable[AnyRule | NodeRule]) -> RuleSet:
    """Rules in the order of their names, with the SHA-256 of their content.

    Files, positions, order of rules and spelling (`90s` or `1m30s`) make no difference.
    """
    ordered = tuple(sorted(rules, key=lambda rule: rule.name))
    content = [{"kind": type(rule).__name__, **asdict(rule), "source": ""} for rule in ordered]
    for entry, rule in zip(content, ordered, strict=True):
        entry["selector"]["names"] = sorted(set(rule.selector.names))
        entry["selector"]["exclude"] = sorted(set(rule.selector.exclude))
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return RuleSet(
        tuple(rule for rule in ordered if not isinstance(rule, NodeRule)),
        hashlib.sha256(canonical.encode()).hexdigest(),
        tuple(rule for rule in ordered if isinstance(rule, NodeRule)),
    )
