"""From what a rule file says to the values that decisions are made by."""

from monitor.model.rule import AnyRule, NodeRule
from monitor.model.selector import NodeSelector, Selector
from monitor.rulefile.convert_restart import node_rule, rebalance_rule, restart_rule
from monitor.rulefile.convert_scale import scale_rule
from monitor.rulefile.models import RuleModel
from monitor.rulefile.node_model import RoleOrLabel
from monitor.rulefile.selector_model import StackOrLabel


def rule_of(model: RuleModel, source: str) -> AnyRule | NodeRule:
    """`source` is `file:line`."""
    if model.node is not None:
        return node_rule(model.name, _node_selector(model), model.mode, source, model.node)
    selector = _selector(model)
    if model.scale is not None:
        return scale_rule(model.name, selector, model.mode, source, model.scale)
    if model.rebalance is not None:
        return rebalance_rule(model.name, selector, model.mode, source, model.rebalance)
    assert model.restart is not None, "the model admits rules that do one thing alone"
    return restart_rule(model.name, selector, model.mode, source, model.restart)


def _selector(model: RuleModel) -> Selector:
    services, exclude = model.services, model.exclude
    assert services is not None, "the model admits rules about services with services alone"
    if isinstance(services, StackOrLabel):
        if services.stack is not None:
            return Selector(stack=services.stack, exclude=exclude)
        return Selector(label=_label(services.label), exclude=exclude)
    return Selector(names=services, exclude=exclude)


def _node_selector(model: RuleModel) -> NodeSelector:
    nodes, exclude = model.nodes, model.exclude
    if nodes is None:
        return NodeSelector(exclude=exclude)
    if isinstance(nodes, RoleOrLabel):
        if nodes.role is not None:
            return NodeSelector(role=nodes.role, exclude=exclude)
        return NodeSelector(label=_label(nodes.label), exclude=exclude)
    return NodeSelector(names=nodes, exclude=exclude)


def _label(text: str | None) -> tuple[str, str | None]:
    key, sign, value = (text or "").partition("=")
    return key, value if sign else None
