"""HorizontalPodAutoscaler's conditions, with its reason names where it has them."""

from dataclasses import replace

from monitor.decide.bounds import Binding
from monitor.decide.combine import Proposal, Source
from monitor.model.decision import Condition, Decision

ABLE = "AbleToScale"
ACTIVE = "ScalingActive"
LIMITED = "ScalingLimited"
FALLBACK = "Fallback"
FLAPPING = "Flapping"
BREAKER = "Breaker"


def readable() -> Condition:
    return Condition(ABLE, True, "SucceededGetScale", "the service could be read")


def unreadable(message: str) -> Condition:
    return Condition(ABLE, False, "FailedGetScale", message)


def guarded(message: str) -> Condition:
    return Condition(ABLE, False, "RolloutInProgress", message)


def ready(*, stabilized_up: bool, stabilized_down: bool) -> Condition:
    if stabilized_up:
        return Condition(ABLE, True, "ScaleUpStabilized", "a recent lower need holds it back")
    if stabilized_down:
        return Condition(ABLE, True, "ScaleDownStabilized", "a recent higher need holds it back")
    return Condition(ABLE, True, "ReadyForNewScale", "nothing recent stands against a change")


def active(metric: str) -> Condition:
    return Condition(ACTIVE, True, "ValidMetricFound", f"{metric} could be measured")


def failing(proposal: Proposal) -> Condition:
    if proposal.source is Source.UNKNOWN:
        return Condition(ACTIVE, False, "InvalidMetricSourceType", proposal.text)
    return Condition(ACTIVE, False, f"FailedGet{proposal.source}Metric", proposal.text)


def disabled(message: str) -> Condition:
    return Condition(ACTIVE, False, "ScalingDisabled", message)


def ambiguous(message: str) -> Condition:
    return Condition(ACTIVE, False, "AmbiguousSelector", message)


def limited(binding: Binding, message: str) -> Condition:
    return Condition(LIMITED, binding is not Binding.NONE, binding.value, message)


def held(reason: str, message: str) -> Condition:
    return Condition(LIMITED, True, reason, message)


def fallback(status: bool, reason: str, message: str) -> Condition:
    return Condition(FALLBACK, status, reason, message)


def flapping(message: str) -> Condition:
    return Condition(FLAPPING, True, "TooManyDirectionChanges", message)


def breaker_open(message: str) -> Condition:
    return Condition(BREAKER, True, "RestartsDoNotHelp", message)


def written(decision: Decision) -> Decision:
    """The decision once its write was applied."""
    return _with_able(decision, Condition(ABLE, True, "SucceededRescale", decision.sentence))


def not_written(decision: Decision, detail: str) -> Decision:
    """The decision once its write failed; `detail` says why."""
    return _with_able(decision, Condition(ABLE, False, "FailedUpdateScale", detail))


def _with_able(decision: Decision, able: Condition) -> Decision:
    others = tuple(condition for condition in decision.conditions if condition.type != ABLE)
    return replace(decision, conditions=(able, *others))
