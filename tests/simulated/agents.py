"""The agents of a whole Swarm at work: 3 managers and 2 workers, streams between all of them.

    async def run() -> None:
        async with agents(rule) as made:
            await made.service("web", replicas=2, cpu_limit=0.5)
            made.swarm.set_load("web", 2.0)
            await made.until(lambda: made.replicas() == 8, within=60)

    run_on_hosts(run(), limit=600)

They live as the tasks of a global service, so that Swarm starts and stops them and they find each
other as they do anywhere: a process begins when its task runs, is told to stop when the task is to
end, and is gone at once when the task failed. Whatever is sent to an engine arrives, also when who
sent it is frozen or dead by then.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from structlog.testing import capture_logs

from monitor.fleet.pipes import PipeEnd, Pipes
from monitor.fleet.wire import Wire
from monitor.model.decision import Decision
from monitor.model.rule import AnyRule, NodeRule
from monitor.model.task import TaskState
from monitor.simulate.executor import Behaviour
from monitor.simulate.state import SimTask
from monitor.simulate.store import Change
from monitor.simulate.swarm import Swarm
from tests.simulated.agent_process import Process, Sent
from tests.simulated.bench import Records, _replicas

MANAGERS, WORKERS = ("m1", "m2", "m3"), ("w1", "w2")
AGENTS = "monitor"


async def _nothing(process: Process, decision: Decision) -> None: ...


class Network(Pipes):
    """Addresses are those of processes; what is cut are their nodes."""

    async def passable(self, one: str, other: str) -> None:
        await super().passable(one.rpartition("-")[0], other.rpartition("-")[0])


@dataclass
class Agents:
    """rules, digests, secrets, skews: what processes that begin from now on get, by node."""

    swarm: Swarm
    rules: tuple[AnyRule, ...]
    node_rules: tuple[NodeRule, ...] = ()
    pipes: Pipes = field(default_factory=Network)
    records: Records = field(default_factory=Records)
    sent: list[Sent] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)
    skews: dict[str, float] = field(default_factory=dict)
    partitioned: set[str] = field(default_factory=set)
    processes: dict[str, Process] = field(default_factory=dict)
    all: list[Process] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)
    before_write: Callable[[Process, Decision], Any] = _nothing
    process: type[Process] = Process
    service_id: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    closing: bool = False
    world: contextvars.Context = field(default_factory=contextvars.copy_context)
    _places: dict[str, Process] = field(default_factory=dict)
    _tasks: dict[str, Process] = field(default_factory=dict)
    _wires: list[tuple[Process, Process, PipeEnd]] = field(default_factory=list)
    _cuts: dict[frozenset[str], float] = field(default_factory=dict)

    def now(self) -> float:
        return self.swarm.mono()

    def decided(self, sent: Sent) -> Decision:
        process = next(one for one in self.all if one.name == sent.process)
        return process.decisions[sent.decision]

    # Swarm starts and stops them

    def deploy(self) -> None:
        """The agents' service, whose tasks they are."""
        self.records.watch(self.swarm)
        self.swarm.behaviours.setdefault("monitor:1", Behaviour(stop=5.0, start=0.3))
        self.swarm.behaviours.setdefault("monitor:2", Behaviour(stop=5.0, start=0.3))
        self.ids = {node.name: node.id for node in self.swarm.store.nodes.values()}
        self.swarm.store.watch(self._follow)
        self.service_id = self.swarm.create_service(
            AGENTS,
            image="monitor:1",
            replicas=None,
            networks=("fleet",),
            update={"Parallelism": 1, "FailureAction": "continue"},
        )

    def _follow(self, change: Change) -> None:
        task = change.new
        if not isinstance(task, SimTask) or task.service_id != self.service_id or self.closing:
            return
        process = self._tasks.get(task.id)
        ends = task.state.ended or task.desired > TaskState.RUNNING
        if process is None:
            if task.state is TaskState.RUNNING and not ends:
                self._begin(task)
        elif task.state.ended or change.action == "remove":
            process.kill()
            left = [one for one in self.all if one.node == process.node and one.alive]
            if left and self.processes[process.node] is process:
                self.processes[process.node] = left[-1]
        elif ends and process.alive:
            process.host.context.copy().run(process.stop.set)

    def _begin(self, task: SimTask) -> None:
        """There may be two on a node for a moment, each at its own address."""
        node = self.swarm.node(task.node_id).name
        process = self.world.copy().run(self.process, self, node, task.node_id, len(self.all))
        for _, host in self.swarm.catalogue.task(task).addresses:
            self._places[host] = process
        self.processes[node] = self._tasks[task.id] = process
        self.all.append(process)

    def kill(self, node: str) -> None:
        """The agent there dies, and its container with it; Swarm starts another one."""
        process = self.processes[node]
        for task_id, one in self._tasks.items():
            if one is process and task_id in self.swarm.store.tasks:
                process.kill()
                self.swarm.end_task(task_id)

    # Streams

    def connector(self, process: Process) -> Any:
        connect = self.pipes.connector(process.name)

        @asynccontextmanager
        async def by_address(address: str) -> AsyncIterator[Wire]:
            there = self._places[address.rpartition(":")[0]]
            async with connect(there.address) as wire:
                known = (process, there, wire)
                self._wires.append(known)  # type: ignore[arg-type]
                try:
                    yield wire
                finally:
                    self._wires.remove(known)  # type: ignore[arg-type]

        return by_address

    def hang_up(self, process: Process) -> None:
        """What the kernel does with the connections of a process that died."""
        for owner, there, wire in list(self._wires):
            if owner is process:
                wire.other.hang_up(1006)
            elif there is process:
                wire.hang_up(1006)

    def cut(self, one: str, other: str) -> None:
        self.pipes.cut(one, other)
        self._cuts.setdefault(frozenset((one, other)), self.now())

    def heal(self, one: str, other: str) -> None:
        self.pipes.heal(one, other)
        self._cuts.pop(frozenset((one, other)), None)

    def cut_all(self) -> None:
        for one in self.ids:
            for other in self.ids:
                if one < other:
                    self.cut(one, other)

    def heal_all(self) -> None:
        for pair in list(self._cuts):
            self.heal(*sorted(pair))

    def unheard(self, process: Process, service_id: str) -> float:
        """See `Sent`."""
        longest = 0.0
        for task in self.swarm.running(service_id):
            node = self.swarm.node(task.node_id).name
            if node == process.node:
                continue
            there = [one.silent_for() for one in self.all if one.node == node]
            longest = max(longest, min(there, default=0.0))
            since = [self._cuts.get(frozenset((node, process.node)))]
            longest = max([longest, *(self.now() - at for at in since if at is not None)])
        return longest

    # Who acts

    def look(self) -> None:
        """The witness: notes every moment with two holders, frozen ones included, not dead ones."""
        held = [
            (one.name, one.core.lease.term())
            for one in self.all
            if not one.killed and not one.run.done() and one.core.lease.term() is not None
        ]
        if len(held) > 1:
            self.twice.append(f"{self.now():.3f}: {held}")

    def actors(self) -> list[Process]:
        """There may be two agents on a node for as long as the Swarm leaves them there."""
        return [one for one in self.all if one.alive and one.acts]

    def actor(self) -> Process:
        (found,) = self.actors()
        return found

    async def acting(self, *, but: Process | None = None, within: float = 30.0) -> Process:
        """The one that acts, once one does that is not `but`."""
        await self.until(lambda: any(one is not but for one in self.actors()), within)
        return next(one for one in self.actors() if one is not but)

    # What people do and see

    async def service(self, name: str = "web", **parts: Any) -> str:
        service_id = self.swarm.create_service(name, **({"cpu_limit": 0.5} | parts))
        await self.swarm.converged(name)
        return service_id

    def replicas(self, name: str = "web") -> int:
        return _replicas(self.swarm.service(name).spec)

    def restarts(self, name: str = "web") -> int:
        return self.swarm.service(name).spec["TaskTemplate"].get("ForceUpdate", 0)

    async def until(self, met: Callable[[], object], within: float = 60.0) -> float:
        """Seconds it took; fails with what the agents say."""
        start = self.now()
        while not met():
            if self.now() - start > within:
                raise AssertionError(f"not within {within:g} s; {self.told()}")
            await asyncio.sleep(0.1)
        return self.now() - start

    def told(self) -> str:
        said = []
        for one in self.processes.values():
            why = "" if one.acts else one.core.actorship.why_not()
            newest = [decision.sentence for decision in one.latest.values()]
            said.append(f"{one.name} {'acts' if one.acts else why}: {newest}")
        return "\n".join(said)

    async def ready(self) -> None:
        """All agents run, one acts, and every manager's hears all others."""
        await self.until(lambda: len(self.processes) == len(self.ids) and self.actors(), 60)
        await self.until(lambda: all(self.hears_all(name) for name in MANAGERS), 30)

    def hears_all(self, node: str) -> bool:
        peers = self.processes[node].streams.peers()
        return len(peers) == len(self.ids) - 1 and all(p.state == "up" for p in peers.values())

    def close(self) -> None:
        self.closing = True
        for one in self.all:
            one.run.cancel()
            one.host.thaw()
        self.swarm.close()


