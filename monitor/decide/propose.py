"""All metrics of a rule, each judged by itself."""

from monitor.decide.combine import Proposal
from monitor.decide.metric import gather, judge_metric, relevant_tasks
from monitor.decide.numbers import Numbers
from monitor.decide.scalar import judge_scalar
from monitor.model.decision import Input
from monitor.model.rule import Metric, ScaleRule
from monitor.model.scalar import ScalarMetric
from monitor.model.usage import Usage
from monitor.model.view import ServiceView

Judged = tuple[tuple[Proposal, ...], tuple[Input, ...]]


def propose(rule: ScaleRule, view: ServiceView, usage: Usage, now: float) -> Judged:
    """Proposals of the metrics with a target, and what was seen of all; `now` is monotonic.

    At zero replicas there is no usage of tasks, which is no failure: only numbers can wake it.
    """
    tasks = relevant_tasks(view)
    gathered = {
        metric.name: gather(rule, metric, view, tasks, usage.samples.get(metric.name, {}), now=now)
        for metric in rule.metrics
        if isinstance(metric, Metric)
    }
    numbers = Numbers(rule, view, usage, gathered)
    proposals: list[Proposal] = []
    inputs: list[Input] = []
    for metric in rule.metrics:
        if isinstance(metric, ScalarMetric):
            inputs.append(numbers.input(metric))
            if metric.target is not None:
                read = numbers.of(metric.name)
                proposals.append(judge_scalar(rule, view, metric, metric.target, read))
            continue
        inputs += gathered[metric.name].inputs
        if metric.target is not None and view.service.replicas:
            proposals.append(judge_metric(rule, view, gathered[metric.name], metric.target))
    return tuple(proposals), tuple(inputs)
