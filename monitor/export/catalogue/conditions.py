"""HorizontalPodAutoscaler's conditions of scale rules, by service."""

from collections.abc import Iterable

from monitor.export.family import Family, Generator, Kind, MetricType, Sample, Stability
from monitor.export.rows import RuleConditionsRow

CONDITIONS = ("AbleToScale", "ScalingActive", "ScalingLimited", "Fallback", "Flapping")
STATUSES = ("true", "false", "unknown")


def _conditions(row: RuleConditionsRow) -> Iterable[Sample]:
    """Dense: each type has all its statuses, 1 for the one that is."""
    return [
        ((row.rule, row.service_name, type_, status), int(status == row.status_of(type_)))
        for type_ in CONDITIONS
        for status in STATUSES
    ]


RULE_CONDITIONS_KIND: Kind[RuleConditionsRow] = Kind(
    "rule_conditions",
    (
        Generator(
            Family(
                "swarm_rule_condition",
                MetricType.GAUGE,
                "Conditions of a scale rule on the service, as a HorizontalPodAutoscaler has them: "
                "1 for the status (true, false, unknown) of each type.",
                ("rule", "service_name", "type", "status"),
                Stability.EXPERIMENTAL,
                "on managers, for scale rules and services they select, "
                "while in touch with the Swarm",
            ),
            _conditions,
        ),
    ),
)
