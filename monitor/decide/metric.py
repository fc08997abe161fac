"""One metric of a rule, judged on the samples of a service's tasks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.decide import words
from monitor.decide.band import Band, ratios
from monitor.decide.combine import Activity, Proposal, Source, active_above
from monitor.decide.measure import Mean, Measure, Share
from monitor.decide.proposal import Counting, Fault, Tolerance, Wanted, per_task
from monitor.decide.readiness import Group, TaskFacts, Terms, facts_of, group, least_span
from monitor.decide.request import missing_request, request_of
from monitor.decide.samples import seen
from monitor.decide.waiting import stuck
from monitor.model.decision import Input
from monitor.model.rule import Basis, Metric, Quantity, ScaleRule
from monitor.model.scalar import ScalarMetric
from monitor.model.task import Task
from monitor.model.usage import MetricKind, Sample
from monitor.model.view import ServiceView

# Whole numbers of nano-cores, bytes, and bytes per second.
UNITS = {
    MetricKind.CPU: 1e9,
    MetricKind.MEMORY: 1.0,
    MetricKind.NETWORK_RECEIVE: 1.0,
    MetricKind.NETWORK_TRANSMIT: 1.0,
}
_LEAST_SHARE = 1e-6  # percent; nothing is divided by zero


@dataclass(frozen=True, slots=True)
class Gathered:
    """The samples of a metric and which of the tasks count; `grouped` holds their classes."""

    metric: Metric
    samples: Mapping[str, Sample]
    facts: Sequence[TaskFacts]
    grouped: Group
    terms: Terms
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class _Scene:
    """A metric with all it is judged on. `basis` is what a share is really of."""

    rule: ScaleRule
    view: ServiceView
    gathered: Gathered
    target: Quantity
    basis: tuple[float, Basis] | None
    counting: Counting

    @property
    def metric(self) -> Metric:
        return self.gathered.metric


def relevant_tasks(view: ServiceView) -> tuple[Task, ...]:
    """Tasks that the Swarm wants and that have not ended, in an order of their own."""
    live = [task for task in view.tasks if task.live]
    live.sort(key=lambda task: (task.slot or 0, task.node_id, task.id))
    return tuple(live)


def gather(
    rule: ScaleRule,
    metric: Metric,
    view: ServiceView,
    tasks: Sequence[Task],
    samples: Mapping[str, Sample],
    *,
    now: float,
) -> Gathered:
    """`tasks` as from `relevant_tasks`. The inputs say of every task whether it counted."""
    terms = Terms(rule.tuning, now, metric.window, rule.warm_up, stuck(view, now))
    facts = [facts_of(view, task, samples.get(task.id), terms) for task in tasks]
    grouped = group(facts, now, rule.tuning, cpu=metric.kind is MetricKind.CPU)
    inputs = seen(metric.name, facts, samples, grouped, terms)
    return Gathered(metric, samples, facts, grouped, terms, inputs)


def judge_metric(
    rule: ScaleRule, view: ServiceView, gathered: Gathered, target: Quantity
) -> Proposal:
    metric = gathered.metric
    basis = request_of(view.service, metric.kind, target.of) if target.of is not None else None
    if target.of is not None and basis is None:
        sentence = missing_request(view.service, metric.kind, target.of, target.value)
        return _fault(gathered, Fault.MISSING_REQUEST, sentence)
    counting = counting_of(rule, view)
    return _propose(_Scene(rule, view, gathered, target, basis, counting))


def counting_of(rule: ScaleRule, view: ServiceView) -> Counting:
    return Counting(
        current=view.service.replicas or 0,
        tolerance=Tolerance(rule.scale_down.tolerance, rule.scale_up.tolerance),
        count=rule.count,
        never_against_load=rule.tuning.never_against_load,
        noise=rule.tuning.noise,
        strangers=rule.tuning.strangers,
    )


def _propose(scene: _Scene) -> Proposal:
    gathered, samples = scene.gathered, scene.gathered.samples
    grouped = gathered.grouped
    sampled = {fact.id: samples[fact.id] for fact in gathered.facts if fact.sampled_at is not None}
    calm = _ask(scene, {task: sample.value for task, sample in sampled.items()})
    if isinstance(calm, Fault):
        return _fault(gathered, calm, _no_sample(scene))
    wanted, rising = calm, False
    fast = {task: _rising(sample) for task, sample in sampled.items()}
    if any(fast[task] > sample.value for task, sample in sampled.items()):
        quick = _ask(scene, fast)
        floor = max(calm.replicas, scene.counting.current)
        if isinstance(quick, Wanted) and quick.replicas > floor:
            wanted, rising = quick, True
    return Proposal(
        metric=scene.metric.name,
        source=Source.RESOURCE,
        outcome=wanted,
        text=_level(scene, wanted, rising=rising),
        missing=grouped.missing,
        unready=grouped.unready,
        rising=rising,
        recheck=_recheck(gathered),
        activity=_activity(scene, wanted),
        band=_band(scene),
    )


def _rising(sample: Sample) -> float:
    rising = sample.rising
    return sample.value if rising is None or not math.isfinite(rising) else rising


def _ask(scene: _Scene, values: Mapping[str, float]) -> Wanted | Fault:
    unit, whole = UNITS[scene.metric.kind], scene.rule.tuning.whole_percent
    grouped = scene.gathered.grouped
    measure: Measure
    if scene.basis is not None:
        request = round(scene.basis[0] * unit)
        everyone = (task for members in grouped.everyone for task in members)
        share = max(_LEAST_SHARE, round(scene.target.value * 100, 6))
        measure = Share(dict.fromkeys(everyone, request), share, whole)
    else:
        measure = Mean(max(1, round(scene.target.value * unit)), whole)
    whole_values = {task: max(0, round(value * unit)) for task, value in values.items()}
    return per_task(whole_values, grouped, measure, scene.counting)


def _level(scene: _Scene, wanted: Wanted, *, rising: bool) -> str:
    metric, level = scene.metric, wanted.level.level
    lately = f" over the last {words.duration(metric.rising_window)}" if rising else ""
    target = _spell(scene, scene.target.value)
    if scene.basis is not None:
        share, of = words.percent(level), scene.basis[1].value
        return f"{metric.name} is at {share} of its {of}{lately}, target {target}"
    used = words.amount(metric.kind, level / UNITS[metric.kind])
    return f"{metric.name} is at {used} per task{lately}, target {target}"


def _spell(scene: _Scene, value: float) -> str:
    """`value` in the target's terms."""
    if scene.basis is not None:
        return words.percent(value * 100)
    return words.amount(scene.metric.kind, value)


