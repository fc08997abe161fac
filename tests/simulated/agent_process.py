"""One agent as a process of a simulated Swarm: its engine, its clock, its end at any moment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitor.agent.core import Core
from monitor.agent.fleet import Fleet
from monitor.agent.shared import Shared
from monitor.control.observer import Observer
from monitor.fleet.lease import Lease
from monitor.fleet.secret import Secret
from monitor.fleet.server import StreamServer
from monitor.model.decision import Decision
from monitor.model.event import Event
from monitor.model.now import Now
from monitor.model.outcome import Outcome
from monitor.model.peer import Peer
from monitor.model.rule import RuleSet
from monitor.ports.clock import Clock
from monitor.ports.errors import NotAManager, Unreachable
from monitor.simulate.engine import SimulatedEngine
from tests.simulated.bench import NOWHERE
from tests.simulated.hosts import Host, in_world

if TYPE_CHECKING:
    from tests.simulated.agents import Agents

PORT = 9581
SECRET = b"a secret of a fleet under test"
_SWARM_CALLS = frozenset(
    {"nodes", "node", "services", "service", "tasks", "update_service", "update_node", "config"}
    | {"create_config", "update_config"}
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A write to a service when it left the agent. term: of its lease as it knew then.

    unheard: seconds for which nothing can have come from the agents of the nodes on which tasks
    of the service ran, the longest of them.
    """

    at: float
    process: str
    decision: str
    term: int | None
    unheard: float


@dataclass(eq=False)
class Cable:
    """A process's way to its node's engine; calls go on when the process does not.

    cut: whether the node is cut off from the other managers.
    """

    engine: SimulatedEngine
    process: "Process"

    async def _through(self, method: str, *args: Any) -> Any:
        if self.process.killed:  # what is left of it ends with the test, and reaches nobody
            raise Unreachable("this process was killed")
        if self.process.node in self.process.fleet.partitioned and method in _SWARM_CALLS:
            raise NotAManager("The swarm does not have a leader.")
        call = in_world(getattr(self.engine, method)(*args))
        call.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(call)

    async def update_service(self, service_id: str, version: int, spec: Mapping[str, Any]) -> None:
        task = asyncio.current_task()
        self.process.sends(service_id)
        name = task.get_name() if task else ""
        assert name.startswith("write "), name
        task.set_name(f"write {self.process.name}|{name.removeprefix('write ')}")
        try:
            await self._through("update_service", service_id, version, spec)
        finally:
            if task:
                task.set_name(name)  # it may send again

    async def update_node(self, node_id: str, version: int, spec: Mapping[str, Any]) -> None:
        task = asyncio.current_task()
        self.process.sets(node_id)
        name = task.get_name() if task else ""
        assert name.startswith("write "), name
        task.set_name(f"write {self.process.name}|{name.removeprefix('write ')}")
        try:
            await self._through("update_node", node_id, version, spec)
        finally:
            if task:
                task.set_name(name)

    async def stop_container(self, container_id: str, grace: int | None) -> None:
        """Ends also where who asked for it does not live to see it."""
        if self.process.killed:
            raise Unreachable("this process was killed")
        stop = in_world(self.process.stop_container(container_id, grace))
        stop.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(stop)

    def events(self, since_ns: int | None) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self.engine.events(since_ns)

    def __getattr__(self, method: str) -> Any:
        if method not in _SWARM_CALLS:  # what is no Swarm's business cannot come late
            return getattr(self.engine, method)
        return lambda *args: self._through(method, *args)


@dataclass
class Observed:
    """Puts what a process decides on the record of all, under ids that name the process."""

    process: "Process"

    def decided(self, decision: Decision, new: bool) -> None:
        named = replace(decision, id=f"{self.process.name}|{decision.id}")
        self.process.decisions[decision.id] = decision
        self.process.latest[decision.rule, decision.service_name] = decision
        self.process.fleet.records.decisions.append(named)

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        named = replace(decision, id=f"{self.process.name}|{decision.id}")
        self.process.fleet.records.outcomes.append((named, outcome))

    def learned(self, decision: Decision, outcome: Outcome | None) -> None: ...

    def forgot(self, rule: str, service_name: str) -> None: ...


