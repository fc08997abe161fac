"""The one field of a node's spec that a rule may change: its availability."""

import copy
from collections.abc import Callable
from typing import Any

from monitor.act.guards import refuse
from monitor.act.permit import Permit
from monitor.act.spec import differences
from monitor.model.action import SetAvailability
from monitor.model.decision import Decision
from monitor.model.node import Availability, NodeSpec
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError, NotFound

FIELD = "Availability"
_FROM = {Availability.DRAIN: Availability.ACTIVE, Availability.ACTIVE: Availability.DRAIN}
"""What a node must be so that it is set to that: what people set it to is theirs."""


async def prepared(
    engine: Engine,
    decision: Decision,
    action: SetAvailability,
    permit: Permit,
    too_late: Callable[[], Outcome | None],
) -> dict[str, Any] | Outcome:
    """The raw spec to be posted under the decided version, or why nothing must be.

    The node is read again, and for a drain all others too: whether it may be missed can have
    changed since without a change of this node.
    """
    drains = action.availability is Availability.DRAIN
    try:
        nodes = await engine.nodes() if drains else ()
        there = await engine.node(action.node_id)
    except NotFound:
        return refuse(f"{decision.node_name} is not part of the Swarm any more")
    except EngineError as error:
        return Outcome(OutcomeKind.FAILED, f"not written, since reading failed: {error}")
    refused = _check(decision, action, there)
    if refused is not None:
        return refused
    spared = permit.spares({node.id: node for node in nodes} | {there.node.id: there.node})
    if drains and spared:
        return refuse(spared)
    changed: dict[str, Any] = copy.deepcopy(dict(there.spec)) | {FIELD: action.availability.value}
    if FIELD not in there.spec or list(differences(there.spec, changed)) != [(FIELD,)]:
        return refuse(f"the change to {there.node.name} would touch more than its availability")
    return too_late() or changed


def _check(decision: Decision, action: SetAvailability, there: NodeSpec) -> Outcome | None:
    node, wanted = there.node, action.availability
    if node.id != action.node_id or node.id != decision.node_id:
        return refuse(f"asked for node {decision.node_id}, got {node.id}")
    if node.version != decision.version:
        return Outcome(
            OutcomeKind.CONFLICT,
            f"{node.name} changed since it was decided on "
            f"(version {decision.version}, now {node.version})",
        )
    if node.availability is wanted:
        return refuse(f"{node.name} is already as wanted")
    if node.availability is not _FROM.get(wanted):
        return refuse(f"somebody has set {node.name} to {node.availability}")
    return None
