"""A whole agent's core at work on a simulated Swarm, and every write to the Swarm on record.

    @virtual(limit=600)
    async def test_scales_up() -> None:
        async with bench(scale_rule(max=8)) as b:
            await b.service("web", replicas=2, cpu_limit=0.5)
            b.swarm.set_load("web", 2.0)
            await b.until(lambda: b.replicas("web") == 8, within=60)

All nodes' tasks run on m1, the node of the agent: usage of other nodes is not heard yet.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from monitor.act.spec import Path as SpecPath
from monitor.act.spec import differences
from monitor.agent.core import Core
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.rule import AnyRule, RuleSet
from monitor.model.task import TaskState
from monitor.simulate.swarm import Swarm
from tests.simulated.virtual import node_id

NOWHERE = Path("/nonexistent")
SETTLED = 3.0
"""Seconds after which a change of a service that starts no rollout does not hold us back."""

_WRITE = "write "


@dataclass(frozen=True, slots=True)
class Write:
    """One update that reached the Swarm, whoever sent it; `decision` is None for a person's.

    was, state: the service's version and update state right before. dirty: whether a live task
    ran another template then. error: "" if it was applied.
    """

    at: float
    decision: str | None
    service_id: str
    version: int
    was: int
    state: str | None
    dirty: bool
    before: dict[str, Any]
    after: dict[str, Any]
    error: str = ""

    @property
    def applied(self) -> bool:
        return not self.error

    @property
    def changed(self) -> list[SpecPath]:
        return list(differences(self.before, self.after))

    @property
    def replicas(self) -> tuple[int, int]:
        return _replicas(self.before), _replicas(self.after)


def _replicas(spec: dict[str, Any]) -> int:
    return spec["Mode"].get("Replicated", {}).get("Replicas", 1)


@dataclass
class Records:
    """Decisions, outcomes and writes in the order in which they came; an observer."""

    decisions: list[Decision] = field(default_factory=list)
    outcomes: list[tuple[Decision, Outcome]] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)

    def decided(self, decision: Decision, new: bool) -> None:
        self.decisions.append(decision)

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        self.outcomes.append((decision, outcome))

    def learned(self, decision: Decision, outcome: Outcome | None) -> None: ...

    def forgot(self, rule: str, service_name: str) -> None: ...

    def watch(self, swarm: Swarm) -> None:
        """Puts every update that reaches the Swarm on record."""
        update, change = swarm.update_service, swarm.change
        by_person = False

        def persons(*args: Any) -> None:
            nonlocal by_person
            by_person = True
            try:
                change(*args)
            finally:
                by_person = False

        def recorded(service_id: str, version: int, spec: dict[str, Any]) -> None:
            service = swarm.service(service_id)
            was, state = service.version, service.update_state
            before = copy.deepcopy(service.spec)
            dirty = any(
                task.spec != before["TaskTemplate"]
                for task in swarm.tasks(service_id)
                if task.desired <= TaskState.RUNNING and not task.state.ended
            )
            error = ""
            try:
                update(service_id, version, spec)
            except Exception as refused:
                error = str(refused) or type(refused).__name__
                raise
            finally:
                after = copy.deepcopy(dict(spec))
                self.writes.append(
                    Write(
                        swarm.mono(),
                        None if by_person else _deciding(),
                        service_id,
                        version,
                        was,
                        state,
                        dirty,
                        before,
                        after,
                        error,
                    )
                )

        swarm.update_service = recorded  # type: ignore[method-assign]
        swarm.change = persons  # type: ignore[method-assign]

    @property
    def own(self) -> list[Write]:
        return [write for write in self.writes if write.decision is not None]

    @property
    def applied(self) -> list[Write]:
        """Our own writes that took effect."""
        return [write for write in self.own if write.applied]

    def kinds(self) -> list[OutcomeKind]:
        return [outcome.kind for _, outcome in self.outcomes]


def _deciding() -> str | None:
    task = asyncio.current_task()
    name = task.get_name() if task is not None else ""
    return name.removeprefix(_WRITE) if name.startswith(_WRITE) else None


class Bench:
    """`records` outlives the agent: a second one writes into the same."""

    def __init__(self, swarm: Swarm, node: str = "m1") -> None:
        self.swarm = swarm
        self.engine = swarm.engine(node_id(swarm, node))
        self.records = Records()
        self.records.watch(swarm)
        self.core: Core
        self.run: asyncio.Task[None]
        self.logs: list[Any] = []
        self._stop, self._killed = asyncio.Event(), False

    def use(self, *rules: AnyRule) -> None:
        self.core.controller.use_rules(RuleSet(rules))

    async def service(self, name: str = "web", **parts: Any) -> str:
        """Creates a service, waits until it runs and until a fresh one is not held back."""
        service_id = self.swarm.create_service(name, **parts)
        await self.swarm.converged(name)
        return service_id

    def replicas(self, name: str = "web") -> int:
        return _replicas(self.swarm.service(name).spec)

    def now(self) -> float:
        return self.swarm.mono()

    async def until(self, met: Callable[[], bool], within: float) -> float:
        """Seconds it took; fails with the newest decisions."""
        start = self.now()
        while not met():
            if self.now() - start > within:
                newest = [decision.sentence for decision in self.records.decisions[-3:]]
                raise AssertionError(f"not within {within:g} s; newest decisions: {newest}")
            await asyncio.sleep(0.05)
        return self.now() - start

    def decisions(self, since: float = 0.0, rule: str | None = None) -> list[Decision]:
        return [
            decision
            for decision in self.records.decisions
            if decision.time.mono >= since and rule in (None, decision.rule)
        ]

    def reasons(self, since: float = 0.0, rule: str | None = None) -> list[str]:
        """Without repetitions in a row."""
        found: list[str] = []
        for decision in self.decisions(since, rule):
            if not found or found[-1] != decision.reason.value:
                found.append(decision.reason.value)
        return found

    def stop(self) -> None:
        """In order, as SIGTERM does it."""
        self._stop.set()

    def kill(self) -> None:
        """At once: nothing that is under way comes to its end."""
        self._killed = True
        self.run.cancel()

    @property
    def ending(self) -> bool:
        """Whether the agent was told to stop or was killed."""
        return self._killed or self._stop.is_set()

    @asynccontextmanager
    async def agent(
        self, *rules: AnyRule, dry_run: bool = False, wait_ready: bool = True
    ) -> AsyncIterator[Core]:
        """An agent at work with these rules; stopped in order at the end."""
        self._stop, self._killed = asyncio.Event(), False
        self.core = Core(
            self.engine,
            self.swarm.clock,
            observer=self.records,
            own_service_id="none",
            dry_run=dry_run,
            proc_root=NOWHERE,
            cgroup_root=NOWHERE,
        )
        self.use(*rules)
        with capture_logs() as logs:
            self.logs = logs
            run = self.run = asyncio.create_task(self.core.run(self._stop), name="agent")
            try:
                if wait_ready:
                    await self.core.mirror.wait_ready()
                yield self.core
                if self._killed:
                    await asyncio.wait([run])
                elif run.done() and not self._stop.is_set():
                    raise AssertionError("the agent ended by itself") from run.exception()
                else:
                    self._stop.set()
                    async with asyncio.timeout(10.0):
                        await run
            finally:
                run.cancel()
                await asyncio.wait([run])

    def check(self) -> None:
        check_writes(self.records)


def check_writes(records: Records) -> None:
    """What holds of our own writes whatever happens."""
    decisions = {decision.id: decision for decision in records.decisions}
    seen: set[str] = set()
    for write in records.own:
        decision = decisions[write.decision]
        assert write.decision not in seen, f"two writes of {write.decision}"
        seen.add(write.decision)
        assert write.version == decision.version, write
        if write.applied:
            allowed = (
                [("TaskTemplate", "ForceUpdate")]
                if decision.action_name == "restart_service"
                else [("Mode", "Replicated", "Replicas")]
            )
            assert write.changed == allowed, write
            assert write.was == decision.version, write
            knowingly = isinstance(decision.action, ScaleTo) and decision.action.during_rollout
            rolling = ("updating",) if knowingly else ()
            assert write.state in (None, "completed", "rollback_completed", *rolling), write


def one_node(*, cores: float = 256.0, **parts: Any) -> Swarm:
    """One manager that is large enough for all tasks."""
    swarm = Swarm(**parts)
    swarm.add_node("m1", "manager", cpu_cores=cores, memory_bytes=512 * 1024**3)
    return swarm


@asynccontextmanager
async def bench(
    *rules: AnyRule, dry_run: bool = False, swarm: Swarm | None = None
) -> AsyncIterator[Bench]:
    """An agent on one large node. At the end the writes are checked and all is stopped."""
    made = Bench(swarm or one_node())
    try:
        async with made.agent(*rules, dry_run=dry_run):
            yield made
        made.check()
    finally:
        made.swarm.close()


@contextmanager
def faults(made: Bench, **knobs: Any) -> Iterator[None]:
    """Sets knobs of the engine's faults for a while."""
    before = {name: getattr(made.engine.faults, name) for name in knobs}
    for name, value in knobs.items():
        setattr(made.engine.faults, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(made.engine.faults, name, value)
