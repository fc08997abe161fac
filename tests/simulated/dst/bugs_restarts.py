"""Deliberate bugs of what restarts, stops, parks and moves."""

from collections.abc import Sequence
from typing import Any

from monitor.act.stop_desk import StopDesk
from monitor.control import node_control, survivors
from monitor.control.controller import Controller
from monitor.control.moves import MovesUnderWay
from monitor.decide import find_ends, node, pace, rebalance, restart_block, restart_look
from monitor.decide.moves import Move
from monitor.model.action import SpecAction
from monitor.model.cause import Cause
from monitor.model.decision import Decision
from monitor.model.evidence import Spot
from monitor.model.history import BreakerState
from monitor.model.stop_task import StopOrder
from monitor.model.view import ServiceView
from tests.simulated.dst.bug import bug

_intend = Controller._intend


async def _stops_not_noted(
    self: Controller, decision: Decision, view: ServiceView, permit: Any
) -> str:
    if isinstance(decision.action, SpecAction):
        return await _intend(self, decision, view, permit)
    return ""


async def _unproven(self: StopDesk, order: StopOrder) -> None: ...


_encode = survivors.encode_course


def _course_without(*keys: str) -> Any:
    def encode(*args: Any) -> dict[str, Any]:
        return {key: value for key, value in _encode(*args).items() if key not in keys}

    return encode


def _one_too_many(counts: Any, spots: Sequence[Spot]) -> tuple[Move, ...]:
    """Goes on until the nodes have changed places."""
    have = sorted(spots, key=lambda spot: counts.get(spot.node_id, 0))
    if len(have) < 2 or counts.get(have[-1].node_id, 0) - counts.get(have[0].node_id, 0) < 1:
        return _plan(counts, spots)
    return (Move(have[-1].node_id, have[0].node_id),)


_plan = rebalance.plan


def _closes(state: BreakerState, *_: Any, well: bool, now: float) -> BreakerState:
    return BreakerState() if well else state


BUGS = (
    bug(
        "stops count for nothing",
        "That a task was stopped is not kept for the next agent.",
        (Controller, "_intend", _stops_not_noted),
    ),
    bug(
        "all leaks at once",
        "Tasks are stopped while what runs in place of the last one has not come up.",
        (restart_block, "_under_way", lambda due: None),
    ),
    bug(
        "stops near a rollout",
        "Tasks are stopped right after a rollout as at any other time.",
        (restart_block, "near_rollout", lambda view, now: None),
        (rebalance, "near_rollout", lambda view, now: None),
    ),
    bug(
        "a stop is not proven",
        "An agent stops whatever container it is told to.",
        (StopDesk, "_prove", _unproven),
    ),
    bug(
        "breaker of each agent",
        "What restarts came to is not kept for the next agent.",
        (survivors, "encode_course", _course_without("trials", "open_since", "calm_since")),
    ),
    bug(
        "parked count of each agent",
        "What a parked service had before is not kept for the next agent.",
        (survivors, "encode_course", _course_without("parked")),
    ),
    bug(
        "no budget",
        "Restarts are not counted.",
        (pace, "budget_wait", lambda *_: None),
    ),
    bug(
        "no back-off",
        "A restart follows the other as soon as it is due.",
        (pace, "backoff_wait", lambda *_: None),
    ),
    bug(
        "a breaker that closes by itself",
        "An open breaker is closed as soon as nothing is wrong, without a deploy.",
        (
            restart_look,
            "closed_by",
            lambda state, *_, well, **__: BreakerState() if well else state,
        ),
    ),
    bug(
        "every end is a failure",
        "Tasks that were stopped, drained or replaced count as having failed.",
        (find_ends, "FAILURES", frozenset(Cause)),
    ),
    bug(
        "one move too many",
        "Tasks are moved where nothing gets more even by it.",
        (rebalance, "plan", _one_too_many),
    ),
    bug(
        "two services moved at once",
        "A task of one service is moved while another one's is on its way.",
        (MovesUnderWay, "other", lambda self, *_: ""),
    ),
    bug(
        "drains whatever is left",
        "Nodes are drained however few are left, and several at once.",
        (node, "fence", lambda evidence: None),
        (node_control, "fence", lambda evidence: None),
    ),
    bug(
        "drain of each agent",
        "That a rule has drained a node is not kept for the next agent.",
        (survivors, "encode_course", _course_without("drained_until")),
    ),
)
