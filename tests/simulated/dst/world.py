"""A fleet and its world: 3 managers, 2 workers, three services under rules, people, a Prometheus.

async with world(plan) as made:
    ...                     # `run.live` injects the plan's faults and watches
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from structlog.testing import capture_logs

from monitor.fleet.lease_labels import CONFIG, read_claim
from monitor.model.decision import Decision
from monitor.model.node import NodeState
from monitor.model.pause import PauseScope
from monitor.simulate.engine import SimulatedEngine
from monitor.simulate.executor import Behaviour
from monitor.simulate.spec import mode_of, replicas_of
from monitor.simulate.state import SimConfig, SimNode, SimService, SimTask
from monitor.simulate.store import Change
from monitor.simulate.swarm import Swarm
from tests.simulated.agents import MANAGERS, WORKERS, Agents
from tests.simulated.bench import Records, Write
from tests.simulated.dst import bystanders
from tests.simulated.dst.history import (
    Arrived,
    Entry,
    History,
    Leased,
    Loaded,
    Numbers,
    Paused,
    Removed,
    Rolled,
    Stood,
    TookOver,
    Twice,
)
from tests.simulated.dst.kind import ACTOR
from tests.simulated.dst.plan import Plan
from tests.simulated.dst.process import FleetProcess
from tests.simulated.dst.prometheus import Prometheus
from tests.simulated.dst.rule_files import HIGH, QUEUE, TARGET, rule_text
from tests.simulated.dst.ward import Ward

MIB = 1024**2
SERVICES = ("web", "api", "jobs")
STOPS_WITHIN = 10.0
JUST_NOW = 5.0
FAST = {"Parallelism": 0, "Monitor": 10**9}
SLOW = {"Parallelism": 1, "Delay": 2 * 10**9, "FailureAction": "continue"}
ROLLS_BACK = {"Parallelism": 2, "Monitor": 3 * 10**9, "FailureAction": "rollback"}


class _Tap(list[Write]):
    """Writes go on into the history."""

    world: "World"

    def append(self, write: Write) -> None:
        service = self.world.swarm.store.services.get(write.service_id)
        self.world.history.add(
            Arrived(
                write.at,
                write.decision or "",
                write.service_id,
                service.name if service else "",
                write.version,
                write.was,
                write.state,
                write.dirty,
                write.before,
                write.after,
                write.error,
            )
        )


@dataclass
class World(Agents):
    """files: each manager's rule file. holder: who has the lease by the Swarm's own store, and
    since when it says so. changed: when services, their tasks and nodes changed last, by id;
    superseded: when a version of a service ceased to be its newest. hindered: when something was
    between a node's agent and its engine last, by node. writing: the service to
    which an agent was about to write last. kinds: of services that ail. bystanders: whether there
    are services that no rule may touch."""

    history: History = field(default_factory=History)
    files: dict[str, str] = field(default_factory=dict)
    good_files: set[str] = field(default_factory=set)
    holder: tuple[str, float] = ("", 0.0)
    changed: dict[str, float] = field(default_factory=dict)
    superseded: dict[tuple[str, int], float] = field(default_factory=dict)
    wanted: dict[str, float] = field(default_factory=dict)
    hindered: dict[str, float] = field(default_factory=dict)
    was_down: dict[str, float] = field(default_factory=dict)
    writing: str = ""
    kinds: tuple[str, ...] = ()
    bystanders: bool = False
    _armed: dict[str, tuple[int, Callable[[Any], None]]] = field(default_factory=dict)
    _healed: dict[frozenset[str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.process = FleetProcess
        self.ward = Ward(self, self.kinds)
        self.before_write = self._about_to_write
        clock = self.swarm.clock
        self.prometheus = Prometheus(
            lambda: self.wanted.get("jobs", 0.0) * QUEUE, lambda: clock.now().wall
        )
        self.prometheus.on_mode = lambda mode: self.note(Numbers(self.now(), mode))
        self.records = Records()
        tap = _Tap()
        tap.world = self
        self.records.writes = tap
        self.swarm.store.watch(self._on_change)
        self._watch_roll_backs()

    def touch(self, name: str) -> float:
        """Seconds for which nothing has been between a process and its engine."""
        process = next(one for one in self.all if one.name == name)
        return self.now() - max(self.hindered.get(process.node, 0.0), process.began_at)

    def note(self, entry: Entry) -> None:
        self.history.add(entry)

    # What was drawn names

    def node_of(self, args: Mapping[str, Any]) -> str:
        node = str(args["node"])
        if node != ACTOR:
            return node
        return next((one.node for one in self.actors()), MANAGERS[0])

    def engine_of(self, args: Mapping[str, Any]) -> SimulatedEngine:
        return self.swarm.engine(self.ids[self.node_of(args)])

    def managers_agents(self) -> list[FleetProcess]:
        """Those that live, frozen ones not among them."""
        nodes = self.swarm.store.nodes
        return [
            cast("FleetProcess", one)
            for one in self.processes.values()
            if one.alive and not one.killed and nodes[one.node_id].role == "manager"
        ]

    # What is done to agents

    def kill_agent(self, node: str) -> None:
        if node in self.processes:
            self.kill(node)

    def freeze(self, process: Any) -> None:
        process.freeze()

    def thaw(self, process: Any) -> None:
        """Unless its container was killed meanwhile: nothing thaws that."""
        if not process.killed and not self.closing:
            process.thaw()

    def stop_agent(self, node: str) -> None:
        """As `docker stop`: SIGTERM, and SIGKILL once it has not ended in time."""
        process = cast("FleetProcess | None", self.processes.get(node))
        if process is None or not process.alive or process.stopping:
            return
        process.stopping = True
        process.tell("told to stop", "holds" if self.holder[0] == process.name else "")
        process.host.context.copy().run(process.stop.set)
        process.run.add_done_callback(lambda _: self._container_ends(process))
        loop = asyncio.get_running_loop()
        loop.call_later(STOPS_WITHIN + 1, self._container_ends, process)

    def _container_ends(self, process: FleetProcess) -> None:
        for task_id, one in self._tasks.items():
            if one is process and task_id in self.swarm.store.tasks and not self.closing:
                process.kill()
                if not self.swarm.store.tasks[task_id].state.ended:
                    self.swarm.end_task(task_id, 0)

    def arm(self, node: str, steps: int, then: Callable[[Any], None], now: bool = False) -> None:
        """When its agent is about to write next it takes so many steps more; `then` gets it.

        now: before it has taken any, and so before it has read the service again.
        """
        self._armed[node] = (-1 if now else steps, then)

    def disarm(self) -> None:
        """Nobody waits for a write any more."""
        self._armed.clear()

    def freeze_for(self, process: Any, seconds: float) -> None:
        process.freeze()
        asyncio.get_running_loop().call_later(seconds, self.thaw, process)

    async def _about_to_write(self, process: Any, decision: Decision) -> None:
        self.writing = decision.service_name
        armed = self._armed.pop(process.node, None)
        if armed is None:
            return
        left, act = armed

        def then(process: Any) -> None:
            # What follows from it, say a Swarm that reacts, must not stand still with the process.
            self.world.copy().run(act, process)

        if left < 0:
            then(process)
            return

        def step(_: object) -> None:
            nonlocal left
            left -= 1
            if left >= 0:
                return
            process.host.before = None
            then(process)

        process.host.before = step

    def close(self) -> None:
        """Nobody freezes any more what is to come to its end."""
        self._armed.clear()
        for process in self.all:
            process.host.before = None
        super().close()

    def node_fails(self, node: str) -> None:
        process = self.processes.get(node)
        if process is not None:
            process.kill()
        self.swarm.engine(self.ids[node]).cut_off()
        self.swarm.node_down(self.ids[node])

    def node_returns(self, node: str) -> None:
        self.swarm.engine(self.ids[node]).restore()
        self.swarm.node_ready(self.ids[node])

    def nodes_heard(self, node_ids: Iterable[str]) -> None:
        """What managers did not know of is there."""
        for node_id in node_ids:
            state = self.swarm.node(node_id).state
            if state in (NodeState.UNKNOWN, NodeState.DISCONNECTED):
                self.swarm.node_ready(node_id)

    # What people do

    def rule_text(self, high: int = HIGH) -> str:
        spared = bystanders.TEXT if self.bystanders else ""
        return rule_text(high, self.ward.rules() + spared)

    def use_files(self, text: str) -> None:
        self.good_files.add(text)
        self.files.update(dict.fromkeys((*MANAGERS, *WORKERS), text))

    def set_load(self, name: str, wanted: float) -> None:
        self.wanted[name] = wanted
        self.note(Loaded(self.now(), name, wanted))
        self.swarm.set_load(name, 0.1 if name == "jobs" else wanted * TARGET)

    def pause(self, name: str, seconds: float, scope: PauseScope = PauseScope.SERVICE) -> None:
        """name: of a service or a rule, "" for all."""
        for process in self.actors():
            process.host.start(self._pause(cast("FleetProcess", process), scope, name, seconds))

    async def _pause(
        self, process: FleetProcess, scope: PauseScope, name: str, seconds: float
    ) -> None:
        desk = process.core.controller
        now = process._clock.now()
        pauses = desk.pauses.having(scope, name, seconds, now, by="ann")
        if not await desk.keep_pauses(pauses):
            left = seconds - (self.now() - now.mono)
            self.note(Paused(self.now(), process.name, name, left, str(scope)))

    def remove_config(self, name: str) -> None:
        if any(config.name == name for config in self.swarm.store.configs.values()):
            self.swarm.remove_config(name)

    # What is put on record

    def look(self) -> None:
        seen = len(self.twice)
        super().look()
        for text in self.twice[seen:]:
            self.note(Twice(self.now(), text))

    def heal(self, one: str, other: str) -> None:
        super().heal(one, other)
        self._healed[frozenset((one, other))] = self.now()

    def cut_lately(self, one: str, other: str) -> bool:
        pair = frozenset((one, other))
        return pair in self._cuts or self.now() - self._healed.get(pair, -1e9) < JUST_NOW

    def _watch_roll_backs(self) -> None:
        """Those of people; updates are watched by the records."""
        roll_back = self.swarm.roll_back

        def recorded(service_id: str, version: int) -> None:
            service = self.swarm.service(service_id)
            was, state, before = service.version, service.update_state, service.spec
            after = service.previous_spec or before
            roll_back(service_id, version)
            self.note(
                Arrived(
                    *(self.now(), "", service_id, service.name, version, was, state, False),
                    *(before, after),
                )
            )

        self.swarm.roll_back = recorded  # type: ignore[method-assign]

    def _on_change(self, change: Change) -> None:
        new, old, now = change.new, change.old, self.now()
        if isinstance(new, SimTask):
            self.changed[f"tasks {new.service_id}"] = now
            self.ward.task_changed(new, old)
        elif isinstance(new, SimNode):
            self.changed[new.id] = now
            self.ward.node_changed(new)
            if NodeState.DOWN in (new.state, old.state if isinstance(old, SimNode) else None):
                self.was_down[new.id] = now
        elif isinstance(new, SimService):
            self.changed[new.id] = now
            if mode_of(new.spec) == "Replicated":
                self.note(Stood(now, new.id, new.version, replicas_of(new.spec)))
            if isinstance(old, SimService):
                self.superseded[new.id, old.version] = now
                if old.update_state != new.update_state:
                    self.note(Rolled(now, new.name, new.version, new.update_state))
        elif isinstance(new, SimConfig):
            self._config_changed(change, new, now)

    def _config_changed(self, change: Change, config: SimConfig, now: float) -> None:
        if change.action == "remove":
            self.note(Removed(now, config.name))
        if config.name != CONFIG:
            return
        if change.action == "remove":
            self.holder = ("", now)
            return
        with suppress(ValueError):
            claim = read_claim(config.labels)
            if claim.holder != self.holder[0] and claim.holder and not claim.released:
                touch, clocks = self.touch(claim.holder), bool(self.skews)
                self.note(TookOver(now, claim.holder, touch, clocks))
            self.holder = ("" if claim.released else claim.holder, now)
            self.note(Leased(now, claim.holder, claim.term, claim.beat, claim.released))


def _swarm(plan: Plan) -> Swarm:
    swarm = Swarm(seed=plan.seed, reaction=plan.setting["reaction"])
    for name in MANAGERS:
        swarm.add_node(name, "manager", cpu_cores=16.0)
    for name in WORKERS:
        swarm.add_node(name, cpu_cores=16.0)
    swarm.behaviours["app:crashing"] = Behaviour(exit_after=2.0)
    return swarm


@asynccontextmanager
async def world(plan: Plan) -> AsyncIterator[World]:
    """Its services exist and its agents begin; none of it is awaited."""
    made = World(
        *(_swarm(plan), ()),
        kinds=tuple(plan.setting.get("ailing", ())),
        bystanders=plan.setting.get("bystanders", False),
    )
    with capture_logs() as logs:
        made.logs = logs
        async with made.pipes.open():
            try:
                made.use_files(made.rule_text())
                made.deploy()
                updates = (ROLLS_BACK, SLOW, FAST) if plan.setting["slow_rollouts"] else (FAST,) * 3
                for name, update in zip(SERVICES, updates, strict=True):
                    made.swarm.create_service(
                        name, replicas=2, cpu_limit=0.5, memory_limit=100 * MIB, update=update
                    )
                    made.set_load(name, 3.0)
                made.ward.open()
                if made.bystanders:
                    bystanders.opened(made.swarm)
                yield made
            finally:
                made.history.closed = True
                made.close()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([one.run for one in made.all])
