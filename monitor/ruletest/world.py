"""One test: a simulated Swarm, the agent's whole core, and expectations at their times."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from monitor.agent.core import Core
from monitor.control.observer import Silent
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.rule import RuleSet
from monitor.model.scalar import JsonUrl, PrometheusQuery
from monitor.model.sources import sources_of
from monitor.ruletest.expect import Failure, Seen, differences
from monitor.ruletest.hands import HandsOfNodes
from monitor.ruletest.measured import MeasuredNumbers, MeasuredSeries
from monitor.ruletest.measured_nodes import MeasuredNodes
from monitor.ruletest.models import Expected, RuleTest
from monitor.ruletest.series import Series, parse_series
from monitor.ruletest.stage import Stage
from monitor.simulate.clock import VirtualClock
from monitor.simulate.swarm import Swarm
from monitor.sources.calendar import CronCalendar
from monitor.sources.substitute import Subject, substituted

NOWHERE = Path("/nonexistent")
SETTLED = 4.0
"""Seconds before the start in which the agent looks at the services."""

_FORE = 20.0
"""Seconds before that in which the services run already: windows are full when the agent comes."""

DEFAULT_START = 1_767_225_600.0  # 2026-01-01T00:00:00Z


class _Records(Silent):
    """The newest decision of each rule and service, and how many writes were applied."""

    def __init__(self) -> None:
        self.decisions: dict[tuple[str, str], Decision] = {}
        self.newest: dict[str, Decision] = {}
        self.writes: dict[str, int] = {}

    def decided(self, decision: Decision, new: bool) -> None:
        self.decisions[decision.rule, decision.subject_name] = decision
        self.newest[decision.subject_name] = decision

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.APPLIED:
            name = decision.subject_name
            self.writes[name] = self.writes.get(name, 0) + 1


async def run_test(
    test: RuleTest, rules: RuleSet, file: str, lines: Sequence[int]
) -> list[Failure]:
    """Runs inside a virtual loop; the expectations that did not hold, in order of time."""
    return await _World(test, rules).run(file, lines)


class _World:
    def __init__(self, test: RuleTest, rules: RuleSet) -> None:
        self._test = test
        self._rules = rules
        series = [parse_series(given.series, given.values) for given in test.series]
        begin = asyncio.get_running_loop().time()
        wall = DEFAULT_START if test.start is None else test.start
        self._fore = _FORE + max((given.start_time for given in test.services), default=0.0)
        self._clock = VirtualClock(start_wall=wall - begin - self._fore - SETTLED)
        self._swarm = Swarm(self._clock)
        self._stage = Stage(self._swarm, test)
        self._usage = MeasuredSeries(self._swarm, series, test.interval)
        self._numbers = MeasuredNumbers(_sources(test, rules, series), test.interval)
        self._records = _Records()
        self._core = Core(
            self._swarm.engine(self._stage.node_id),
            self._clock,
            observer=self._records,
            own_service_id="none",
            proc_root=NOWHERE,
            cgroup_root=NOWHERE,
            usage=self._usage,
            numbers=self._numbers,
            calendar=CronCalendar(),
        )
        self._nodes = MeasuredNodes(
            self._swarm, series, test.interval, self._core.remote, self._stage.id_of
        )
        self._hands = HandsOfNodes(self._swarm, self._clock)
        self._core.hands.reach(self._hands.send)

    async def run(self, file: str, lines: Sequence[int]) -> list[Failure]:
        stop = asyncio.Event()
        failures: list[Failure] = []
        async with self._hands.open(), asyncio.TaskGroup() as group:
            sampling = group.create_task(self._usage.run(), name="series")
            await asyncio.sleep(self._fore)
            core = group.create_task(self._core.run(stop), name="core")
            await asyncio.sleep(SETTLED)
            self._core.controller.use_rules(self._rules)
            start = self._swarm.mono()
            self._usage.started = self._numbers.started = self._nodes.started = start
            beside = [
                group.create_task(self._nodes.run(), name="nodes"),
                group.create_task(self._stage.run(), name="stage"),
                group.create_task(self._stage.spoil(), name="bad nodes"),
            ]
            order = sorted(range(len(self._test.expect)), key=lambda i: self._test.expect[i].at)
            for index in order:
                expected = self._test.expect[index]
                # Right after the decisions of that very second.
                await asyncio.sleep(max(start + expected.at + 0.5 - self._swarm.mono(), 0.0))
                failure = self._judge(expected, f"{file}:{lines[index]}")
                failures += [failure] if failure else []
            stop.set()
            await core
            sampling.cancel()
            for one in beside:
                one.cancel()
        self._swarm.close()
        return failures

    def _judge(self, expected: Expected, place: str) -> Failure | None:
        name = expected.subject
        records = self._records
        decision = (
            records.newest.get(name)
            if expected.rule is None
            else records.decisions.get((expected.rule, name))
        )
        stage, writes = self._stage, records.writes.get(name, 0)
        if expected.node is not None:
            seen = Seen(decision, writes, availability=stage.availability(name))
        else:
            on_nodes = stage.on(name)
            seen = Seen(decision, writes, stage.replicas(name), stage.pending(name), on_nodes)
        found = differences(expected, seen)
        if not found:
            return None
        context = "no rule has judged it" if decision is None else decision.sentence
        return Failure(self._test.name, place, expected, found, context)


def _sources(
    test: RuleTest, rules: RuleSet, series: Sequence[Series]
) -> dict[PrometheusQuery | JsonUrl, Series]:
    """Each source as the agent asks for it, with the series of its metric's name."""
    numbers = {(one.service, one.metric): one for one in series if one.kind == "number"}
    found: dict[PrometheusQuery | JsonUrl, Series] = {}
    for rule in rules.rules:
        for name, source in sources_of(rule).items():
            if not isinstance(source, PrometheusQuery | JsonUrl):
                continue
            for given in test.services:
                one = numbers.get((given.name, name))
                if one is not None:
                    subject = Subject(given.name, given.stack, rule.name)
                    found[substituted(source, subject)] = one
    return found
