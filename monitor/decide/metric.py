"""One metric of a rule, judged on the samples of a service's tasks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.decide import words
from monitor.decide.combine import Proposal, Source
from monitor.decide.measure import Mean, Measure, Share
from monitor.decide.proposal import Counting, Fault, Tolerance, Wanted, per_task
from monitor.decide.readiness import Group, TaskFacts, facts_of, group, least_span
from monitor.decide.request import missing_request, request_of
from monitor.model.decision import Input
from monitor.model.rule import Basis, Metric, ScaleRule
from monitor.model.task import Task
from monitor.model.usage import MetricKind, Sample, Usage
from monitor.model.view import ServiceView

_UNITS = {MetricKind.CPU: 1e9, MetricKind.MEMORY: 1.0}  # nano-cores and bytes, as whole numbers
_LEAST_SHARE = 1e-6  # percent; nothing is divided by zero
_NOTES = {
    "missing": "no sample",
    "unready": "too fresh to judge",
    "ignored": "on its way out",
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """A metric with all it is judged on. `basis` is what a share is really of."""

    rule: ScaleRule
    metric: Metric
    view: ServiceView
    samples: Mapping[str, Sample]
    basis: tuple[float, Basis] | None
    now: float


def relevant_tasks(view: ServiceView) -> tuple[Task, ...]:
    """Tasks that the Swarm wants and that have not ended, in an order of their own."""
    live = [task for task in view.tasks if task.live]
    live.sort(key=lambda task: (task.slot or 0, task.node_id, task.id))
    return tuple(live)


def judge_metric(
    rule: ScaleRule,
    metric: Metric,
    view: ServiceView,
    tasks: Sequence[Task],
    usage: Usage,
    *,
    now: float,
) -> tuple[Proposal, tuple[Input, ...]]:
    """`tasks` as from `relevant_tasks`. The inputs say of every task whether it counted."""
    of = metric.target.of
    basis = request_of(view.service, metric.kind, of) if of is not None else None
    samples = usage.samples.get(metric.name, {})
    scene = _Scene(rule, metric, view, samples, basis, now)
    facts = [
        facts_of(view, task, samples.get(task.id), rule.tuning, window=metric.window, now=now)
        for task in tasks
    ]
    grouped = group(facts, now, rule.tuning, cpu=metric.kind is MetricKind.CPU)
    inputs = _inputs(scene, facts, grouped)
    if of is not None and basis is None:
        sentence = missing_request(view.service, metric.kind, of, metric.target.value)
        return _fault(metric, Fault.MISSING_REQUEST, sentence, grouped), inputs
    return _propose(scene, facts, grouped), inputs


def _propose(scene: _Scene, facts: Sequence[TaskFacts], grouped: Group) -> Proposal:
    metric = scene.metric
    calm = _ask(scene, grouped, {t: scene.samples[t].value for t in _sampled(facts)})
    if isinstance(calm, Fault):
        return _fault(metric, calm, _no_sample(scene, grouped), grouped)
    wanted, rising = calm, False
    fast = {
        task: value
        for task, value in ((t, scene.samples[t].rising) for t in _sampled(facts))
        if value is not None and math.isfinite(value)
    }
    if fast:
        merged = {t: fast.get(t, scene.samples[t].value) for t in _sampled(facts)}
        quick = _ask(scene, grouped, merged)
        floor = max(calm.replicas, scene.view.service.replicas or 0)
        if isinstance(quick, Wanted) and quick.replicas > floor:
            wanted, rising = quick, True
    return Proposal(
        metric=metric.name,
        source=Source.RESOURCE,
        outcome=wanted,
        text=_level(scene, wanted, rising=rising),
        missing=grouped.missing,
        unready=grouped.unready,
        rising=rising,
        recheck=_recheck(scene, grouped),
    )


def _sampled(facts: Sequence[TaskFacts]) -> list[str]:
    return [fact.id for fact in facts if fact.sampled_at is not None]


def _ask(scene: _Scene, grouped: Group, values: Mapping[str, float]) -> Wanted | Fault:
    rule, metric = scene.rule, scene.metric
    unit, whole = _UNITS[metric.kind], rule.tuning.whole_percent
    measure: Measure
    if scene.basis is not None:
        request = round(scene.basis[0] * unit)
        everyone = (*grouped.ready, *grouped.unready, *grouped.missing)
        share = max(_LEAST_SHARE, round(metric.target.value * 100, 6))
        measure = Share(dict.fromkeys(everyone, request), share, whole)
    else:
        measure = Mean(max(1, round(metric.target.value * unit)), whole)
    counting = Counting(
        current=scene.view.service.replicas or 0,
        tolerance=Tolerance(rule.scale_down.tolerance, rule.scale_up.tolerance),
        count=rule.count,
        never_against_load=rule.tuning.never_against_load,
    )
    whole_values = {task: max(0, round(value * unit)) for task, value in values.items()}
    return per_task(whole_values, grouped, measure, counting)


def _level(scene: _Scene, wanted: Wanted, *, rising: bool) -> str:
    metric, level = scene.metric, wanted.level.level
    lately = f" over the last {words.duration(metric.rising_window)}" if rising else ""
    if scene.basis is not None:
        share, of = words.percent(level), scene.basis[1].value
        target = words.percent(metric.target.value * 100)
        return f"{metric.name} is at {share} of its {of}{lately}, target {target}"
    unit = _UNITS[metric.kind]
    used = words.amount(metric.kind, level / unit)
    target = words.amount(metric.kind, metric.target.value)
    return f"{metric.name} is at {used} per task{lately}, target {target}"


def _fault(metric: Metric, fault: Fault, text: str, grouped: Group) -> Proposal:
    return Proposal(metric.name, Source.RESOURCE, fault, text, grouped.missing, grouped.unready)


def _no_sample(scene: _Scene, grouped: Group) -> str:
    name, metric = scene.view.service.name, scene.metric.name
    if grouped.missing:
        return f"there is no {metric} sample of {name}'s {words.tasks(len(grouped.missing))}"
    if grouped.unready:
        starting = words.tasks(len(grouped.unready))
        return f"{starting} of {name} started too recently for a {metric} sample"
    return f"{name} has no running task whose {metric} could be measured"


def _recheck(scene: _Scene, grouped: Group) -> float | None:
    least = least_span(scene.metric.window, scene.rule.tuning)
    spans = (scene.samples[t].span for t in grouped.unready if t in scene.samples)
    return min((least - span for span in spans if 0 < span < least), default=None)


def _inputs(scene: _Scene, facts: Sequence[TaskFacts], grouped: Group) -> tuple[Input, ...]:
    notes = dict.fromkeys(grouped.missing, _NOTES["missing"])
    notes.update(dict.fromkeys(grouped.unready, _NOTES["unready"]))
    notes.update(dict.fromkeys(grouped.ignored, _NOTES["ignored"]))
    result = []
    for fact in facts:
        sample = scene.samples.get(fact.id)
        note = notes.get(fact.id, "")
        if note and sample is not None and fact.sampled_at is None:
            note = f"sample is {words.duration(sample.age)} old"
        elif note and not fact.running:
            note = "does not run yet"
        elif fact.gone:
            note = "its node is down"
        value = sample.value if sample is not None else None
        result.append(Input(scene.metric.name, fact.id, value, not note, note))
    return tuple(result)
