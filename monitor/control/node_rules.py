"""Which node rules are about which node, and who takes back what a rule drained."""

from collections.abc import Iterable

from monitor.model.node import Node
from monitor.model.rule import NodeAction, NodeRule, RuleMode
from monitor.model.selector import NodeSelector


def rules_on(node: Node, rules: Iterable[NodeRule], drained_by: str | None) -> list[NodeRule]:
    """Those that are about it.

    drained_by: the rule that drained it, None where none has. That one takes it back whatever
    became of it since: it may be off, on a dry run, about other nodes or gone by now, and the
    node would stay drained for ever.
    """
    found = [one for one in rules if one.mode is not RuleMode.OFF and one.selector.matches(node)]
    if drained_by is None:
        return found
    acts = any(one.name == drained_by and one.mode is RuleMode.ACT for one in found)
    if acts and any(one.name == drained_by and one.action is NodeAction.DRAIN for one in found):
        return found
    return [*(one for one in found if one.name != drained_by), keeper(drained_by)]


def keeper(name: str) -> NodeRule:
    """In place of a rule that drains no more: it waits for the end of what was drained."""
    return NodeRule(name=name, selector=NodeSelector(names=()), any_of=(), action=NodeAction.DRAIN)


def takes_back(rule: NodeRule) -> bool:
    """Whether it is such a keeper, which no file can withdraw."""
    return not rule.any_of
