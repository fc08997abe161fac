"""What an agent knows of the others, in the words of the exposition."""

from collections import Counter
from collections.abc import Mapping

from monitor.agent.acting import disagreement
from monitor.agent.core import Core
from monitor.agent.fleet import Fleet
from monitor.export.facts import FleetFacts
from monitor.fleet.lease import Lease
from monitor.fleet.stats import FleetStats
from monitor.model.node import NodeState
from monitor.model.peer import Peer, PeerState


def fleet_facts(
    core: Core, fleet: Fleet | None, digest: str, journal_dropped: int | None
) -> FleetFacts | None:
    """None where the agent is alone: on a dry run, or outside a Swarm."""
    if not isinstance(core.lease, Lease) or core.survival is None:
        return None
    peers: Mapping[str, Peer] = {} if fleet is None else fleet.peers()
    stats = FleetStats() if fleet is None else fleet.streams.stats
    served = FleetStats() if fleet is None else fleet.server.stats
    held = core.lease.term() is not None
    states = Counter(str(peer.state) for peer in peers.values())
    return FleetFacts(
        streams=fleet is not None,
        peers={str(state): states[str(state)] for state in PeerState} if peers else {},
        missing=_unheard(core, peers) if held and fleet is not None else None,
        skew={
            peer.about.node_name or peer.node_id: peer.skew
            for peer in peers.values()
            if peer.skew is not None and peer.about is not None
        },
        managers_heard=0 if fleet is None else fleet.managers_heard(),
        held=held,
        term=core.lease.term(),
        agree=not disagreement(digest, peers),
        reconnects=stats.reconnects,
        refused=_sum(stats.auth_failures, served.auth_failures),
        dropped={
            "slow": stats.dropped_slow + served.dropped_slow,
            "events": stats.events_dropped + served.events_dropped,
            "readings": stats.tasks_dropped
            + served.tasks_dropped
            + sum(core.remote.refused.values()),
        },
        bytes={
            "in": stats.bytes_in + served.bytes_in,
            "out": stats.bytes_out + served.bytes_out,
        },
        frames={
            "in": stats.frames_in + served.frames_in,
            "out": stats.frames_out + served.frames_out,
        },
        state_failures=core.survival_failures,
        journal_dropped=journal_dropped,
        delays={} if fleet is None else fleet.delays.facts,
    )


def _unheard(core: Core, peers: Mapping[str, Peer]) -> int:
    heard = {node_id for node_id, peer in peers.items() if peer.state is PeerState.UP}
    heard.add(core.identity.node_id)
    nodes = core.mirror.nodes().values()
    return sum(node.state is NodeState.READY and node.id not in heard for node in nodes)


def _sum(*counts: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return dict(total)
