"""Rules and what they came to, by service; the agent's own counts of them."""

from collections.abc import Callable, Iterable

from monitor.export.family import Family, Generator, Kind, MetricType, Sample
from monitor.export.rows import RuleRow, RuleStateRow, RuleTotalsRow

PRESENT = "on managers, for rules and services they select"
USUAL = ("none", "scale_up", "scale_down", "restart_service")
"""Decisions with a series at any time; the others have one while they are made."""

_PAIR = ("rule", "service_name")

RULE_KIND: Kind[RuleRow] = Kind(
    "rule",
    (
        Generator(
            Family(
                "swarm_rule_evaluations_total",
                MetricType.COUNTER,
                "Times the rule was evaluated, over all services.",
                ("rule",),
                present=PRESENT,
            ),
            lambda row: [((row.rule,), row.evaluations)],
        ),
    ),
)


def _decisions(row: RuleStateRow) -> tuple[str, ...]:
    if row.decision is None:
        return ()
    return USUAL if row.decision in USUAL else (*USUAL, row.decision)


def _actions(row: RuleTotalsRow) -> Iterable[Sample]:
    return [
        ((row.rule, row.service_name, action, outcome), count)
        for (action, outcome), count in sorted(row.actions.items())
    ]


def _blocked(row: RuleTotalsRow) -> Iterable[Sample]:
    return [
        ((row.rule, row.service_name, reason), count)
        for reason, count in sorted(row.blocked.items())
    ]


def _last_action(row: RuleTotalsRow) -> Iterable[Sample]:
    at = row.last_action
    return [((row.rule, row.service_name), at)] if at is not None else ()


RULE_TOTALS_KIND: Kind[RuleTotalsRow] = Kind(
    "rule_totals",
    (
        Generator(
            Family(
                "swarm_rule_actions_total",
                MetricType.COUNTER,
                "Actions of the rule on the service by what became of them.",
                (*_PAIR, "action", "outcome"),
                present="on the agent that acted, once it did",
            ),
            _actions,
        ),
        Generator(
            Family(
                "swarm_rule_action_blocked_total",
                MetricType.COUNTER,
                "Evaluations and writes of the rule on the service that were held back, by reason.",
                (*_PAIR, "reason"),
                present=f"{PRESENT}, once held back",
            ),
            _blocked,
        ),
        Generator(
            Family(
                "swarm_rule_last_action_timestamp_seconds",
                MetricType.GAUGE,
                "When the rule last acted on the service.",
                _PAIR,
                present="on the agent that acted, once it did",
            ),
            _last_action,
        ),
    ),
)


def _number(
    name: str, help_text: str, value: Callable[[RuleStateRow], int | None], when: str = ""
) -> Generator[RuleStateRow]:
    def samples(row: RuleStateRow) -> Iterable[Sample]:
        number = value(row)
        return [((row.rule, row.service_name), number)] if number is not None else ()

    present = f"{PRESENT}{when}, while in touch with the Swarm"
    return Generator(Family(name, MetricType.GAUGE, help_text, _PAIR, present=present), samples)


RULE_STATE_KIND: Kind[RuleStateRow] = Kind(
    "rule_state",
    (
        Generator(
            Family(
                "swarm_rule_decision",
                MetricType.GAUGE,
                "What the rule's newest decision on the service is: 1 for that one.",
                (*_PAIR, "decision"),
                present=f"{PRESENT}, while in touch with the Swarm",
            ),
            lambda row: [
                ((row.rule, row.service_name, decision), int(decision == row.decision))
                for decision in _decisions(row)
            ],
        ),
        _number(
            "swarm_rule_desired_replicas",
            "Replicas the rule wants the service to have, also where it is held back.",
            lambda row: row.desired,
        ),
        _number(
            "swarm_rule_replicas_min",
            "The rule's lower bound.",
            lambda row: row.min,
            ", scale rules alone",
        ),
        _number(
            "swarm_rule_replicas_max",
            "The rule's upper bound.",
            lambda row: row.max,
            ", scale rules alone",
        ),
        Generator(
            Family(
                "swarm_rule_input_value",
                MetricType.GAUGE,
                "Mean of the samples that the newest decision used, in cores or bytes per task.",
                (*_PAIR, "metric"),
                present=f"{PRESENT}, while in touch with the Swarm and samples are there",
            ),
            lambda row: [
                ((row.rule, row.service_name, metric), value)
                for metric, value in sorted(row.inputs.items())
            ],
        ),
    ),
)
