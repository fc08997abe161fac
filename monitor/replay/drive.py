"""The control loop on virtual time: the agent's judging and remembering, on a replayed service.

What decides is what decides in production: `control.judge` gathers and asks `decide`, and
histories are made as the controller makes them. In place of a Swarm there is a World, whose
writes are applied at once.

Between two changes of load a decision can only differ by what time alone does, which it tells
itself (`recheck_after`). At a change the loop looks ahead: would the decision be another one
once all samples show the new load? What lies between is a mean of both, so where neither end
asks for anything else, none of the seconds between does, and they are not evaluated one by one.
"""

import math
from dataclasses import dataclass
from operator import itemgetter

from monitor.control.assignment import Claim
from monitor.control.judge import Judge
from monitor.decide import record_version, record_write, remember
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.scalar import Formula, ScalarMetric
from monitor.replay.contender import Contender, next_turn
from monitor.replay.ledger import Ledger, Score
from monitor.replay.measured import Measured
from monitor.replay.terms import Terms
from monitor.replay.trace import Trace
from monitor.replay.world import World
from monitor.sources.calendar import CronCalendar


@dataclass(frozen=True, slots=True)
class Step:
    """A change of replicas. `at` in wall seconds."""

    at: float
    before: int
    after: int
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a contender made of a trace.

    supply: (wall seconds, replicas that run from then on). reasons: seconds by the reason of
    the newest decision.
    """

    label: str
    score: Score
    steps: tuple[Step, ...]
    supply: tuple[tuple[float, int], ...]
    reasons: tuple[tuple[str, float], ...]
    evaluations: int


def run(contender: Contender, trace: Trace, terms: Terms, *, thrifty: bool = True) -> Run:
    """From the trace's first moment to its end. thrifty False: every evaluation is made."""
    return _Loop(contender, trace, terms, thrifty).run()


class _Loop:
    def __init__(self, contender: Contender, trace: Trace, terms: Terms, thrifty: bool) -> None:
        self._contender, self._terms = contender, terms
        self._thrifty = thrifty and _even(contender)
        self._ledger = Ledger(terms.good_until)
        self._measured = Measured(terms, terms.per_replica, contender.sampling)
        name = next(iter(contender.rule.selector.exact_names), "service")
        self._world = World(trace, terms, self._ledger, name, self._measured.level)
        self._measured.watch(self._world)
        self._judge = Judge(self._measured, self._measured, CronCalendar(), lambda: None)
        self._claim = Claim(contender.rule)
        self._history = History()
        self._steps: list[Step] = []
        self._reasons: dict[str, float] = {}
        self._evaluations = 0
        self._busy_until = self._seen_change = self._world.now

    def run(self) -> Run:
        world = self._world
        while world.now < world.end:
            decision = self._evaluate()
            before = world.now
            world.advance(min(self._next(decision), world.end))
            reason = decision.reason.value
            self._reasons[reason] = self._reasons.get(reason, 0.0) + world.now - before
        world.close()
        return Run(
            self._contender.label,
            self._ledger.score(),
            tuple(self._steps),
            tuple((world.wall(at), count) for at, count in world.supply),
            tuple(sorted(self._reasons.items(), key=itemgetter(1), reverse=True)),
            self._evaluations,
        )

    def _now(self) -> Now:
        return Now(self._world.now, self._world.wall(self._world.now))

    def _decide(self) -> Decision:
        self._evaluations += 1
        view = self._world.view()
        return self._judge.judge(self._claim, view, self._history, self._now())[0]

    def _evaluate(self) -> Decision:
        decision = self._decide()
        self._history = remember(self._history, decision)
        if isinstance(decision.action, ScaleTo):
            self._write(decision, decision.action.replicas)
        return decision

    def _write(self, decision: Decision, replicas: int) -> None:
        world, before = self._world, self._world.wanted
        self._history = record_write(self._history, decision, self._now())
        world.scale(replicas)
        self._history = record_version(self._history, world.version)
        at = world.wall(world.now)
        reason = decision.reason.value
        self._steps.append(Step(at, before, replicas, reason, decision.sentence))
        self._busy(world.now + self._terms.start_time)

    def _busy(self, since: float) -> None:
        self._busy_until = max(self._busy_until, since + self._contender.settled_after)

    def _next(self, decision: Decision) -> float:
        """When to evaluate again."""
        now, every = self._world.now, self._contender.every
        if not self._thrifty:
            return now + every
        if self._world.changed_at > self._seen_change:
            self._seen_change = self._world.changed_at
            if now >= self._busy_until and self._would_differ(decision):
                self._busy(now)
        if now < self._busy_until:
            return now + every
        recheck = math.inf
        if decision.recheck_after is not None:
            recheck = now + decision.recheck_after
        schedule = self._judge.next_change(self._contender.rule, self._now())
        if schedule is not None:
            recheck = min(recheck, schedule)
        return next_turn(every, now, self._world.next_change(), recheck)

    def _would_differ(self, decision: Decision) -> bool:
        """Whether the load of now, if it lasts, asks for anything else than what was decided."""
        self._measured.settled = True
        try:
            ahead = self._decide()
        finally:
            self._measured.settled = False
        same = ahead.recommendation == decision.recommendation and ahead.desired == decision.desired
        return not same or ahead.action is not None


def _even(contender: Contender) -> bool:
    """Whether more load never asks for fewer replicas: a formula may."""
    return not any(
        isinstance(metric, ScalarMetric) and isinstance(metric.source, Formula)
        for metric in contender.rule.metrics
    )
