"""What the web room asks: the Swarm, the rules and the decisions at a glance."""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Protocol

from monitor import __version__
from monitor.agent.fleet import Fleet
from monitor.agent.identity import Identity
from monitor.agent.operations import OperatorDesk
from monitor.agent.task_logs import TaskLogs
from monitor.cluster.ends import Ends
from monitor.cluster.mirror import Mirror
from monitor.cluster.standing import MirrorState
from monitor.control.assignment import names_nobody_has
from monitor.control.book import Entry
from monitor.control.by_hand import ByHand
from monitor.control.controller import Controller
from monitor.control.node_control import NodeControl
from monitor.engine.liveness import Liveness
from monitor.export.block import Block
from monitor.export.exposition import Exposition
from monitor.model.cause import TaskEnd
from monitor.model.logs import TaskLog
from monitor.model.peer import PeerState
from monitor.model.rule import AnyRule, NodeRule, RestartRule, ScaleRule
from monitor.model.usage import MetricKind
from monitor.model.view import ServiceView
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock
from monitor.ports.usage import UsageSource
from monitor.rulefile.watch import WatchedRules
from monitor.usage.sampler import Sampler
from monitor.web.state import (
    ActingAgent,
    AgentStatus,
    DecisionEntry,
    NodeStatus,
    Operations,
    RuleStatus,
    ServiceStatus,
    Status,
)

_WINDOW = 15.0


class Holding(Protocol):
    """The lease: who may act."""

    def term(self) -> int | None: ...

    @property
    def holder(self) -> tuple[str, str] | None: ...


