"""Which service is to be judged next, and which of them may rest although time passes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.control.due import DueKeys
from monitor.decide import Recorded, metrics_of
from monitor.model.rule import ScaleRule
from monitor.model.scalar import ScalarMetric
from monitor.model.usage import MetricKind
from monitor.ports.usage import UsageSource

EVALUATE_AT_LEAST = 8.0
"""Seconds after which a service with rules is evaluated even if nothing told of a change: more
often than after the hole that makes its windows begin anew (`decide.history.ABSENT`)."""

RESTS_FOR = 15.0
"""The same for a service of which nothing is measured: no window of it holds anything."""


@dataclass(slots=True)
class _Rest:
    """Undisturbed until `until`, in monotonic seconds, or a sample that is looked for comes."""

    until: float
    tasks: tuple[str, ...]
    looked_for: tuple[tuple[MetricKind, float, float], ...]


@dataclass(slots=True)
class Attention:
    """Services in the order in which they become due; times in monotonic seconds.

    Whenever samples came, every service may have become due. Those rest whose rules follow
    usage alone while nobody reports any of their tasks: a Swarm where agents are not everywhere,
    or whole stacks on nodes that are lost. All that counts for them then is their view, and
    whoever changes that tells.
    """

    usage: UsageSource
    _due: DueKeys = field(default_factory=DueKeys)
    _resting: dict[str, _Rest] = field(default_factory=dict)

    def stir(self, service_ids: Iterable[str], now: float) -> None:
        """Facts about these changed: judge them now."""
        for service_id in service_ids:
            self._resting.pop(service_id, None)
            self._due.touch(service_id, now)

    def tick(self, service_ids: Iterable[str], now: float) -> None:
        """There may be new samples of these."""
        for service_id in service_ids:
            self._due.touch(service_id, now)

    def take(self, now: float) -> str | None:
        """See `DueKeys.take`; whether it rests is another question."""
        return self._due.take(now)

    def next_at(self) -> float | None:
        return self._due.next_at()

    def rests(self, service_id: str, now: float) -> bool:
        """Whether the service, which was taken, need not be judged; then it is due later."""
        rest = self._resting.get(service_id)
        if rest is None:
            return False
        if now < rest.until and not any(
            self.usage.samples(rest.tasks, kind, window, rising, now)
            for kind, window, rising in rest.looked_for
        ):
            self._due.touch(service_id, rest.until)
            return True
        del self._resting[service_id]
        return False

    def again(
        self,
        service_id: str,
        now: float,
        at: float | None = None,
        judged_on: Sequence[Recorded] = (),
    ) -> None:
        """Judge it at `at` at the latest; with what all its rules were judged on, it may rest."""
        rests = bool(judged_on) and all(map(_nothing_measured, judged_on))
        latest = now + (RESTS_FOR if rests else EVALUATE_AT_LEAST)
        at = latest if at is None else min(at, latest)
        self._resting.pop(service_id, None)
        self._due.touch(service_id, at)
        if rests:
            tasks = tuple(task.id for task in judged_on[-1].view.tasks if task.live)
            metrics = [metric for one in judged_on for metric in metrics_of(one.rule)]
            looked_for = {(one.kind, one.window, one.rising_window): None for one in metrics}
            self._resting[service_id] = _Rest(at, tasks, tuple(looked_for))

    def forget(self, service_id: str) -> None:
        self._resting.pop(service_id, None)
        self._due.forget(service_id)


def _nothing_measured(recorded: Recorded) -> bool:
    rule = recorded.rule
    if isinstance(rule, ScaleRule) and any(isinstance(one, ScalarMetric) for one in rule.metrics):
        return False
    return not any(recorded.usage.samples.values())