class Process:
    """One run of an agent on a node, as a task of the agents' service."""

    def __init__(self, fleet: "Agents", node: str, node_id: str, number: int) -> None:
        self.fleet, self.node, self.node_id = fleet, node, node_id
        self.name = f"{node}-{number}"
        self.address = f"{self.name}:{PORT}"
        self.began_at = fleet.now()
        self.silent_since: float | None = None
        self.killed = False
        self.decisions: dict[str, Decision] = {}
        self.latest: dict[tuple[str, str], Decision] = {}
        self.host = Host(self.name)
        self.host.context.run(self._build)
        self.run = self.host.start(self._live())
        self.run.add_done_callback(lambda _: self._falls_silent())

    def _build(self) -> None:
        fleet, clock = self.fleet, Skewed(self.fleet, self.node)
        self.stop = asyncio.Event()
        self.core = Core(
            Cable(fleet.swarm.engine(self.node_id), self),  # type: ignore[arg-type]
            clock,
            observer=self.observer(),
            on_event=self._heard,
            own_service_id=fleet.service_id,
            shared=Shared(boot_id=self.name, digest=self.digest, peers=self._peers),
            before_write=self._before_write,
            proc_root=NOWHERE,
            cgroup_root=NOWHERE,
            **self.core_parts(clock),
        )
        self.streams = Fleet(
            core=self.core,
            clock=clock,
            secret=Secret(value=fleet.secrets.get(self.node, SECRET)),
            host="",
            port=PORT,
            boot_id=self.name,
            digest=self.digest,
            http_port=lambda: 9580,
            on_event=lambda _: None,
            connect=fleet.connector(self),
            serve=self._serve,
        )
        self.use_first_rules()
        lease = self.core.lease
        assert isinstance(lease, Lease)
        grant = lease._grant

        def granted(term: int, sent: float) -> None:
            grant(term, sent)
            fleet.look()

        lease._grant = granted  # type: ignore[method-assign]

    # What others may make differently

    def observer(self) -> Observer:
        return Observed(self)

    def core_parts(self, clock: Clock) -> dict[str, Any]:
        """More arguments of the Core."""
        return {}

    def use_first_rules(self) -> None:
        rules = RuleSet(self.fleet.rules, node_rules=self.fleet.node_rules)
        self.core.controller.use_rules(rules)

    def beside(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs beside the core, by name."""
        return {"fleet": self.streams.run}

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(run(), name=name) for name, run in self.beside().items()]
            await self.core.run(self.stop)
            for part in beside:
                part.cancel()

    @asynccontextmanager
    async def _serve(self, server: StreamServer) -> AsyncIterator[None]:
        async with server.open():
            self.fleet.pipes.listen(self.address, server.attend)
            try:
                yield
            finally:
                self.fleet.pipes.unlisten(self.address)

    async def _before_write(self, decision: Decision) -> None:
        await self.fleet.before_write(self, decision)

    def _heard(self, event: Event) -> None:
        self.streams.tell(event)

    def _peers(self) -> Mapping[str, Peer]:
        return self.streams.peers()

    def digest(self) -> str:
        return self.fleet.digests.get(self.node, "d1")

    async def stop_container(self, container_id: str, grace: int | None) -> None:
        """Its engine is told to; not on this process's time."""
        await self.fleet.swarm.engine(self.node_id).stop_container(container_id, grace)

    def sets(self, node_id: str) -> None:
        """A write to a node leaves this process."""

    def sends(self, service_id: str) -> None:
        """A write to a service leaves this process."""
        task = asyncio.current_task()
        decision = task.get_name().removeprefix("write ") if task else ""
        self.fleet.sent.append(
            Sent(
                self.fleet.now(),
                self.name,
                decision,
                self.core.lease.term(),
                self.fleet.unheard(self, service_id),
            )
        )

    @property
    def alive(self) -> bool:
        return not self.run.done() and not self.host.frozen

    @property
    def acts(self) -> bool:
        return self.core.actorship.term() is not None

    def reason(self, service: str = "web") -> str:
        """Of its newest decision on the service."""
        found = [one for (_, name), one in self.latest.items() if name == service]
        return max(found, key=lambda one: one.time.mono).reason.value if found else ""

    def silent_for(self) -> float:
        """Seconds since nothing more came from it."""
        return 0.0 if self.silent_since is None else self.fleet.now() - self.silent_since

    def _falls_silent(self) -> None:
        if self.silent_since is None:
            self.silent_since = self.fleet.now()

    def freeze(self) -> None:
        if self.alive:
            self._falls_silent()
            self.host.freeze()

    def thaw(self) -> None:
        self.silent_since = None
        self.host.thaw()

    def kill(self) -> None:
        """SIGKILL: its ports are gone, nothing of it runs any more, its connections break."""
        if self.run.done():
            return
        self.killed = True
        self.host.freeze()
        self._falls_silent()
        self.fleet.pipes.unlisten(self.address)
        self.fleet.hang_up(self)


@dataclass
class Skewed:
    """A node's clock: the wall of each may be off."""

    fleet: "Agents"
    node: str

    def now(self) -> Now:
        now = self.fleet.swarm.clock.now()
        if not self.fleet.skews:
            return now
        skew = self.fleet.skews.get(self.node)
        return Now(now.mono, now.wall + skew) if skew else now

    def random(self) -> float:
        return self.fleet.swarm.clock.random()
