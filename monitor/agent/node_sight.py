"""Puts together what node rules may ask for."""

from collections.abc import Callable, Mapping

from monitor.agent.evidence import ended
from monitor.agent.identity import Identity
from monitor.cluster.ends import Ends
from monitor.cluster.mirror import Mirror
from monitor.decide.find_ends import FAILURES
from monitor.model.evidence import Ended
from monitor.model.node_evidence import NodesSeen
from monitor.model.now import Now
from monitor.model.peer import Peer, PeerState
from monitor.model.usage import Sample
from monitor.usage.remote import RemoteUsage
from monitor.usage.sampler import Sampler


class NodeSight:
    """A `monitor.ports.evidence.NodeEvidenceSource` over the parts of one agent.

    peers: other nodes' agents as they are heard; None: nobody asks them, so that only this node
    is known to have one.
    """

    def __init__(
        self,
        *,
        mirror: Mirror,
        ends: Ends,
        identity: Identity,
        peers: Callable[[], Mapping[str, Peer]] | None,
        sampler: Sampler,
        remote: RemoteUsage,
    ) -> None:
        self._sampler = sampler
        self._remote = remote
        self._mirror = mirror
        self._ends = ends
        self._identity = identity
        self._peers = peers

    def nodes(self, *, failures: bool, now: Now) -> NodesSeen:
        ends = self._failures(now) if failures else ()
        machines = dict(self._remote.machines())
        machines[self._identity.node_id] = (self._sampler.machine.read(), now.mono)
        return NodesSeen(
            nodes=self._mirror.nodes(),
            fresh=self._mirror.fresh,
            ends=ends,
            running={service_id: self._runs_on(service_id) for service_id in _services(ends)},
            agents=self._agents(),
            memory=_samples({one: (m.memory, at) for one, (m, at) in machines.items()}, now),
            disk=_samples({one: (m.disk, at) for one, (m, at) in machines.items()}, now),
        )

    def _failures(self, now: Now) -> tuple[Ended, ...]:
        return tuple(
            ended(one, now) for one in self._ends.counted(now.wall) if one.cause in FAILURES
        )

    def _runs_on(self, service_id: str) -> tuple[str, ...]:
        view = self._mirror.view(service_id, room=False)
        if view is None:
            return ()
        return tuple(dict.fromkeys(task.node_id for task in view.running_tasks))

    def _agents(self) -> tuple[str, ...]:
        peers = {} if self._peers is None else self._peers()
        up = (key for key, peer in peers.items() if peer.state is PeerState.UP)
        return (self._identity.node_id, *up)


def _samples(known: Mapping[str, tuple[float | None, float]], now: Now) -> dict[str, Sample]:
    return {
        node_id: Sample(value, max(now.mono - at, 0.0))
        for node_id, (value, at) in known.items()
        if value is not None
    }


def _services(ends: tuple[Ended, ...]) -> dict[str, None]:
    return dict.fromkeys(end.service_id for end in ends)