def _band(scene: _Scene) -> Band:
    counted = scene.counting.tasks(len(scene.gathered.grouped.ready))
    low, high = (ratio * scene.target.value for ratio in ratios(scene.counting, counted))
    if scene.basis is not None:
        return Band(words.edge(low * 100) if low > 0 else "", words.edge(high * 100))
    kind = scene.metric.kind
    return Band(words.amount(kind, low) if low > 0 else "", words.amount(kind, high))


def _activity(scene: _Scene, wanted: Wanted) -> Activity | None:
    """Usage alone never puts a service to sleep: at zero replicas there is none to wake it."""
    metric = scene.metric
    if not any(isinstance(one, ScalarMetric) and one.target is not None
               for one in scene.rule.metrics):  # fmt: skip
        return Activity(True, "no metric of the rule could wake it again")
    if metric.activation is None:
        return None
    per_unit = 100.0 if scene.basis is not None else UNITS[metric.kind]
    level, least = wanted.level.level / per_unit, metric.activation
    spelled = _spell(scene, level), _spell(scene, least)
    return active_above(metric.name, *spelled, active=level > least)


def _fault(gathered: Gathered, fault: Fault, text: str) -> Proposal:
    return Proposal(gathered.metric.name, Source.RESOURCE, fault, text)


def _no_sample(scene: _Scene) -> str:
    name, metric = scene.view.service.name, scene.metric.name
    grouped = scene.gathered.grouped
    if grouped.missing:
        return f"there is no {metric} sample of {name}'s {words.tasks(len(grouped.missing))}"
    if grouped.unready:
        starting = words.tasks(len(grouped.unready))
        return f"{starting} of {name} started too recently for a {metric} sample"
    return f"{name} has no running task whose {metric} could be measured"


def _recheck(gathered: Gathered) -> float | None:
    """Until the first unready task has been running or sampled for long enough."""
    unready = gathered.grouped.unready
    if not unready:
        return None
    terms = gathered.terms
    least = least_span(gathered.metric.window, terms.tuning)
    waits = [
        max(least - fact.span if 0 < fact.span < least else 0.0, fact.warm_at - terms.now)
        for fact in gathered.facts
        if fact.id in unready
    ]
    return min((wait for wait in waits if wait > 0), default=None)
