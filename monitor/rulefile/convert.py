"""From what a rule file says to the values that decisions are made by."""

from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    AllOf,
    AnyOf,
    AnyRule,
    Backoff,
    Basis,
    Behavior,
    Budget,
    ConditionKind,
    Metric,
    Policy,
    Quantity,
    RestartRule,
    ScaleRule,
    TaskCondition,
    When,
)
from monitor.model.selector import Selector
from monitor.model.usage import MetricKind
from monitor.rulefile.fields import Amount
from monitor.rulefile.models import RuleModel
from monitor.rulefile.restart_model import ConditionModel
from monitor.rulefile.scale_model import (
    MetricModel,
    PolicyModel,
    ScaleDownModel,
    ScaleUpModel,
)
from monitor.rulefile.selector_model import StackOrLabel


def rule_of(model: RuleModel, source: str) -> AnyRule:
    """`source` is `file:line`."""
    selector = _selector(model)
    if model.scale is not None:
        return ScaleRule(
            name=model.name,
            selector=selector,
            mode=model.mode,
            source=source,
            min=model.scale.min,
            max=model.scale.max,
            metrics=_metrics(model.scale.metrics),
            scale_up=_behavior(model.scale.scale_up, SCALE_UP_DEFAULT),
            scale_down=_behavior(model.scale.scale_down, SCALE_DOWN_DEFAULT),
            missing_samples=model.scale.missing_samples,
        )
    restart = model.restart
    assert restart is not None, "the model admits rules with scale or restart alone"
    return RestartRule(
        name=model.name,
        selector=selector,
        mode=model.mode,
        source=source,
        when=_when(restart.when),
        action=restart.action,
        budget=Budget(restart.budget.count, restart.budget.within),
        backoff=Backoff(restart.backoff.initial, restart.backoff.max),
    )


def _selector(model: RuleModel) -> Selector:
    services, exclude = model.services, model.exclude
    if isinstance(services, StackOrLabel):
        if services.stack is not None:
            return Selector(stack=services.stack, exclude=exclude)
        key, sign, value = (services.label or "").partition("=")
        return Selector(label=(key, value if sign else None), exclude=exclude)
    return Selector(names=services, exclude=exclude)


def _metrics(models: tuple[MetricModel, ...]) -> tuple[Metric, ...]:
    """The first of a kind is named after it, the next ones `cpu-2`, `cpu-3`."""
    metrics: list[Metric] = []
    for model in models:
        kind = MetricKind(model.type.value)
        count = 1 + sum(1 for metric in metrics if metric.kind is kind)
        name = kind.value if count == 1 else f"{kind.value}-{count}"
        if model.target is not None:
            target = _quantity(model.target, model.of or Basis.AUTO)
        else:
            assert model.cores is not None, "the model admits a target or cores"
            target = Quantity(model.cores)
        metrics.append(Metric(name=name, kind=kind, target=target))
    return tuple(metrics)


def _quantity(amount: Amount, of: Basis) -> Quantity:
    return Quantity(amount.value, of if amount.is_share else None)


def _behavior(model: ScaleUpModel | ScaleDownModel, default: Behavior) -> Behavior:
    return Behavior(
        stabilization_window=model.stabilization_window,
        policies=default.policies if model.policies is None else _policies(model.policies),
        tolerance=model.tolerance,
        select_policy=model.select_policy,
    )


def _policies(models: tuple[PolicyModel, ...]) -> tuple[Policy, ...]:
    return tuple(Policy(model.type, model.value, model.period) for model in models)


def _when(model: ConditionModel) -> When:
    if model.any_of is not None:
        return AnyOf(tuple(_when(inner) for inner in model.any_of))
    if model.all_of is not None:
        return AllOf(tuple(_when(inner) for inner in model.all_of))
    assert model.for_ is not None, "the model admits a condition with for alone"
    of = model.of or Basis.LIMIT
    if model.memory_above is not None:
        threshold = _quantity(model.memory_above, of)
        return TaskCondition(ConditionKind.MEMORY_ABOVE, threshold, model.for_)
    assert model.cpu_above is not None, "the model admits memory_above or cpu_above"
    return TaskCondition(ConditionKind.CPU_ABOVE, _quantity(model.cpu_above, of), model.for_)
