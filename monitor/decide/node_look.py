"""Whether the conditions of a node rule hold."""

import math
from collections import Counter
from dataclasses import dataclass

from monitor.decide import words
from monitor.decide.find_ends import FAILURES, SETTLED, there
from monitor.decide.finding import merged
from monitor.decide.holding import STALE_AFTER, Entries, Held, held
from monitor.model.decision import Input
from monitor.model.history import History
from monitor.model.node import NodeState
from monitor.model.node_evidence import NodeEvidence
from monitor.model.now import Now
from monitor.model.rule import FailingHere, NodeCondition, NodeConditionKind, NodeLeaf, NodeRule
from monitor.model.usage import Sample


@dataclass(frozen=True, slots=True)
class NodeFound:
    """As `decide.finding.Found`, of a node. since: when what is met began."""

    met: bool
    because: str = ""
    progress: str = ""
    unknown: bool = False
    input: Input | None = None
    entries: Entries = ()
    recheck: float | None = None
    since: float = math.inf


@dataclass(frozen=True, slots=True)
class NodeFindings:
    found: tuple[NodeFound, ...]

    @property
    def due(self) -> bool:
        return any(one.met for one in self.found)

    def newer_than(self, told: float) -> bool:
        """Whether anything that is met began after that monotonic time."""
        return any(one.met and one.since > told for one in self.found)

    @property
    def why(self) -> str:
        return " and ".join(one.because for one in self.found if one.met)

    @property
    def progress(self) -> str:
        return next((one.progress for one in self.found if one.progress), "")

    @property
    def holding(self) -> Entries:
        return merged(one.entries for one in self.found)

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(one.input for one in self.found if one.input is not None)

    @property
    def recheck(self) -> float | None:
        waits = (one.recheck for one in self.found if one.recheck is not None)
        return min(waits, default=None)

    @property
    def blind(self) -> bool:
        return bool(self.found) and all(one.unknown for one in self.found)


def look_at_node(
    rule: NodeRule, evidence: NodeEvidence, history: History, now: Now
) -> NodeFindings:
    past = dict(history.holding)
    since = max(history.restarts[-1:], default=-math.inf)
    return NodeFindings(tuple(_find(leaf, evidence, past, since, now.mono) for leaf in rule.any_of))


def _find(
    leaf: NodeLeaf, evidence: NodeEvidence, past: dict[str, float], since: float, now: float
) -> NodeFound:
    match leaf:
        case FailingHere():
            return _failing(leaf, evidence, since, now)
        case NodeCondition(kind=NodeConditionKind.DOWN_FOR):
            down = evidence.node.state is NodeState.DOWN
            return _held(leaf, down, "down", 1.0 if down else 0.0, (past, now))
        case NodeCondition(kind=NodeConditionKind.MEMORY_ABOVE):
            return _used(leaf, evidence.memory, "memory", past, now)
        case NodeCondition():
            return _used(leaf, evidence.disk, "disk", past, now)


def _used(
    leaf: NodeCondition, sample: Sample | None, what: str, past: dict[str, float], now: float
) -> NodeFound:
    known = sample is not None and sample.age <= STALE_AFTER and math.isfinite(sample.value)
    value = sample.value if sample is not None and known else None
    beyond = None if value is None else value >= leaf.share
    used = "unknown" if value is None else words.percent(100 * value)
    level = f"at {used} of {what}, bound {words.percent(100 * leaf.share)},"
    return _held(leaf, beyond, level, value, (past, now))


def _held(
    leaf: NodeCondition,
    beyond: bool | None,
    level: str,
    value: float | None,
    at: tuple[dict[str, float], float],
) -> NodeFound:
    """at: what is remembered, and monotonic seconds."""
    past, now = at
    key = f"{leaf.kind}>={leaf.share:g} for {leaf.for_seconds:g}"
    state: Held = held(key, beyond, past, now)
    met = state.lasted(leaf.for_seconds, now)
    text = ""
    if state.since is not None:
        text = f"{level} for {words.duration(now - state.since)}"
    return NodeFound(
        met=met,
        because=text if met else "",
        progress="" if met or not text else text,
        unknown=beyond is None,
        input=Input(leaf.kind.value, "", value, value is not None),
        entries=state.entries(key),
        recheck=state.recheck(leaf.for_seconds, now),
        since=math.inf if state.since is None else state.since,
    )


def _failing(leaf: FailingHere, evidence: NodeEvidence, since: float, now: float) -> NodeFound:
    """Failures here of services that run elsewhere, and fail there less than half as often.

    A service that fails wherever it runs is no node's fault; nor is one that runs nowhere else.
    """
    start, here = max(now - leaf.within, since), evidence.node.id
    counts: Counter[tuple[str, str]] = Counter()
    unsettled: list[float] = []
    for end in evidence.ends:
        if end.at <= start or end.cause not in FAILURES:
            continue
        if not there(evidence.nodes.get(end.node_id)):
            continue
        if end.at > now - SETTLED:
            unsettled.append(end.at + SETTLED - now)
            continue
        counts[end.service_id, end.node_id] += 1
    services = {service for service, node in counts if node == here}
    count = sum(counts[s, here] for s in services if _fine_elsewhere(s, counts, evidence))
    within = words.duration(leaf.within)
    verb = "does" if count == 1 else "do"
    text = f"with {words.tasks(count)} that failed on it within {within} and {verb} well elsewhere"
    met = count >= leaf.count
    return NodeFound(
        met=met,
        because=text if met else "",
        progress=text if count and not met else "",
        input=Input("tasks_failing_here", "", float(count), True),
        recheck=min(unsettled, default=None),
    )


def _fine_elsewhere(service: str, counts: Counter[tuple[str, str]], evidence: NodeEvidence) -> bool:
    here = evidence.node.id
    others = [node for node in evidence.running.get(service, ()) if node != here]
    worst = max((n for (s, node), n in counts.items() if s == service and node != here), default=0)
    return bool(others) and 2 * worst < counts[service, here]
