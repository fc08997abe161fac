"""From what a rule file says to the values that decisions are made by."""

from monitor.model.rule import (
    AllOf,
    AnyOf,
    AnyRule,
    Backoff,
    Basis,
    Budget,
    ConditionKind,
    RestartRule,
    RuleMode,
    TaskCondition,
    When,
)
from monitor.model.selector import Selector
from monitor.rulefile.convert_scale import quantity, scale_rule
from monitor.rulefile.models import RuleModel
from monitor.rulefile.restart_model import ConditionModel, RestartModel
from monitor.rulefile.selector_model import StackOrLabel


def rule_of(model: RuleModel, source: str) -> AnyRule:
    """`source` is `file:line`."""
    selector = _selector(model)
    if model.scale is not None:
        return scale_rule(model.name, selector, model.mode, source, model.scale)
    assert model.restart is not None, "the model admits rules with scale or restart alone"
    return restart_rule(model.name, selector, model.mode, source, model.restart)


def restart_rule(
    name: str, selector: Selector, mode: RuleMode, source: str, model: RestartModel
) -> RestartRule:
    return RestartRule(
        name=name,
        selector=selector,
        mode=mode,
        source=source,
        when=_when(model.when),
        action=model.action,
        budget=Budget(model.budget.count, model.budget.within),
        backoff=Backoff(model.backoff.initial, model.backoff.max),
    )


def _selector(model: RuleModel) -> Selector:
    services, exclude = model.services, model.exclude
    if isinstance(services, StackOrLabel):
        if services.stack is not None:
            return Selector(stack=services.stack, exclude=exclude)
        key, sign, value = (services.label or "").partition("=")
        return Selector(label=(key, value if sign else None), exclude=exclude)
    return Selector(names=services, exclude=exclude)


def _when(model: ConditionModel) -> When:
    if model.any_of is not None:
        return AnyOf(tuple(_when(inner) for inner in model.any_of))
    if model.all_of is not None:
        return AllOf(tuple(_when(inner) for inner in model.all_of))
    assert model.for_ is not None, "the model admits a condition with for alone"
    of = model.of or Basis.LIMIT
    if model.memory_above is not None:
        threshold = quantity(model.memory_above, of)
        return TaskCondition(ConditionKind.MEMORY_ABOVE, threshold, model.for_)
    assert model.cpu_above is not None, "the model admits memory_above or cpu_above"
    return TaskCondition(ConditionKind.CPU_ABOVE, quantity(model.cpu_above, of), model.for_)
