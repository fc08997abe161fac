"""How far labels may go: they come from whoever may deploy a stack."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monitor.model.rule import AnyRule, RestartRule, ScaleRule
from monitor.model.scalar import NO_CREDENTIALS, JsonUrl, PrometheusQuery
from monitor.model.schedule import Schedule
from monitor.model.sources import sources_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCeilings:
    """The operator's word on rules in service labels.

    enabled: whether labels are looked at at all.
    max_replicas: no rule from labels asks for more.
    allow_urls: whether they may name servers for the agent to ask. The agent may reach what
        those who deploy stacks must not, so this is off.
    allow_restart: whether they may restart their service.
    """

    enabled: bool = True
    max_replicas: int = 20
    allow_urls: bool = False
    allow_restart: bool = True


def refused(rule: AnyRule, ceilings: LabelCeilings) -> Iterator[str]:
    """Clauses on what no rule from labels may do. Secrets stay out of their reach for good:
    whoever names both a file and a server could have the one sent to the other."""
    if isinstance(rule, RestartRule) and not ceilings.allow_restart:
        yield "restarts by labels are switched off in the agent's settings: use a rule file"
        return
    for name, source in sources_of(rule).items():
        if not isinstance(source, PrometheusQuery | JsonUrl):
            continue
        if source.credentials != NO_CREDENTIALS:
            yield f"metric {name}: auth is refused in labels: use a rule file"
        if isinstance(source, JsonUrl) and not ceilings.allow_urls:
            yield (
                f"metric {name}: http is refused in labels, which may not name servers to "
                "ask: use a rule file"
            )
        if isinstance(source, PrometheusQuery) and source.address and not ceilings.allow_urls:
            yield (
                f"metric {name}: address is refused in labels, which may not name servers "
                "to ask: remove it, the agent's own Prometheus is asked"
            )


def cut(rule: AnyRule, ceilings: LabelCeilings) -> tuple[AnyRule, tuple[str, ...]]:
    """The rule within the ceilings, and what had to be changed for that."""
    if not isinstance(rule, ScaleRule):
        return rule, ()
    most = ceilings.max_replicas
    fallback = rule.fallback
    if fallback is not None:
        fallback = replace(fallback, replicas=min(fallback.replicas, most))
    within = replace(
        rule,
        min=min(rule.min, most),
        max=min(rule.max, most),
        fallback=fallback,
        schedules=tuple(_schedule(schedule, most) for schedule in rule.schedules),
    )
    if within == rule:
        return rule, ()
    asked = max([rule.max, *(s.max or s.min or 0 for s in rule.schedules)])
    text = (
        f"its labels ask for up to {asked} replicas, the agent's settings allow {most} for rules "
        f"from labels: {most} is taken"
    )
    return within, (text,)


def _schedule(schedule: Schedule, most: int) -> Schedule:
    low, high = schedule.min, schedule.max
    return replace(
        schedule,
        min=None if low is None else min(low, most),
        max=None if high is None else min(high, most),
    )
