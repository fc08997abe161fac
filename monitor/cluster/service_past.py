"""What changed in a service's spec, which is why the Swarm replaces or removes its tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.cluster.cause_facts import Replacement
from monitor.model.service import Service, UpdateState

_KEPT = 32
"""Changes of a service that are remembered: the latest."""

_SLACK = 5.0
"""Seconds by which a change may be seen later than what follows from it."""

_ROLLBACKS = (
    UpdateState.ROLLBACK_STARTED,
    UpdateState.ROLLBACK_PAUSED,
    UpdateState.ROLLBACK_COMPLETED,
)


@dataclass(frozen=True, slots=True)
class SpecChange:
    """One look at the service to the next. at: wall seconds. kind: None where the template stayed.

    replicas: before and after where their number fell.
    """

    at: float
    before: Service
    after: Service
    kind: Replacement | None
    replicas: tuple[int, int] | None


class ServicePast:
    """A service as it is, and how it came to that."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.gone_at: float | None = None
        self.changes = 0
        """Counts up whenever it may have become the cause of something else."""
        self._changes: list[SpecChange] = []
        self._forced: dict[int, str] = {}

    def seen(self, service: Service, now: float) -> None:
        """As a manager tells it at `now`, wall seconds."""
        if service is self.service and self.gone_at is None:
            return
        self.changes += 1
        before, self.service, self.gone_at = self.service, service, None
        if before.version == service.version:
            return
        kind = _replacement(before, service)
        fell = _fell(before, service)
        if kind is None and fell is None:
            return
        # `raw` is large, and only needed to tell this change from the next.
        slim = (replace(before, raw={}), replace(service, raw={}))
        self._changes.append(SpecChange(now, *slim, kind, fell))
        del self._changes[:-_KEPT]

    def gone(self, now: float) -> None:
        """No manager lists it any more."""
        if self.gone_at is None:
            self.gone_at = now
            self.changes += 1

    def forced(self, version: int, rule: str) -> None:
        """A rule counted ForceUpdate up on this version of the service."""
        self._forced[version] = rule
        self.changes += 1
        while len(self._forced) > _KEPT:
            del self._forced[next(iter(self._forced))]

    def replaced(self, template: str, since: float, until: float) -> tuple[Replacement | None, str]:
        """What came in a template's stead in a task's time, and the rule that did it, or ""."""
        for change in self._changes:
            if change.kind is None or change.before.template != template:
                continue
            if since <= change.at <= until + _SLACK:
                return change.kind, self._rule(change)
        return None, ""

    def present(self, template: str) -> Replacement | None:
        """What came in its stead as the service itself tells, where no change was seen."""
        if template == self.service.template or self.service.mode.is_job:
            return None
        rolled_back = self.service.update_state in _ROLLBACKS
        return Replacement.ROLLBACK if rolled_back else Replacement.UPDATE

    def scaled(self, since: float, until: float) -> tuple[int, int] | None:
        """The last scale-down in that time."""
        found = None
        for change in self._changes:
            if change.replicas is not None and since <= change.at <= until + _SLACK:
                found = change.replicas
        return found

    def _rule(self, change: SpecChange) -> str:
        versions = range(change.before.version, change.after.version)
        return next((rule for at, rule in self._forced.items() if at in versions), "")


def _replacement(before: Service, after: Service) -> Replacement | None:
    if before.template == after.template:
        return None
    if after.update_state in _ROLLBACKS:
        return Replacement.ROLLBACK
    old, new = _template(before), _template(after)
    if old and new and _unforced(old) == _unforced(new):
        return Replacement.FORCED
    return Replacement.UPDATE


def _template(service: Service) -> Mapping[str, Any]:
    found: Mapping[str, Any] = service.raw.get("Spec", {}).get("TaskTemplate") or {}
    return found


def _unforced(template: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in template.items() if key != "ForceUpdate"}


def _fell(before: Service, after: Service) -> tuple[int, int] | None:
    if before.replicas is None or after.replicas is None or after.replicas >= before.replicas:
        return None
    return before.replicas, after.replicas