class AgentState:
    """A `monitor.web.state.WebState` over the parts of one agent; every answer is from memory.

    refresh_exposition: brings the exposition's inputs up to date right before a scrape.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        mirror: Mirror,
        controller: Controller,
        nodes: NodeControl,
        rules: WatchedRules,
        sampler: Sampler,
        liveness: Liveness,
        actorship: Actorship,
        lease: Holding,
        usage: UsageSource,
        fleet: Fleet | None,
        ends: Ends,
        logs: TaskLogs,
        exposition: Exposition,
        refresh_exposition: Callable[[], None],
        clock: Clock,
        by_hand: ByHand | None = None,
    ) -> None:
        self.operations: Operations = OperatorDesk(
            controller=controller,
            mirror=mirror,
            actorship=actorship,
            clock=clock,
            by_hand=by_hand,
        )
        self._identity = identity
        self._mirror = mirror
        self._controller = controller
        self._nodes = nodes
        self._rules = rules
        self._sampler = sampler
        self._liveness = liveness
        self._actorship = actorship
        self._lease = lease
        self._usage = usage
        self._fleet = fleet
        self._ends = ends
        self._logs = logs
        self._exposition = exposition
        self._refresh_exposition = refresh_exposition
        self._clock = clock

    async def metrics(self, *, openmetrics: bool, names: frozenset[str]) -> Sequence[Block]:
        self._refresh_exposition()
        return await self._exposition.scrape(
            openmetrics=openmetrics,
            cluster=self._lease.term() is not None,
            fresh=self._mirror.fresh and self._liveness.up,
            names=names,
        )

    def acting_agent(self) -> ActingAgent | None:
        return None if self._fleet is None else self._fleet.acting_agent()

    def not_ready(self) -> str | None:
        if not self._liveness.up:
            return self._liveness.why
        if self._identity.swarm_state not in ("active", ""):
            return (
                f"this engine is not part of a Swarm (it says {self._identity.swarm_state!r}): "
                "run docker swarm init or docker swarm join"
            )
        if self._mirror.state is MirrorState.WORKER:
            return None if self._fleet is None else self._fleet.not_ready()
        if self._mirror.fresh:
            return None
        return self._mirror.why or "the Swarm's nodes, services and tasks were not read yet"

    def status(self) -> Status:
        names_missing = names_nobody_has(self._controller.rules, self._mirror.services().values())
        running, drained = self._running_by_node(), self._nodes.drained()
        return Status(
            nodes=tuple(
                NodeStatus(
                    node.id,
                    node.name,
                    node.role,
                    str(node.state),
                    str(node.availability),
                    node.leader,
                    running.get(node.id, 0),
                    node.engine_version,
                    *drained.get(node.id, ("", None)),
                )
                for node in sorted(self._mirror.nodes().values(), key=lambda node: node.name)
            ),
            services=tuple(
                self._service(view)
                for view in sorted(self._views(), key=lambda view: view.service.name)
            ),
            rules=tuple(
                self._rule(rule, names_missing.get(rule.name, ()))
                for rule in self._controller.rules.rules
            )
            + tuple(self._rule(rule, ()) for rule in self._controller.assignments.label_rules())
            + tuple(self._node_rule(rule) for rule in self._controller.rules.node_rules),
            agents=(self._agent(), *self._others()),
            actor=self._actor(),
            problems=(
                *self._rules.problems(),
                *self._controller.assignments.conflicts(),
                *self._controller.assignments.label_problems(),
            ),
            pauses=tuple(self.operations.pauses()),
        )

    def service_names(self) -> Sequence[str]:
        return sorted(service.name for service in self._mirror.services().values())

    def tasks(self, service_name: str) -> Sequence[TaskEnd] | None:
        found = self._ends.of(service_name)
        known = found or service_name in self.service_names()
        return found if known else None

    async def logs(self, ends: Sequence[TaskEnd]) -> Mapping[str, TaskLog]:
        return await self._logs.of(ends)

    def decisions(self) -> Mapping[str, Sequence[DecisionEntry]]:
        found: dict[str, list[DecisionEntry]] = {}
        for entry in reversed(self._controller.book.entries()):
            found.setdefault(entry.decision.subject_name, []).append(_shown(entry))
        return found

    def _views(self) -> list[ServiceView]:
        views = (
            self._mirror.view(service_id, room=False) for service_id in self._mirror.services()
        )
        return [view for view in views if view is not None]

    def _running_by_node(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for view in self._views():
            for task in view.running_tasks:
                counts[task.node_id] = counts.get(task.node_id, 0) + 1
        return counts

    def _service(self, view: ServiceView) -> ServiceStatus:
        service = view.service
        latest = [
            entry.decision
            for entry in self._controller.book.latest()
            if entry.decision.service_id == service.id
        ]
        newest = max(latest, key=lambda decision: decision.time.mono, default=None)
        return ServiceStatus(
            id=service.id,
            name=service.name,
            mode=str(service.mode),
            desired=view.desired,
            running=len(view.running_tasks),
            stack=service.stack,
            image=service.image,
            update_state=str(service.update_state) if service.update_state else None,
            rules=tuple(claim.rule.name for claim in self._controller.claims(service)),
            cpu=self._mean(view, MetricKind.CPU),
            memory=self._mean(view, MetricKind.MEMORY),
            last_decision=newest,
        )

    def _mean(self, view: ServiceView, kind: MetricKind) -> float | None:
        tasks = (task.id for task in view.running_tasks)
        now = self._clock.now().mono
        samples = self._usage.samples(tasks, kind, _WINDOW, _WINDOW, now)
        return fmean(sample.value for sample in samples.values()) if samples else None

    def _rule(self, rule: AnyRule, missing: Sequence[str]) -> RuleStatus:
        services = tuple(
            service.name
            for service in self._mirror.services().values()
            if rule.selector.matches(service)
        )
        problems = tuple(f"no service is named {name} (yet)" for name in missing)
        kind = {ScaleRule: "scale", RestartRule: "restart"}.get(type(rule), "rebalance")
        return RuleStatus(rule.name, kind, str(rule.mode), rule.source, services, problems)

    def _node_rule(self, rule: NodeRule) -> RuleStatus:
        nodes = sorted(
            node.name for node in self._mirror.nodes().values() if rule.selector.matches(node)
        )
        return RuleStatus(rule.name, "node", str(rule.mode), rule.source, nodes=tuple(nodes))

    def _actor(self) -> str | None:
        holder = self._lease.holder
        return None if holder is None else holder[1]

    def _others(self) -> list[AgentStatus]:
        """As they say of themselves, or why they are not heard; by node name."""
        peers = {} if self._fleet is None else self._fleet.peers()
        nodes = self._mirror.nodes()
        found = []
        for peer in peers.values():
            node, about = nodes.get(peer.node_id), peer.about
            up = peer.state is PeerState.UP
            found.append(
                AgentStatus(
                    node_id=peer.node_id,
                    node_name=node.name if node is not None else peer.node_id,
                    role=node.role if node is not None else "",
                    version="" if about is None else about.release,
                    ready=up,
                    acting=up and about is not None and about.acting,
                    fresh=up,
                    message="" if up else peer.why or f"its stream is {peer.state}",
                )
            )
        return sorted(found, key=lambda agent: agent.node_name)

    def _agent(self) -> AgentStatus:
        acting = self._actorship.term() is not None
        not_ready = self.not_ready()
        return AgentStatus(
            node_id=self._identity.node_id,
            node_name=self._identity.node_name,
            role=self._identity.role,
            version=__version__,
            ready=not_ready is None,
            acting=acting,
            fresh=self._mirror.fresh,
            message=not_ready or ("" if acting else self._actorship.why_not()),
        )


def _shown(entry: Entry) -> DecisionEntry:
    outcome = entry.outcome
    return DecisionEntry(
        entry.decision,
        entry.since.wall,
        entry.repeats,
        None if outcome is None else str(outcome.kind),
        "" if outcome is None else outcome.detail,
        entry.recorded,
    )
