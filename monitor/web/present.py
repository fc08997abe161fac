"""Frozen values as the JSON that the API and the commands show: keys in snake_case."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monitor.model.action import (
    Action,
    ForceUpdate,
    Notify,
    Park,
    RestartTask,
    Rollback,
    ScaleTo,
    SetAvailability,
    Unpark,
)
from monitor.model.decision import Decision
from monitor.model.pause import Pause
from monitor.web.state import (
    AgentStatus,
    DecisionEntry,
    Explanation,
    NodeStatus,
    RuleStatus,
    ServiceStatus,
    Status,
)

Json = dict[str, Any]


def rfc3339(wall: float) -> str:
    """Wall seconds as RFC 3339 in UTC with milliseconds; the epoch for what no calendar has."""
    try:
        moment = datetime.fromtimestamp(wall, UTC)
    except (OverflowError, OSError, ValueError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _finite(value: float | None) -> float | None:
    """JSON has no infinity and no NaN."""
    return value if value is not None and math.isfinite(value) else None


def present_action(action: Action | None) -> Json | None:
    match action:
        case ScaleTo(replicas):
            return {"type": "scale_to", "replicas": replicas}
        case ForceUpdate():
            return {"type": "force_update"}
        case RestartTask():
            return {
                "type": "restart_task",
                "task_id": action.task_id,
                "node_id": action.node_id,
                "container_id": action.container_id,
            }
        case Rollback(target, replicas, by_swarm):
            return {
                "type": "rollback",
                "target": target,
                "replicas": replicas,
                "by_swarm": by_swarm,
            }
        case Park(replicas):
            return {"type": "park", "replicas": replicas}
        case Unpark(replicas):
            return {"type": "unpark", "replicas": replicas}
        case Notify():
            return {"type": "notify"}
        case SetAvailability(node_id, availability):
            return {
                "type": "set_availability",
                "node_id": node_id,
                "availability": availability.value,
            }
        case None:
            return None


def present_decision(decision: Decision) -> Json:
    """One decision; `action` is its name, `none` where nothing is to be done."""
    return {
        "id": decision.id,
        "time": rfc3339(decision.time.wall),
        "rule": decision.rule,
        "service_id": decision.service_id,
        "service_name": decision.service_name,
        "node_id": decision.node_id,
        "node_name": decision.node_name,
        "version": decision.version,
        "current": decision.current,
        "desired": decision.desired,
        "action": decision.action_name,
        "write": present_action(decision.action),
        "reason": str(decision.reason),
        "sentence": decision.sentence,
        "stages": [
            {"name": stage.name, "value": _finite(stage.value), "note": stage.note}
            for stage in decision.stages
        ],
        "inputs": [
            {
                "metric": item.metric,
                "task_id": item.task_id,
                "value": _finite(item.value),
                "used": item.used,
                "note": item.note,
            }
            for item in decision.inputs
        ],
        "conditions": [
            {
                "type": condition.type,
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message,
            }
            for condition in decision.conditions
        ],
        "binding": decision.binding,
        "would_change": decision.would_change,
        "recheck_after": _finite(decision.recheck_after),
    }


def present_entry(entry: DecisionEntry) -> Json:
    """A decision with what became of it."""
    return present_decision(entry.decision) | {
        "since": rfc3339(entry.since),
        "repeats": entry.repeats,
        "outcome": entry.outcome,
        "outcome_detail": entry.outcome_detail,
    }


def present_recorded(entry: DecisionEntry) -> Json:
    """A decision with all its inputs, to be replayed; null where they are not kept any more."""
    recorded = entry.recorded
    return present_entry(entry) | {"recorded": None if recorded is None else recorded.to_json()}


def present_explanation(explanation: Explanation) -> Json:
    """A decision that was not carried out, in the same terms, and notes on it."""
    decision = explanation.decision
    entry = present_entry(DecisionEntry(decision, decision.time.wall))
    return entry | {"notes": list(explanation.notes)}


def present_pause(pause: Pause) -> Json:
    return {
        "scope": str(pause.scope),
        "name": pause.name,
        "since": rfc3339(pause.since),
        "until": None if pause.until is None else rfc3339(pause.until),
        "note": pause.note,
        "by": pause.by,
        "sentence": pause.sentence,
    }


def present_status(status: Status) -> Json:
    return {
        "nodes": [_node(node) for node in status.nodes],
        "services": [_service(service) for service in status.services],
        "rules": [_rule(rule) for rule in status.rules],
        "agents": [_agent(agent) for agent in status.agents],
        "actor": status.actor,
        "problems": list(status.problems),
        "pauses": [present_pause(pause) for pause in status.pauses],
    }


def _node(node: NodeStatus) -> Json:
    return {
        "id": node.id,
        "name": node.name,
        "role": node.role,
        "state": node.state,
        "availability": node.availability,
        "leader": node.leader,
        "tasks": node.tasks,
        "engine_version": node.engine_version,
        "drained_by": node.drained_by,
        "drained_until": None if node.drained_until is None else rfc3339(node.drained_until),
    }


def _last(decision: Decision | None) -> Mapping[str, Any] | None:
    if decision is None:
        return None
    whole = present_decision(decision)
    names = ("time", "rule", "current", "desired", "action", "reason", "sentence")
    return {name: whole[name] for name in names}


def _service(service: ServiceStatus) -> Json:
    return {
        "id": service.id,
        "name": service.name,
        "stack": service.stack,
        "mode": service.mode,
        "image": service.image,
        "desired": service.desired,
        "running": service.running,
        "update_state": service.update_state,
        "rules": list(service.rules),
        "cpu": _finite(service.cpu),
        "memory": _finite(service.memory),
        "last_decision": _last(service.last_decision),
    }


def _rule(rule: RuleStatus) -> Json:
    return {
        "name": rule.name,
        "kind": rule.kind,
        "mode": rule.mode,
        "source": rule.source,
        "services": list(rule.services),
        "nodes": list(rule.nodes),
        "problems": list(rule.problems),
    }


def _agent(agent: AgentStatus) -> Json:
    return {
        "node_id": agent.node_id,
        "node_name": agent.node_name,
        "role": agent.role,
        "version": agent.version,
        "ready": agent.ready,
        "acting": agent.acting,
        "fresh": agent.fresh,
        "message": agent.message,
    }
