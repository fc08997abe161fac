"""From what `scale:` says to a scale rule."""

from typing import assert_never

from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    AnyMetric,
    Basis,
    Behavior,
    Metric,
    Policy,
    Quantity,
    RuleMode,
    ScaleRule,
)
from monitor.model.scalar import (
    NO_CREDENTIALS,
    Credentials,
    Formula,
    JsonUrl,
    NumberSource,
    PrometheusQuery,
    ScalarMetric,
    TasksPending,
)
from monitor.model.schedule import Fallback, Schedule
from monitor.model.selector import Selector
from monitor.model.usage import MetricKind
from monitor.rulefile.any_metric import AnyMetricModel
from monitor.rulefile.behavior_model import PolicyModel, ScaleDownModel, ScaleUpModel
from monitor.rulefile.fields import Amount
from monitor.rulefile.metric_links import names_of
from monitor.rulefile.number_metrics import (
    AuthModel,
    FormulaModel,
    HttpModel,
    PrometheusModel,
    TasksPendingModel,
)
from monitor.rulefile.scale_model import ScaleModel
from monitor.rulefile.schedule_model import FallbackModel, ScheduleModel
from monitor.rulefile.usage_metrics import CpuModel, MemoryModel, NetworkModel


def scale_rule(
    name: str, selector: Selector, mode: RuleMode, source: str, model: ScaleModel
) -> ScaleRule:
    names = names_of(model.metrics)
    return ScaleRule(
        name=name,
        selector=selector,
        mode=mode,
        source=source,
        min=model.min,
        max=model.max,
        metrics=tuple(_metric(n, m) for n, m in zip(names, model.metrics, strict=True)),
        scale_up=_behavior(model.scale_up, SCALE_UP_DEFAULT),
        scale_down=_behavior(model.scale_down, SCALE_DOWN_DEFAULT),
        missing_samples=model.missing_samples,
        count=model.count,
        warm_up=model.warm_up,
        fallback=_fallback(model.fallback),
        schedules=tuple(_schedule(schedule) for schedule in model.schedules),
        after_deploy_reset=model.after_deploy_reset,
        max_direction_changes=model.max_direction_changes,
    )


def quantity(amount: Amount, of: Basis) -> Quantity:
    return Quantity(amount.value, of if amount.is_share else None)


def _metric(name: str, model: AnyMetricModel) -> AnyMetric:
    match model:
        case CpuModel():
            target = _cpu_target(model)
            active = model.activation.value if model.activation else None
            return Metric(name, MetricKind.CPU, target, model.window, model.rising, active)
        case MemoryModel():
            of = model.of or Basis.AUTO
            wanted = quantity(model.target, of) if model.target else None
            active = model.activation.value if model.activation else None
            return Metric(name, MetricKind.MEMORY, wanted, model.window, model.rising, active)
        case NetworkModel():
            rate = Quantity(model.target) if model.target is not None else None
            kind = MetricKind(model.type)
            return Metric(name, kind, rate, model.window, model.rising, model.activation)
        case PrometheusModel() | HttpModel() | TasksPendingModel() | FormulaModel():
            source = _number_source(model)
            return ScalarMetric(name, source, model.target, model.per, model.activation)
        case _:
            assert_never(model)


def _cpu_target(model: CpuModel) -> Quantity | None:
    if model.cores is not None:
        return Quantity(model.cores)
    return quantity(model.target, model.of or Basis.AUTO) if model.target else None


def _number_source(
    model: PrometheusModel | HttpModel | TasksPendingModel | FormulaModel,
) -> NumberSource:
    match model:
        case PrometheusModel():
            return PrometheusQuery(
                query=model.query,
                address=model.address,
                credentials=_credentials(model.auth),
                timeout=model.timeout,
                interval=model.interval,
                empty_is=model.empty_is,
            )
        case HttpModel():
            return JsonUrl(
                url=model.url,
                path=model.path,
                credentials=_credentials(model.auth),
                timeout=model.timeout,
                interval=model.interval,
            )
        case TasksPendingModel():
            return TasksPending()
        case FormulaModel():
            return Formula(model.formula)


def _credentials(model: AuthModel | None) -> Credentials:
    if model is None:
        return NO_CREDENTIALS
    return Credentials(model.bearer_token_file, model.username, model.password_file)


def _fallback(model: FallbackModel | None) -> Fallback | None:
    return None if model is None else Fallback(model.replicas, model.after)


def _schedule(model: ScheduleModel) -> Schedule:
    low, high = model.bounds
    return Schedule(
        cron=model.cron,
        duration=model.duration,
        timezone=model.timezone,
        min=low,
        max=high,
        name=model.name or "",
    )


def _behavior(model: ScaleUpModel | ScaleDownModel, default: Behavior) -> Behavior:
    return Behavior(
        stabilization_window=model.stabilization_window,
        policies=default.policies if model.policies is None else _policies(model.policies),
        tolerance=model.tolerance,
        select_policy=model.select_policy,
        cooldown=model.cooldown,
    )


def _policies(models: tuple[PolicyModel, ...]) -> tuple[Policy, ...]:
    return tuple(Policy(model.type, model.value, model.period) for model in models)
