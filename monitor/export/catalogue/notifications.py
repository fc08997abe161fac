"""What became of what people were to be told."""

from collections.abc import Callable, Iterable

from monitor.export.facts import AgentFacts, NotificationFacts
from monitor.export.family import Family, Generator, MetricType, Sample, Stability

_PRESENT = "with --notify"


def _each(
    name: str, kind: MetricType, text: str, value: Callable[[NotificationFacts], int]
) -> Generator[AgentFacts]:
    family = Family(name, kind, text, ("target",), Stability.EXPERIMENTAL, _PRESENT)

    def samples(facts: AgentFacts) -> Iterable[Sample]:
        return [((one.target,), value(one)) for one in facts.notifications]

    return Generator(family, samples)


def _dropped(facts: AgentFacts) -> Iterable[Sample]:
    return [
        ((one.target, why), count)
        for one in facts.notifications
        for why, count in sorted(one.dropped.items())
    ]


NOTIFICATION_GENERATORS: tuple[Generator[AgentFacts], ...] = (
    _each(
        "swarm_agent_notifications_sent_total",
        MetricType.COUNTER,
        "Messages to people that their target took.",
        lambda one: one.sent,
    ),
    _each(
        "swarm_agent_notification_failures_total",
        MetricType.COUNTER,
        "Tries to send a message that failed; it is tried again unless it was rejected.",
        lambda one: one.failed,
    ),
    Generator(
        Family(
            "swarm_agent_notifications_dropped_total",
            MetricType.COUNTER,
            "Messages that were given up: full, too_old or rejected.",
            ("target", "reason"),
            Stability.EXPERIMENTAL,
            _PRESENT,
        ),
        _dropped,
    ),
    _each(
        "swarm_agent_notifications_waiting",
        MetricType.GAUGE,
        "Messages that wait to be sent.",
        lambda one: one.waiting,
    ),
)
