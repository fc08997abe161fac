"""The control loop on virtual time: the agent's judging and remembering, on a replayed service.

What decides is what decides in production: `control.judge` gathers and asks `decide`, and
histories are made as the controller makes them. In place of a Swarm there is a World, whose
writes are applied at once.

Between two changes of load nothing but time passes, and all that a decision sees moves in one
direction: means go from the old load towards the new one, waits run out. So where the last moment
before the next change asks for nothing else than this one, no second between does, and where it
does, the first such second is found by halving. Only fresh tasks are watched second by second.
"""

import math
from dataclasses import dataclass, replace
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
        self._numbers = any(isinstance(one, ScalarMetric) for one in contender.rule.metrics)
        self._windows = contender.windows
        self._steps: list[Step] = []
        self._reasons: dict[str, float] = {}
        self._evaluations = 0

    def run(self) -> Run:
        world = self._world
        decision = self._evaluate()
        while world.now < world.end:
            before, reason = world.now, decision.reason.value
            decision = self._go_on(decision)
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

    def _at(self, mono: float) -> Now:
        return Now(mono, self._world.wall(mono))

    def _decide(self, mono: float) -> Decision:
        """At a moment before which nothing changes."""
        self._evaluations += 1
        view = self._world.view()
        return self._judge.judge(self._claim, view, self._history, self._at(mono))[0]

    def _evaluate(self) -> Decision:
        return self._take(self._decide(self._world.now))

    def _take(self, decision: Decision) -> Decision:
        """Remembers a decision of now, and carries it out."""
        self._history = remember(self._history, decision)
        if isinstance(decision.action, ScaleTo):
            self._write(decision, decision.action.replicas)
        return decision

    def _write(self, decision: Decision, replicas: int) -> None:
        world, before = self._world, self._world.wanted
        self._history = record_write(self._history, decision, self._at(world.now))
        world.scale(replicas)
        self._history = record_version(self._history, world.version)
        at = world.wall(world.now)
        reason = decision.reason.value
        self._steps.append(Step(at, before, replicas, reason, decision.sentence))

    def _go_on(self, decision: Decision) -> Decision:
        """To the next moment that counts; what is decided there, or at the end the same."""
        world, every = self._world, self._contender.every
        fresh = world.now < world.started_at + self._contender.settled_after
        if not self._thrifty or fresh or decision.action is not None:
            return self._go_to(world.now + every)
        at = self._quiet_until(decision)
        if at >= world.end:
            turns = math.ceil((world.end - world.now) / every) - 1
            at = world.now + every * turns
        if at <= world.now:
            return self._go_to(world.end)
        ahead = self._decide(at)
        same = _same(ahead, decision)
        if not same:
            at = self._first_other(decision, at)
        last = replace(decision, time=self._at(at - every))
        self._history = remember(self._history, last)
        view = world.view()
        world.advance(at)
        # Numbers are read as they are by now, and a task may have begun to run.
        holds = same and world.view() is view and not self._numbers
        return self._take(ahead) if holds else self._evaluate()

    def _go_to(self, at: float) -> Decision:
        self._world.advance(min(at, self._world.end))
        return self._evaluate()

    def _quiet_until(self, decision: Decision) -> float:
        """The last moment up to which usage and waits move in one direction."""
        now = self._world.now
        change = self._world.next_change()
        for window in self._windows:
            change = min(change, self._measured.levels.turn(now, window))
        recheck = math.inf
        if decision.recheck_after is not None:
            recheck = now + decision.recheck_after
        schedule = self._judge.next_change(self._contender.rule, self._at(now))
        if schedule is not None:
            recheck = min(recheck, schedule)
        return next_turn(self._contender.every, now, change, recheck)

    def _first_other(self, decision: Decision, at: float) -> float:
        """The first moment that is decided otherwise, as `at` is, by halving."""
        now, every = self._world.now, self._contender.every
        same, other = 0, round((at - now) / every)
        while other - same > 1:
            middle = (same + other) // 2
            if _same(self._decide(now + every * middle), decision):
                same = middle
            else:
                other = middle
        return now + every * other


def _same(one: Decision, other: Decision) -> bool:
    """Whether nothing but time passes from one to the other."""
    return (one.recommendation, one.desired, one.action) == (
        other.recommendation,
        other.desired,
        other.action,
    )


def _even(contender: Contender) -> bool:
    """Whether more load never asks for fewer replicas: a formula may."""
    return not any(
        isinstance(metric, ScalarMetric) and isinstance(metric.source, Formula)
        for metric in contender.rule.metrics
    )
