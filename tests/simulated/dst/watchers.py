"""Looks at the fleet from outside while a plan is lived: what agents hold, and what they show."""

import asyncio
import re
from typing import TYPE_CHECKING, NoReturn

from monitor.cluster.standing import MirrorState
from monitor.simulate.spec import mode_of, replicas_of
from monitor.simulate.state import SimService
from tests.simulated.dst.history import Compared, Scraped, Unsaid
from tests.simulated.dst.process import FleetProcess
from tests.simulated.dst.said import counted, miscounted, unsaid

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

TICK = 1.0
COMPARE_EVERY = 5.0
SCRAPE_EVERY = 7.0
REPAIRED_WITHIN = 35.0
"""Seconds: a re-list begins 30 s after the one before has ended, and takes a moment."""

SCRAPE_MAY_TAKE = 5.0
_HINDERED = 0.1  # seconds of latency up to which an engine counts as quick
_DESIRED = re.compile(
    r'^swarm_service_replicas_desired\{[^}]*service_name="([^"]+)"[^}]*\} (\S+)', re.MULTILINE
)
_UP = re.compile(r"^swarm_docker_up (\d)", re.MULTILINE)


class Watchers:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._away_since: dict[str, float | None] = {}
        self._scraping: set[asyncio.Task[None]] = set()

    async def run(self) -> NoReturn:
        tick = 0
        while True:
            tick += 1
            self._look()
            for process in self._world.managers_agents():
                process.look_at_peers()
            if tick % COMPARE_EVERY == 0:
                for process in self._world.managers_agents():
                    self._compare(process)
                    self._world.ward.look_into(process)
            if tick % SCRAPE_EVERY == 0:
                self._scrape(tick)
            await asyncio.sleep(TICK)

    def _look(self) -> None:
        """Which engines are in the way of their agents now."""
        world, now = self._world, self._world.now()
        for node, node_id in world.ids.items():
            engine = world.swarm.engine(node_id)
            faults = engine.faults
            away = faults.unreachable or not faults.thawed.is_set()
            if not away:
                self._away_since[node] = None
            elif self._away_since.get(node) is None:
                self._away_since[node] = now
            hindered = (
                *(away, faults.latency > _HINDERED, faults.answer_delay, faults._once),
                *(node in world.partitioned, not world.swarm.has_leader),
            )
            if any(hindered):
                world.hindered[node] = now
            process = world.processes.get(node)
            if process is not None and process.host.frozen:
                world.hindered[node] = now

    def _compare(self, process: FleetProcess) -> None:
        if what := unsaid(process):
            self._world.note(Unsaid(self._world.now(), process.name, what))
        touch = self._world.touch(process.name)
        mirror = process.core.mirror
        if touch > REPAIRED_WITHIN and mirror.state is not MirrorState.WORKER:
            wrong = self._wrong(process)
            self._world.note(Compared(self._world.now(), process.name, touch, wrong))

    def _wrong(self, process: FleetProcess) -> str:
        """The first thing that it has not learned although it is old."""
        world, store = self._world, self._world.swarm.store
        latest = world.now() - REPAIRED_WITHIN
        mirror = process.core.mirror
        held = mirror.services()
        for service_id, service in store.services.items():
            known = held.get(service_id)
            if known is None:
                if service.created_ns and world.changed[service_id] < latest:
                    return f"service {service.name} is not known"
            elif known.version != service.version:
                since = world.superseded.get((service_id, known.version), 0.0)
                if since < latest:
                    return f"service {service.name} is held at {known.version}, left at {since:.1f}"
            elif (known.replicas, known.update_state) != _said(service):
                return f"service {service.name} is held with other facts than its version has"
            if known is not None and world.changed.get(f"tasks {service_id}", 0.0) < latest:
                view = mirror.view(service_id)
                assert view is not None
                seen = sorted((t.id, t.state.label, t.desired_state.label) for t in view.tasks)
                true = sorted(
                    (t.id, t.state.label, t.desired.label)
                    for t in store.tasks_of[service_id].values()
                )
                if seen != true:
                    return f"tasks of {service.name}: {set(seen) ^ set(true)}"
        for service_id in held:
            if service_id not in store.services and world.changed[service_id] < latest:
                return f"service {service_id} is held, and gone"
        nodes = mirror.nodes()
        for node_id, node in store.nodes.items():
            seen_node = nodes.get(node_id)
            if world.changed.get(node_id, 0.0) < latest and (
                seen_node is None
                or (str(seen_node.state), str(seen_node.availability))
                != (str(node.state), str(node.availability))
            ):
                return f"node {node.name} is {node.state}, held as {seen_node}"
        return ""

    # What they show

    def _scrape(self, tick: int) -> None:
        """One agent after the other; those whose engine is away as well."""
        world = self._world
        nodes = list(world.ids)
        chosen = {nodes[int(tick / SCRAPE_EVERY) % len(nodes)]}
        chosen |= {node for node, since in self._away_since.items() if since is not None}
        for node in nodes:
            process = world.processes.get(node)
            if node in chosen and process is not None and process.alive and not process.stopping:
                work = process.host.start(self._scraped(process))  # type: ignore[arg-type]
                self._scraping.add(work)
                work.add_done_callback(self._scraping.discard)

    async def _scraped(self, process: FleetProcess) -> None:
        world = self._world
        began = world.now()
        since = self._away_since.get(process.node)
        # What was frozen could notice nothing until it was thawed.
        away = 0.0 if since is None else began - max(since, process.out_of_touch_at)
        before = process.told.outcomes.copy()
        text = await process.exposed.scrape()
        up = _UP.search(text)
        world.note(
            Scraped(
                world.now(),
                process.name,
                world.now() - began,
                away,
                None if up is None else up[1] == "1",
                "swarm_service_replicas_desired{" in text,
                "swarm_task_last_sample_timestamp_seconds{" in text,
                "" if "swarm_agent_" in text else "nothing of the agent itself",
                self._shown_wrong(process, text)
                or miscounted(before, counted(text), process.told.outcomes),
            )
        )

    def _shown_wrong(self, process: FleetProcess, text: str) -> str:
        """A service's replicas that were others for so long that a re-list has told of them."""
        world = self._world
        latest = world.now() - REPAIRED_WITHIN - SCRAPE_MAY_TAKE
        if world.touch(process.name) <= REPAIRED_WITHIN + SCRAPE_MAY_TAKE:
            return ""
        for name, shown in _DESIRED.findall(text):
            service = next((o for o in world.swarm.store.services.values() if o.name == name), None)
            if service is None or mode_of(service.spec) != "Replicated":
                continue
            replicas = replicas_of(service.spec)
            if world.changed[service.id] < latest and int(float(shown)) != replicas:
                return f"{name} wants {shown} replicas, and it has wanted {replicas} for long"
        return ""


def _said(service: SimService) -> tuple[int | None, str | None]:
    replicas = replicas_of(service.spec) if mode_of(service.spec) == "Replicated" else None
    return replicas, service.update_state
