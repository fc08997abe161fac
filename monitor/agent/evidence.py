"""Puts together what restart and rebalance rules may ask for besides the view and usage."""

from collections.abc import Callable, Mapping, Sequence

from monitor.agent.health_log import HealthLog
from monitor.agent.layouts import Layouts
from monitor.agent.restarts_log import RestartsLog
from monitor.cluster.ends import Ends
from monitor.cluster.mirror import Mirror
from monitor.model.cause import TaskEnd
from monitor.model.condition import (
    Cron,
    Exits,
    HealthFlapping,
    OomKills,
    Restarted,
    UnhealthyFor,
)
from monitor.model.evidence import NO_EVIDENCE, Ended, Evidence, Moments, Target
from monitor.model.now import Now
from monitor.model.peer import Peer, PeerState
from monitor.model.rule import AnyRule, Leaf, RebalanceRule, RestartAction, RestartRule
from monitor.model.sources import leaves
from monitor.model.view import ServiceView
from monitor.sources.moments import CronMoments
from monitor.store.deploy_keeper import DeployKeeper
from monitor.store.deploys import deploy_of

_ENDS = (OomKills, Exits, HealthFlapping)
_HEALTH = (UnhealthyFor, HealthFlapping)
"""What looks at them: only what a rule asks for is gathered, once a second for every service."""


class GatheredEvidence:
    """A `monitor.ports.evidence.EvidenceSource` over the parts of one agent.

    peers: other nodes' agents as they are heard; None: nobody asks them. parked: the rule that
    parked a service and the replicas before, None where none did. rebalancing: by service id and
    monotonic time the other service of which a task is being moved, "" where there is none.
    """

    def __init__(
        self,
        *,
        mirror: Mirror,
        ends: Ends,
        health: HealthLog,
        restarts: RestartsLog,
        deploys: DeployKeeper,
        own_node_id: Callable[[], str],
        peers: Callable[[], Mapping[str, Peer]] | None,
        parked: Callable[[str], tuple[str, int] | None],
        layouts: Layouts,
        rebalancing: Callable[[str, float], str],
    ) -> None:
        self._layouts = layouts
        self._rebalancing = rebalancing
        self._parked = parked
        self._mirror = mirror
        self._ends = ends
        self._health = health
        self._restarts = restarts
        self._deploys = deploys
        self._own_node_id = own_node_id
        self._peers = peers
        self._moments = CronMoments()

    def evidence(self, rule: AnyRule, view: ServiceView, now: Now) -> Evidence:
        parked = self._parked(view.service.id)
        by = "" if parked is None else parked[0]
        if isinstance(rule, RebalanceRule):
            return self._of_rebalancing(view, now, by)
        if not isinstance(rule, RestartRule):
            return Evidence(parked_by=by) if by else NO_EVIDENCE
        service = view.service
        asked = list(leaves(rule.when))
        crons = [one for one in asked if isinstance(one, Cron)]
        return Evidence(
            ends=self._ended(service.id, service.name, now) if _asks(asked, *_ENDS) else (),
            health=self._health.of(service.id, now.mono) if _asks(asked, *_HEALTH) else (),
            moments=self._moments_of(crons, now.wall),
            restarted=self._restarted(now) if _asks(asked, Restarted) else {},
            agents=self._agents() if rule.action is RestartAction.RESTART_TASK else None,
            rollback=self._target(view) if rule.action is RestartAction.ROLLBACK else None,
            parked_by=by,
        )

    def _of_rebalancing(self, view: ServiceView, now: Now, parked_by: str) -> Evidence:
        spots, barred = self._layouts.of(view)
        return Evidence(
            agents=self._agents(),
            spots=spots,
            barred=barred,
            rebalancing=self._rebalancing(view.service.id, now.mono),
            parked_by=parked_by,
        )

    def _ended(self, service_id: str, name: str, now: Now) -> tuple[Ended, ...]:
        found = [
            one
            for one in self._ends.of(name)
            if one.cause is not None and one.state.ended and one.service_id == service_id
        ]
        return tuple(ended(one, now) for one in reversed(found))

    def _moments_of(self, crons: list[Cron], wall: float) -> Mapping[str, Moments]:
        return {one.key: self._moments.of(one, wall) for one in crons}

    def _restarted(self, now: Now) -> Mapping[str, float]:
        for name in self._restarts.names():
            self._restarts.look(name, self._mirror.by_name(name), now.mono)
        return self._restarts.over()

    def _agents(self) -> tuple[str, ...] | None:
        if self._peers is None:
            return None
        up = [key for key, peer in self._peers().items() if peer.state is PeerState.UP]
        return (self._own_node_id(), *up)

    def _target(self, view: ServiceView) -> Target | None:
        """Whether its secrets are there is seen when it is written: that takes a question."""
        spec = self._deploys.before(view.service)
        if spec is None:
            return None
        container = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
        return Target(deploy_of(spec), str(container.get("Image", "")).partition("@")[0])


def _asks(asked: Sequence[Leaf], *kinds: type[Leaf]) -> bool:
    return any(isinstance(one, kinds) for one in asked)


def ended(end: TaskEnd, now: Now) -> Ended:
    assert end.cause is not None
    return Ended(
        task_id=end.task_id,
        place=end.node_id if end.slot is None else str(end.slot),
        node_id=end.node_id,
        at=now.mono - max(now.wall - end.since, 0.0),
        cause=end.cause,
        exit_code=end.exit_code,
        service_id=end.service_id,
        template=end.template,
    )
