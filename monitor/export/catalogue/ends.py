"""What tasks came to, as the acting agent knows it."""

from collections.abc import Iterable

from monitor.export.facts import AgentFacts
from monitor.export.family import Family, Generator, MetricType, Sample, Stability

_PRESENT = "on the acting agent, once there was one"

RECOVERY_SECONDS = Family(
    "swarm_service_recovery_seconds",
    MetricType.HISTOGRAM,
    "Time from a task's end that nobody wanted until a task ran in its slot again.",
    ("service_name",),
    Stability.EXPERIMENTAL,
    _PRESENT,
)

_ENDS = Family(
    "swarm_task_ends_total",
    MetricType.COUNTER,
    "Ended tasks by why they ended, since this agent started.",
    ("service_name", "cause"),
    Stability.EXPERIMENTAL,
    _PRESENT,
)


def _ends(facts: AgentFacts) -> Iterable[Sample]:
    return () if facts.ends is None else sorted(facts.ends.ends.items())


END_GENERATORS: tuple[Generator[AgentFacts], ...] = (Generator(_ENDS, _ends),)
