"""Deciding a node rule for one node: whether to drain it, to take it back, or to tell of it."""

from dataclasses import dataclass, replace

from monitor.decide import pace, words
from monitor.decide.node_fence import fence
from monitor.decide.node_look import NodeFindings, look_at_node
from monitor.decide.verdict import LEAST_RECHECK
from monitor.model.action import Action, Notify, SetAvailability
from monitor.model.decision import Decision, Input
from monitor.model.history import Course, History
from monitor.model.node import Availability
from monitor.model.node_evidence import NodeEvidence
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import NodeAction, NodeRule


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    reason: Reason
    text: str
    ends: str
    recheck: float | None = None
    action: Action | None = None
    holding: tuple[tuple[str, float], ...] = ()
    inputs: tuple[Input, ...] = ()
    course: Course | None = None


def decide_node(rule: NodeRule, evidence: NodeEvidence, history: History, now: Now) -> Decision:
    """What the rule wants of `evidence.node` now; its history is one of this rule and node.

    A drained node is taken back by time alone, for its agent is stopped with its other tasks.
    It is left to whoever else changed it meanwhile.
    """
    verdict = _judge(rule, evidence, history, now)
    node = evidence.node
    recheck = verdict.recheck
    return Decision(
        time=now,
        rule=rule.name,
        service_id="",
        service_name="",
        version=node.version,
        current=None,
        desired=None,
        action=verdict.action,
        reason=verdict.reason,
        sentence=f"{node.name} {verdict.text}",
        inputs=verdict.inputs,
        holding=verdict.holding,
        recheck_after=None if recheck is None else max(recheck, LEAST_RECHECK),
        binding=verdict.reason.value if verdict.reason.blocks else "",
        would_change=verdict.ends,
        course=verdict.course,
        node_id=node.id,
        node_name=node.name,
    )


def _judge(rule: NodeRule, evidence: NodeEvidence, history: History, now: Now) -> _Verdict:
    if not evidence.fresh:
        return _Verdict(
            reason=Reason.OUT_OF_SYNC,
            text="is left alone: no manager answers, so what is known may be old",
            ends="a manager answers",
            holding=history.holding,
        )
    until = history.course.drained_until
    if until is not None:
        unseen = evidence.node.version <= history.course.acted_version
        if unseen or evidence.node.availability is Availability.DRAIN:
            return _drained(evidence, until, now.mono)
        return _lifted(evidence, history)
    findings = look_at_node(rule, evidence, history, now)
    verdict = _wanted(rule, evidence, history, findings, now.mono)
    return replace(verdict, holding=findings.holding, inputs=findings.inputs, course=history.course)


def _drained(evidence: NodeEvidence, until: float, now: float) -> _Verdict:
    left = until - now
    if left > 0:
        said = words.duration(left)
        return _Verdict(
            reason=Reason.DRAINED,
            text=f"is drained by this rule, and taken back in {said}",
            ends=f"{said} have passed, or somebody sets its availability",
            recheck=left,
        )
    return _Verdict(
        reason=Reason.DRAIN_OVER,
        text="is taken back: the time for which it was to be drained is over",
        ends="it is active",
        action=SetAvailability(evidence.node.id, Availability.ACTIVE),
    )


def _lifted(evidence: NodeEvidence, history: History) -> _Verdict:
    """Somebody took it back, or set it to pause: it is theirs again, and nothing is left to do."""
    state = evidence.node.availability
    return _Verdict(
        reason=Reason.DRAIN_LIFTED,
        text=f"was drained by this rule, and somebody has set it to {state} since: it is left so",
        ends="a condition holds anew",
        recheck=LEAST_RECHECK,
        course=replace(history.course, drained_until=None),
    )


def _wanted(
    rule: NodeRule, evidence: NodeEvidence, history: History, findings: NodeFindings, now: float
) -> _Verdict:
    if not findings.due:
        return _not_due(findings)
    why = findings.why
    if rule.action is NodeAction.DRAIN:
        fenced = fence(evidence)
        if fenced is not None:
            return _Verdict(
                reason=fenced.reason,
                text=f"should be drained ({why}), but {fenced.why}",
                ends=fenced.ends,
            )
    told = max(history.restarts[-1:], default=None)
    if rule.action is NodeAction.NOTIFY and told is not None and not findings.newer_than(told):
        return _Verdict(
            reason=Reason.CONDITION_MET,
            text=f"is still {why}: told of {words.duration(now - told)} ago",
            ends="it ends, and holds anew",
        )
    wait = pace.budget_wait(rule.budget, history.restarts, now)
    if wait is not None:
        left, within = words.duration(wait), words.duration(rule.budget.within)
        done = "drained" if rule.action is NodeAction.DRAIN else "told of"
        return _Verdict(
            reason=Reason.BUDGET,
            text=f"was {done} {rule.budget.count} times within {within} ({why}); next in {left}",
            ends=f"the same in {left}",
            recheck=wait,
        )
    if rule.action is NodeAction.NOTIFY:
        text, action = f"is {why}: tell of it", Notify()
        return _Verdict(
            reason=Reason.CONDITION_MET, text=text, ends="it does not hold", action=action
        )
    said = words.duration(rule.drain_for)
    return _Verdict(
        reason=Reason.CONDITION_MET,
        text=f"is {why}: drain it for {said}",
        ends="it does not hold",
        action=SetAvailability(evidence.node.id, Availability.DRAIN, rule.drain_for),
    )


def _not_due(findings: NodeFindings) -> _Verdict:
    if findings.blind:
        return _Verdict(
            reason=Reason.MISSING_SAMPLES,
            text="is not judged: nobody tells what it uses",
            ends="its agent is heard",
            recheck=findings.recheck,
        )
    if findings.progress:
        text = f"is {findings.progress} which is not long or often enough yet"
    else:
        text = "is well: no condition holds"
    return _Verdict(
        reason=Reason.CONDITION_NOT_MET,
        text=text,
        ends="a condition holds",
        recheck=findings.recheck,
    )
