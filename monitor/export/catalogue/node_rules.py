"""Node rules and what they came to, by node."""

from collections.abc import Iterable

from monitor.export.family import Family, Generator, Kind, MetricType, Sample
from monitor.export.rows import NodeRuleStateRow, NodeRuleTotalsRow

PRESENT = "on managers, for node rules and the nodes they select"

_PAIR = ("rule", "node_name")


def _actions(row: NodeRuleTotalsRow) -> Iterable[Sample]:
    return [
        ((row.rule, row.node_name, action, outcome), count)
        for (action, outcome), count in sorted(row.actions.items())
    ]


def _blocked(row: NodeRuleTotalsRow) -> Iterable[Sample]:
    return [
        ((row.rule, row.node_name, reason), count) for reason, count in sorted(row.blocked.items())
    ]


def _last_action(row: NodeRuleTotalsRow) -> Iterable[Sample]:
    at = row.last_action
    return [((row.rule, row.node_name), at)] if at is not None else ()


NODE_RULE_TOTALS_KIND: Kind[NodeRuleTotalsRow] = Kind(
    "node_rule_totals",
    (
        Generator(
            Family(
                "swarm_rule_node_actions_total",
                MetricType.COUNTER,
                "Actions of the rule on the node by what became of them.",
                (*_PAIR, "action", "outcome"),
                present="on the agent that acted, once it did",
            ),
            _actions,
        ),
        Generator(
            Family(
                "swarm_rule_node_action_blocked_total",
                MetricType.COUNTER,
                "Evaluations and writes of the rule on the node that were held back, by reason.",
                (*_PAIR, "reason"),
                present=f"{PRESENT}, once held back",
            ),
            _blocked,
        ),
        Generator(
            Family(
                "swarm_rule_node_last_action_timestamp_seconds",
                MetricType.GAUGE,
                "When the rule last acted on the node.",
                _PAIR,
                present="on the agent that acted, once it did",
            ),
            _last_action,
        ),
    ),
)


def _decisions(row: NodeRuleStateRow) -> Iterable[Sample]:
    names = dict.fromkeys(("none", row.decision))
    return [((row.rule, row.node_name, name), int(name == row.decision)) for name in names]


def _until(row: NodeRuleStateRow) -> Iterable[Sample]:
    until = row.drained_until
    return [((row.rule, row.node_name), until)] if until is not None else ()


NODE_RULE_STATE_KIND: Kind[NodeRuleStateRow] = Kind(
    "node_rule_state",
    (
        Generator(
            Family(
                "swarm_rule_node_decision",
                MetricType.GAUGE,
                "What the rule's newest decision on the node is: 1 for that one.",
                (*_PAIR, "decision"),
                present=f"{PRESENT}, while in touch with the Swarm",
            ),
            _decisions,
        ),
        Generator(
            Family(
                "swarm_rule_node_drained_until_timestamp_seconds",
                MetricType.GAUGE,
                "When the node, which the rule drained, is taken back.",
                _PAIR,
                present="on managers, while a rule has the node drained",
            ),
            _until,
        ),
    ),
)