def five_nodes(**parts: Any) -> Swarm:
    swarm = Swarm(**parts)
    for name in MANAGERS:
        swarm.add_node(name, "manager", cpu_cores=16.0)
    for name in WORKERS:
        swarm.add_node(name, cpu_cores=16.0)
    return swarm


@asynccontextmanager
async def agents(
    *rules: AnyRule, swarm: Swarm | None = None, wait: bool = True, **parts: Any
) -> AsyncIterator[Agents]:
    """At the end it is checked what must hold whatever happens."""
    made = Agents(swarm or five_nodes(), rules, **parts)
    with capture_logs() as logs:
        made.logs = logs
        async with made.pipes.open():
            try:
                made.deploy()
                if wait:
                    await made.ready()
                yield made
                check(made)
            finally:
                made.close()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([one.run for one in made.all])


def check(made: Agents) -> None:
    """One holder at a time, one write per decision, terms that only grow, no agent that broke."""
    assert not made.twice, made.twice[:3]
    for one in made.all:
        if one.run.done() and not one.run.cancelled() and one.run.exception() is not None:
            raise AssertionError(f"{one.name} ended by itself") from one.run.exception()
    holders: dict[int, str] = {}
    highest = 0
    seen: set[str] = set()
    for sent in made.sent:
        assert sent.term is not None, sent
        assert sent.term >= highest, f"a write under a term that is over: {sent}"
        highest = sent.term
        assert holders.setdefault(sent.term, sent.process) == sent.process, sent
        assert sent.decision not in seen, f"two writes of {sent.decision}"
        seen.add(sent.decision)
