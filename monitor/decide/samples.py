"""What a decision says of each task's sample: used, or ignored and why."""

from collections.abc import Iterator, Mapping, Sequence

from monitor.decide import words
from monitor.decide.readiness import Group, TaskFacts, Terms
from monitor.model.decision import Input
from monitor.model.usage import Sample


def seen(
    metric: str,
    facts: Sequence[TaskFacts],
    samples: Mapping[str, Sample],
    grouped: Group,
    terms: Terms,
) -> tuple[Input, ...]:
    """One input per task, in the tasks' order."""
    used = frozenset(grouped.ready)
    return tuple(_inputs(metric, facts, samples, used, terms))


def _inputs(
    metric: str,
    facts: Sequence[TaskFacts],
    samples: Mapping[str, Sample],
    used: frozenset[str],
    terms: Terms,
) -> Iterator[Input]:
    for fact in facts:
        sample = samples.get(fact.id)
        value = None if sample is None else sample.value
        if fact.id in used:
            yield Input(metric, fact.id, value, True)
        else:
            yield Input(metric, fact.id, value, False, _why_not(fact, sample, terms))


def _why_not(fact: TaskFacts, sample: Sample | None, terms: Terms) -> str:
    if fact.id in terms.waiting:
        return "waits for a node"
    if fact.gone:
        return "its node is down"
    if not fact.running:
        return "does not run yet"
    if sample is None:
        return "no sample"
    if fact.sampled_at is None:
        if sample.age > terms.tuning.stale_after:
            return f"sample is {words.duration(sample.age)} old"
        return "sample is no number"
    if fact.warm_at > terms.now:
        left = words.duration(fact.warm_at - terms.now)
        if terms.warm_up is None:
            return f"within its health check's start period for another {left}"
        return f"warms up for another {left}"
    return "too fresh to judge"
