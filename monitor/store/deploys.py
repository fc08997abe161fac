"""What each service was before its last deploys: the specs to go back to.

Swarm keeps one previous spec, and any write replaces it, also a scale: after one it has the same
task template as the present spec. So here the specs are kept whose task templates differ, apart
from `ForceUpdate`.
"""

from collections.abc import Mapping
from typing import Any

from monitor.model.fingerprint import fingerprint
from monitor.model.service import Service, UpdateState

Spec = Mapping[str, Any]
"""A service's raw `Spec`. It may hold passwords, in its environment among others."""

KEPT = 5
"""Deploys of one service that are kept, the present one included."""

_ROLLED_BACK = (
    UpdateState.ROLLBACK_STARTED,
    UpdateState.ROLLBACK_PAUSED,
    UpdateState.ROLLBACK_COMPLETED,
)


def deploy_of(spec: Spec) -> str:
    """Equal for specs of the same deploy: whose tasks are the same but for restarts."""
    template = spec.get("TaskTemplate")
    if not isinstance(template, Mapping):
        return ""
    return fingerprint({key: value for key, value in template.items() if key != "ForceUpdate"})


def with_service(past: tuple[Spec, ...], service: Service) -> tuple[Spec, ...]:
    """The deploys of a service, oldest first, with what it is now as the last one.

    A deploy that was never seen, because nobody looked in between, is taken from the service's own
    previous spec. One that goes back to the deploy right before forgets the one it came from: what
    was given up is nothing to go back to.
    """
    spec = service.raw.get("Spec")
    if not isinstance(spec, Mapping):
        return past
    previous = service.raw.get("PreviousSpec")
    known = [deploy_of(one) for one in past]
    now = deploy_of(spec)
    if (
        known[-1:] != [now]
        and isinstance(previous, Mapping)
        and service.update_state not in _ROLLED_BACK
        and deploy_of(previous) not in (now, *known[-1:])
    ):
        past, known = _with(past, known, previous)
    return _with(past, known, spec)[0]


def before(past: tuple[Spec, ...], spec: Spec) -> Spec | None:
    """The last deploy before the one that `spec` is of; None: none is known."""
    now = deploy_of(spec)
    return next((one for one in reversed(past) if deploy_of(one) != now), None)


def _with(
    past: tuple[Spec, ...], known: list[str], spec: Spec
) -> tuple[tuple[Spec, ...], list[str]]:
    now = deploy_of(spec)
    if known[-1:] == [now]:
        past, known = past[:-1], known[:-1]
    elif known[-2:-1] == [now]:
        past, known = past[:-2], known[:-2]
    return (*past, spec)[-KEPT:], [*known, now][-KEPT:]
