"""From what `restart:`, `rebalance:` and `node:` say to rules."""

from monitor.model.condition import (
    Cron,
    Exits,
    HealthFlapping,
    NumberBeyond,
    OlderThan,
    OomKills,
    Restarted,
    StuckIn,
    UnhealthyFor,
)
from monitor.model.rule import (
    AllOf,
    AnyOf,
    Backoff,
    Basis,
    Breaker,
    Budget,
    ConditionKind,
    FailingHere,
    Leaf,
    NodeCondition,
    NodeConditionKind,
    NodeLeaf,
    NodeRule,
    RebalanceRule,
    RestartRule,
    RuleMode,
    TaskCondition,
    When,
)
from monitor.model.scalar import NO_CREDENTIALS, Credentials, PrometheusQuery
from monitor.model.selector import NodeSelector, Selector
from monitor.rulefile.condition_model import ConditionModel
from monitor.rulefile.convert_scale import quantity
from monitor.rulefile.node_model import NodeConditionModel, NodeModel
from monitor.rulefile.number_condition import NumberModel
from monitor.rulefile.rebalance_model import RebalanceModel
from monitor.rulefile.restart_model import BudgetModel, RestartModel


def restart_rule(
    name: str, selector: Selector, mode: RuleMode, source: str, model: RestartModel
) -> RestartRule:
    numbers: list[str] = []
    given = RestartRule(name=name, selector=selector, mode=mode, source=source, when=AnyOf(()))
    return RestartRule(
        name=name,
        selector=selector,
        mode=mode,
        source=source,
        when=_when(model.when, numbers),
        action=model.action,
        budget=_budget(model.budget),
        backoff=Backoff(model.backoff.initial, model.backoff.max),
        breaker=(
            given.breaker
            if model.breaker is None
            else Breaker(model.breaker.after, model.breaker.within)
        ),
        quiet_after_deploy=model.quiet_after_deploy,
        at_once=given.at_once if model.at_once is None else model.at_once,
    )


def _budget(model: BudgetModel) -> Budget:
    return Budget(model.count, model.within)


def _when(model: ConditionModel, numbers: list[str]) -> When:
    """numbers: names that are given to numbers so far."""
    if model.any_of is not None:
        return AnyOf(tuple(_when(inner, numbers) for inner in model.any_of))
    if model.all_of is not None:
        return AllOf(tuple(_when(inner, numbers) for inner in model.all_of))
    if model.prometheus is not None:
        assert model.for_ is not None, "the model admits prometheus with for alone"
        return _number(model.prometheus, model.for_, numbers)
    return _usage(model) or _of_task(model) or _of_service(model)


def _usage(model: ConditionModel) -> TaskCondition | None:
    of = model.of or Basis.LIMIT
    for kind, amount in (
        (ConditionKind.MEMORY_ABOVE, model.memory_above),
        (ConditionKind.CPU_ABOVE, model.cpu_above),
        (ConditionKind.CPU_BELOW, model.cpu_below),
    ):
        if amount is not None:
            assert model.for_ is not None, "the model admits usage with for alone"
            return TaskCondition(kind, quantity(amount, of), model.for_)
    return None


def _of_task(model: ConditionModel) -> Leaf | None:
    if model.unhealthy_for is not None:
        return UnhealthyFor(model.unhealthy_for)
    if model.health_flapping is not None:
        return HealthFlapping(model.health_flapping.count, model.health_flapping.within)
    if model.stuck_in is not None:
        assert model.for_ is not None, "the model admits stuck_in with for alone"
        return StuckIn(model.stuck_in, model.for_)
    return None if model.older_than is None else OlderThan(model.older_than)


def _of_service(model: ConditionModel) -> Leaf:
    if model.oom_kills is not None:
        return OomKills(model.oom_kills.count, model.oom_kills.within)
    if model.exits is not None:
        codes = tuple(sorted(set(model.exits.codes)))
        return Exits(model.exits.count, model.exits.within, codes)
    if isinstance(model.cron, str):
        return Cron(model.cron)
    if model.cron is not None:
        return Cron(model.cron.expression, model.cron.timezone, model.cron.within)
    assert model.restarted is not None, "the model admits a condition of a known kind alone"
    return Restarted(model.restarted)


def _number(model: NumberModel, lasts: float, numbers: list[str]) -> NumberBeyond:
    name = model.name or "prometheus"
    count = sum(one == name or one.startswith(f"{name}_") for one in numbers)
    unique = name if not count else f"{name}_{count + 1}"
    numbers.append(unique)
    auth = model.auth
    credentials = NO_CREDENTIALS
    if auth is not None:
        credentials = Credentials(auth.bearer_token_file, auth.username, auth.password_file)
    source = PrometheusQuery(
        model.query, model.address, credentials, model.timeout, model.interval, model.empty_is
    )
    bound = model.above if model.above is not None else model.below
    assert bound is not None, "the model admits a number with a bound alone"
    return NumberBeyond(unique, source, bound, model.above is not None, lasts)


def rebalance_rule(
    name: str, selector: Selector, mode: RuleMode, source: str, model: RebalanceModel
) -> RebalanceRule:
    skew = model.when.skew_above
    return RebalanceRule(
        name=name,
        selector=selector,
        mode=mode,
        source=source,
        skew_above=1 if skew is None else skew,
        for_seconds=model.when.for_,
        node_joined=model.when.node_joined,
        budget=_budget(model.budget),
        quiet_after_deploy=model.quiet_after_deploy,
    )


def node_rule(
    name: str, selector: NodeSelector, mode: RuleMode, source: str, model: NodeModel
) -> NodeRule:
    given = model.when.any_of or (model.when,)
    rule = NodeRule(
        name=name,
        selector=selector,
        mode=mode,
        source=source,
        any_of=tuple(_of_node(one) for one in given),
        action=model.action,
        budget=_budget(model.budget),
    )
    if model.drain_for is None:
        return rule
    return NodeRule(
        name=name,
        selector=selector,
        mode=mode,
        source=source,
        any_of=rule.any_of,
        action=model.action,
        drain_for=model.drain_for,
        budget=rule.budget,
    )


def _of_node(model: NodeConditionModel) -> NodeLeaf:
    if model.down_for is not None:
        return NodeCondition(NodeConditionKind.DOWN_FOR, 1.0, model.down_for)
    if model.tasks_failing_here is not None:
        return FailingHere(model.tasks_failing_here.count, model.tasks_failing_here.within)
    assert model.for_ is not None, "the model admits usage with for alone"
    if model.memory_above is not None:
        return NodeCondition(NodeConditionKind.MEMORY_ABOVE, model.memory_above, model.for_)
    assert model.disk_above is not None, "the model admits a condition of a known kind alone"
    return NodeCondition(NodeConditionKind.DISK_ABOVE, model.disk_above, model.for_)
