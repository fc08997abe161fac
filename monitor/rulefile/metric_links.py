"""What the metrics of one rule must have among each other: names, formulas, a way from zero."""

import keyword
import re
from collections.abc import Sequence

from monitor.model.formula import FUNCTIONS, check_formula, names_in
from monitor.rulefile.base import Within
from monitor.rulefile.number_metrics import FormulaModel, HttpModel, PrometheusModel
from monitor.rulefile.usage_metrics import CpuModel, MetricModel, NetworkModel

Fault = tuple[Within, str]
Models = Sequence[MetricModel]

_PARSERS_WORDS = re.compile(r"cannot be read \(.*?\);")
_WANTED = {
    "cpu": '"target: 60%" or "cores: 0.5"',
    "memory": '"target: 700MiB" or "target: 80%"',
    "network_receive": '"target: 10MiB/s"',
    "network_transmit": '"target: 10MiB/s"',
}


def names_of(metrics: Models) -> tuple[str, ...]:
    """As given, or the type; the second of a type without a name is `cpu_2`, the third `cpu_3`."""
    names: list[str] = []
    for index, metric in enumerate(metrics):
        kind = type_of(metric)
        count = 1 + sum(1 for earlier in metrics[:index] if type_of(earlier) == kind)
        names.append(metric.name or (kind if count == 1 else f"{kind}_{count}"))
    return tuple(names)


def link_faults(metrics: Models) -> list[Fault]:
    """Names given twice, formulas over what there is not, inputs that nothing uses."""
    names = names_of(metrics)
    if faults := [*_name_faults(metrics, names), *_formula_faults(metrics, names)]:
        return faults
    used = {name for metric in metrics for name in _inputs(metric)}
    return [
        (("metrics", index), _unused(metric, name))
        for index, (metric, name) in enumerate(zip(metrics, names, strict=True))
        if not has_target(metric) and name not in used
    ]


def can_wake(metrics: Models) -> bool:
    """Whether some metric can be above its activation while no task runs."""
    by_name = dict(zip(names_of(metrics), metrics, strict=True))
    outside = {n for n, m in by_name.items() if isinstance(m, PrometheusModel | HttpModel)}
    return any(
        has_target(metric) and (name in outside or not outside.isdisjoint(_inputs(metric)))
        for name, metric in by_name.items()
    )


def has_target(metric: MetricModel) -> bool:
    cores = metric.cores if isinstance(metric, CpuModel) else None
    return cores is not None or getattr(metric, "target", None) is not None


def type_of(metric: MetricModel) -> str:
    kind = getattr(metric, "type", "")
    return str(kind)


def _inputs(metric: MetricModel) -> tuple[str, ...]:
    return names_in(metric.formula) if isinstance(metric, FormulaModel) else ()


def _name_faults(metrics: Models, names: Sequence[str]) -> list[Fault]:
    faults: list[Fault] = []
    for index, (metric, name) in enumerate(zip(metrics, names, strict=True)):
        place: Within = ("metrics", index, "name") if metric.name else ("metrics", index)
        if metric.name and (name in FUNCTIONS or keyword.iskeyword(name)):
            faults.append((place, f'"{name}" is a word of formulas: give it another name'))
        elif (first := names.index(name)) != index:
            text = f'"{name}" is also the name of metrics[{first}]: write another name'
            faults.append((place, text))
    return faults


def _formula_faults(metrics: Models, names: Sequence[str]) -> list[Fault]:
    measured = [
        name
        for name, metric in zip(names, metrics, strict=True)
        if not isinstance(metric, FormulaModel)
    ]
    faults: list[Fault] = []
    for index, metric in enumerate(metrics):
        if not isinstance(metric, FormulaModel):
            continue
        place = ("metrics", index, "formula")
        if (problem := check_formula(metric.formula, names)) is not None:
            faults.append((place, _PARSERS_WORDS.sub("cannot be read;", problem, count=1)))
        elif (problem := check_formula(metric.formula, measured)) is not None:
            faults.append((place, "must speak of no formula, itself or another: write it out"))
        elif not _inputs(metric):
            faults.append((place, "speaks of no metric: write names of other metrics of the rule"))
    return faults


def _unused(metric: MetricModel, name: str) -> str:
    wanted = _WANTED.get(type_of(metric), '"target: 100"')
    text = f"target is missing: write {wanted}"
    if isinstance(metric, CpuModel | NetworkModel) and metric.name is None:
        return text
    return f"{text}, or use {name} in a formula"
