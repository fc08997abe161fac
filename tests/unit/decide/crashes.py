"""A service whose tasks fail again and again, for the tests of restart rules over long times."""

from dataclasses import dataclass, field, replace

from monitor.decide import decide, record_write, remember
from monitor.model.action import ForceUpdate, RestartTask
from monitor.model.cause import Cause
from monitor.model.decision import Decision
from monitor.model.evidence import Ended, Evidence
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import RestartRule
from monitor.model.service import Service
from monitor.model.usage import Usage
from tests.unit.decide.make import NOW, service, task, view


@dataclass
class CrashLoop:
    """One task that fails `every` seconds and is replaced `delay` seconds later by the Swarm.

    Virtual seconds since NOW. A restart replaces it at once; it fails all the same while `sick`.
    """

    rule: RestartRule
    every: float = 60.0
    delay: float = 5.0
    sick: bool = True
    of: Service = field(default_factory=lambda: service(1))
    now: float = 0.0
    history: History = field(default_factory=History)
    acted: list[float] = field(default_factory=list)
    reasons: list[tuple[float, Reason]] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    _born: float = 0.0
    _number: int = 1

    def run(self, until: float, step: float = 15.0) -> Decision:
        """Decides every `step` seconds; returns the last decision."""
        decision = None
        while self.now < until or decision is None:
            self.now += step
            if self.sick and self.now - self._born >= self.every:
                self._end(Cause.EXIT_ERROR)
            decision = self._decide()
        return decision

    def deploy(self, *, healthy: bool) -> None:
        """Another spec, rolled out at once."""
        version = self.of.version + 1
        template = f"deploy{version}"
        self.of = replace(self.of, version=version, template=template, deploy=template)
        self._end(Cause.UPDATE, after=0.0)
        self.sick = not healthy

    def _end(self, cause: Cause, after: float | None = None) -> None:
        at, place = NOW.mono + self.now, "1"
        self.ends.append(Ended(f"task{self._number}", place, "n1", at, cause, 1))
        self._number += 1
        self._born = self.now + (self.delay if after is None else after)

    def _decide(self) -> Decision:
        at = Now(NOW.mono + self.now, NOW.wall + self.now)
        runs = self.now >= self._born
        one = task(1, id=f"task{self._number}", container_id="c", template=self.of.template)
        seen = view(
            1,
            of=self.of,
            tasks=[one] if runs else [],
            version_since=at.mono - 100,
            tasks_read_at=at.mono,
        )
        evidence = Evidence(ends=tuple(self.ends[-50:]))
        decision = decide(self.rule, seen, Usage(), self.history, at, evidence=evidence)
        self.history = remember(self.history, decision)
        self.reasons.append((self.now, decision.reason))
        if decision.action is not None:
            self.history = record_write(self.history, decision, at)
            self.acted.append(self.now)
            if isinstance(decision.action, ForceUpdate | RestartTask):
                self._end(Cause.RESTART_RULE, after=0.0)
        return decision
