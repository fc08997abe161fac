"""What people set while the agent runs, and what they asked for in vain."""

from collections.abc import Callable, Iterable

from monitor.export.facts import AgentFacts, OperatorFacts
from monitor.export.family import Family, Generator, MetricType, Sample, Stability


def _fact(
    family: Family, value: Callable[[OperatorFacts], Iterable[Sample]]
) -> Generator[AgentFacts]:
    def samples(facts: AgentFacts) -> Iterable[Sample]:
        return value(facts.operator) if facts.operator is not None else ()

    return Generator(family, samples)


def _number(
    name: str, help_text: str, value: Callable[[OperatorFacts], int]
) -> Generator[AgentFacts]:
    family = Family(name, MetricType.GAUGE, help_text, stability=Stability.EXPERIMENTAL)
    return _fact(family, lambda facts: [((), value(facts))])


OPERATOR_GENERATORS: tuple[Generator[AgentFacts], ...] = (
    _fact(
        Family(
            "swarm_rule_paused",
            MetricType.GAUGE,
            "A pause in force: of a service, of a rule or of all (without a name); always 1.",
            ("scope", "name"),
            Stability.EXPERIMENTAL,
            "while something is paused",
        ),
        lambda facts: [(pause, 1) for pause in facts.pauses],
    ),
    _fact(
        Family(
            "swarm_agent_api_refusals_total",
            MetricType.COUNTER,
            "Requests that would change something and were refused, by reason.",
            ("reason",),
            Stability.EXPERIMENTAL,
        ),
        lambda facts: [((reason,), count) for reason, count in sorted(facts.refusals.items())],
    ),
    _number(
        "swarm_agent_writes_per_minute_limit",
        "Ceiling of writes to the Swarm in any minute.",
        lambda facts: facts.writes_per_minute,
    ),
    _number(
        "swarm_agent_writes_last_minute",
        "Writes to the Swarm that count for the ceiling: of the last minute, and under way.",
        lambda facts: facts.writes_counted,
    ),
    _number(
        "swarm_agent_writes_waiting",
        "Services whose write waits for room under the ceiling.",
        lambda facts: facts.writes_waiting,
    ),
    _number(
        "swarm_agent_restarts_at_once_limit",
        "Limit of tasks of the whole Swarm that rules may restart at once.",
        lambda facts: facts.restarts_at_once,
    ),
    _number(
        "swarm_agent_restarts_under_way",
        "Tasks that rules have restarted or moved and that do not run again yet.",
        lambda facts: facts.restarts_under_way,
    ),
    _number(
        "swarm_agent_restarts_waiting",
        "Services whose restart waits for room under that limit.",
        lambda facts: facts.restarts_waiting,
    ),
)
