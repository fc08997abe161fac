"""What node rules did, judged as a part of promises 1, 2, 4, 5 and 9."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from monitor.model.action import SetAvailability
from monitor.model.node import Availability
from tests.simulated.dst.ailing import DRAINED_FOR, SPOTTY
from tests.simulated.dst.history import Decided, Ended, Halted, NodeWas, NodeWritten
from tests.simulated.dst.judge_survival import LATE, forgotten
from tests.simulated.dst.judging import Case, Verdict

READ_AGO = 12.0
"""Seconds: a decision is 5 s old at most when it is sent, and a slow engine takes another 6."""

SETTLES = 10.0
EDGE = 10.0
DRAIN, ACTIVE = str(Availability.DRAIN), str(Availability.ACTIVE)

ACTS = ("nodes drained", "nodes taken back", "drains fenced off")
FENCED = ("one_at_a_time", "quorum", "last_node")

Nodes = dict[str, NodeWas]


def acts(case: Case) -> Counter[str]:
    found: Counter[str] = Counter()
    for _, action in _applied(case):
        drains = action.availability is Availability.DRAIN
        found["nodes drained" if drains else "nodes taken back"] += 1
    for one in case.history.of(Decided):
        found["drains fenced off"] += bool(one.decision.node_id) and one.decision.reason in FENCED
    return found


def _applied(case: Case) -> Iterator[tuple[NodeWritten, SetAvailability]]:
    for write in case.history.of(NodeWritten):
        decision = case.decisions.get(write.decision)
        if decision is None or write.error:
            continue
        if isinstance(decision.action, SetAvailability):
            yield write, decision.action


def _times(case: Case, since: float, until: float) -> list[Nodes]:
    """All nodes as they were at one moment after the other of this time."""
    nodes: Nodes = {}
    found: list[Nodes] = []
    count = len({one.node for one in case.history.of(NodeWas)})
    for one in case.history.of(NodeWas):
        if one.at > until:
            break
        if one.at > since and not found and len(nodes) == count:
            found.append(dict(nodes))
        nodes[one.node] = one
        if one.at > since and len(nodes) == count:
            found.append(dict(nodes))
    return found or [nodes]


def fenced(case: Case, verdict: Verdict) -> None:
    """1. Never below a quorum, never the last one, one at a time."""
    for write, action in _applied(case):
        if action.availability is not Availability.DRAIN:
            continue
        before = write.at - 1e-6
        for what, holds in (
            ("a quorum of managers", _quorum_without(write.node)),
            ("another node", _others_without(write.node)),
        ):
            ever = any(holds(nodes) for nodes in _times(case, before - READ_AGO, before))
            text = f"{write.decision} leaves less than {what}"
            verdict.check(ever, write.at, text)
        for nodes in _times(case, before, before):
            drained = [
                one
                for one in nodes.values()
                if one.availability == DRAIN and one.decision and one.node != write.node
            ]
            for one in drained:
                if not forgotten(case, one.since, write.at):
                    text = f"{write.decision} while {one.name} is drained since {one.since:.1f}"
                    verdict.check(False, write.at, text)


def _takes(one: NodeWas) -> bool:
    return one.state == "ready" and one.availability == ACTIVE


def _quorum_without(node: str) -> Callable[[Nodes], bool]:
    def holds(nodes: Nodes) -> bool:
        managers = [one for one in nodes.values() if one.role == "manager"]
        left = [one for one in managers if one.node != node and _takes(one)]
        return nodes[node].role != "manager" or len(left) >= len(managers) // 2 + 1

    return holds


def _others_without(node: str) -> Callable[[Nodes], bool]:
    return lambda nodes: any(_takes(one) for one in nodes.values() if one.node != node)


def one_write(case: Case, verdict: Verdict) -> None:
    """2."""
    arrived: Counter[str] = Counter(one.decision for one in case.history.of(NodeWritten))
    for write in case.history.of(NodeWritten):
        decision = case.decisions.get(write.decision)
        text = f"{write.decision} arrived {arrived[write.decision]} times"
        verdict.check(arrived[write.decision] == 1, write.at, text)
        version = decision.version if decision else None
        text = f"{write.decision} was decided on {version}, written on {write.version}"
        verdict.check(write.version == version, write.at, text)
        if not write.error:
            text = f"{write.decision} of version {write.version} took effect on {write.was}"
            verdict.check(write.was == write.version, write.at, text)


def one_field(case: Case, verdict: Verdict) -> None:
    """4. A node's availability and nothing else of it."""
    for write in case.history.of(NodeWritten):
        if write.version == write.was:
            text = f"{write.decision} changed {write.changed} of a node"
            verdict.check(write.changed == ("Availability",), write.at, text)


def grounds(case: Case, verdict: Verdict) -> None:
    """5. What is drained was down, or had tasks that failed there by themselves."""
    halted = {one.task for one in case.history.of(Halted)}
    failed: dict[str, list[float]] = defaultdict(list)
    for end in case.history.of(Ended):
        if end.task not in halted and (end.exit_code or end.oom):
            failed[end.node].append(end.at)
    for write, action in _applied(case):
        if action.availability is not Availability.DRAIN:
            continue
        since = write.at - SPOTTY.window - READ_AGO - EDGE
        seen = [at for at in failed[write.node] if since < at < write.at]
        down = any(nodes[write.node].state == "down" for nodes in _times(case, since, write.at))
        text = f"{write.decision} drained a node on which {len(seen)} tasks failed"
        verdict.check(down or len(seen) >= SPOTTY.failures, write.at, text)


def drains(case: Case, verdict: Verdict) -> None:
    """9. So many, for so long, and whoever acts by then takes back what was drained alone."""
    times: dict[str, list[float]] = defaultdict(list)
    for write, action in _applied(case):
        if action.availability is Availability.DRAIN:
            before = times[write.node]
            since = [at for at in before if at > write.at - SPOTTY.pace.within + EDGE]
            if since and not forgotten(case, since[0], write.at):
                text = f"{write.decision} is drain {len(since) + 1} within {SPOTTY.pace.within:g} s"
                verdict.check(len(since) < SPOTTY.pace.count, write.at, text)
            before.append(write.at)
            continue
        (was,) = _times(case, write.at - 1e-6, write.at - 1e-6)
        since_drain = was[write.node].since
        if forgotten(case, since_drain, write.at):
            continue
        text = f"{write.decision} took back what a person has set"
        verdict.check(bool(was[write.node].decision), write.at, text)
        text = f"{write.decision} {write.at - since_drain:.1f} s after the drain"
        early = write.at - since_drain < DRAINED_FOR - READ_AGO - LATE
        verdict.check(not early, write.at, text)
