"""Deciding a restart rule: whether any task has been over its bound for long enough."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.decide import pace, words
from monitor.decide.guards import guard_recheck, guard_sentence, rollout_guard
from monitor.decide.holding import GRACE, Held, Leaf, entries, leaves, observe, satisfied
from monitor.decide.refusals import refusal
from monitor.decide.verdict import Case, Verdict, decision
from monitor.model.action import ForceUpdate
from monitor.model.decision import Decision, Input
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import RestartRule
from monitor.model.task import Task
from monitor.model.usage import Sample, Usage
from monitor.model.view import ServiceView


@dataclass(frozen=True, slots=True)
class _Seen:
    """A leaf on a task, with the sample it was judged on."""

    leaf: Leaf
    task: Task
    sample: Sample | None
    held: Held


@dataclass(frozen=True, slots=True)
class _Findings:
    seen: tuple[_Seen, ...]
    qualified: tuple[Task, ...]

    @property
    def holding(self) -> tuple[tuple[str, float], ...]:
        return entries([(one.leaf, one.task.id, one.held) for one in self.seen])

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(
            Input(
                one.leaf.condition.kind.value,
                one.task.id,
                None if one.sample is None else one.sample.value,
                one.held.gap is None and one.sample is not None,
                "no sample" if one.sample is None else "",
            )
            for one in self.seen
        )


def decide_restart(
    rule: RestartRule,
    view: ServiceView,
    usage: Usage,
    history: History,
    now: Now,
    *,
    own_service: bool,
) -> Decision:
    """`usage` holds the samples of each kind of the rule's conditions, named by the kind.

    Only running tasks are looked at; of a task that is gone nothing is kept, so a restart is
    followed by another only once a new task has been over the bound for the whole time.
    """
    case = Case(rule, view, history, now)
    refused = refusal(case, own_service=own_service)
    if refused is not None:
        return decision(case, refused, holding=history.holding)
    findings = _look(case, rule, usage)
    if not findings.qualified:
        return decision(case, _not_met(case, rule, findings), holding=findings.holding)
    blocked = _blocked(case, rule, findings)
    if blocked is not None:
        return decision(case, blocked, holding=findings.holding)
    met = Verdict(
        desired=view.service.replicas,
        reason=Reason.CONDITION_MET,
        text=f": restart, {_why(case, findings)}",
        inputs=findings.inputs,
    )
    return decision(case, met, ForceUpdate(), findings.holding)


def _look(case: Case, rule: RestartRule, usage: Usage) -> _Findings:
    past, now = dict(case.history.holding), case.now.mono
    tasks = sorted(case.view.running_tasks, key=lambda t: (t.slot or 0, t.node_id, t.id))
    all_leaves = leaves(rule.when, case.view.service)
    seen: list[_Seen] = []
    qualified: list[Task] = []
    for task in tasks:
        held = {}
        for leaf in all_leaves:
            sample = usage.samples.get(leaf.kind.value, {}).get(task.id)
            state = observe(leaf, task.id, sample, past, now)
            held[leaf.condition] = state
            seen.append(_Seen(leaf, task, sample, state))
        if satisfied(rule.when, held, now):
            qualified.append(task)
    return _Findings(tuple(seen), tuple(qualified))


def _not_met(case: Case, rule: RestartRule, findings: _Findings) -> Verdict:
    all_leaves = leaves(rule.when, case.view.service)
    problem = next((leaf.problem for leaf in all_leaves if leaf.problem), "")
    missing = sorted({one.task.id for one in findings.seen if _lacks_sample(one)})
    running = {one.task.id for one in findings.seen}
    if problem:
        reason, text = Reason.MISSING_REQUEST, f"is not judged: {problem}"
    elif missing and len(missing) == len(running):
        reason, text = Reason.MISSING_SAMPLES, "is not judged: none of its tasks has a sample"
    else:
        reason, text = Reason.CONDITION_NOT_MET, _progress(case, findings)
    return Verdict(
        desired=case.view.service.replicas,
        reason=reason,
        text=text,
        inputs=findings.inputs,
        recheck_after=_recheck(case, findings),
    )


def _lacks_sample(one: _Seen) -> bool:
    return one.held.gap is not None or one.sample is None


def _progress(case: Case, findings: _Findings) -> str:
    """Names the condition that is still to last, the longest of them first."""
    now = case.now.mono
    holding = [(now - one.held.since, one) for one in findings.seen if one.held.since is not None]
    if not holding:
        return "needs no restart: no task is over its bound"
    waiting = [
        (lasted, one)
        for lasted, one in holding
        if not one.held.lasted(one.leaf.condition.for_seconds, now)
    ]
    lasted, longest = max(waiting or holding, key=lambda pair: pair[0])
    for_seconds = words.duration(longest.leaf.condition.for_seconds)
    if longest.held.gap is not None:
        place, kind = longest.task.place[:12], longest.leaf.kind.value
        gap = words.duration(now - longest.held.gap)
        return (
            f"is not restarted: task {place} was over its bound of {kind} for "
            f"{words.duration(lasted)}, but has had no sample for {gap}"
        )
    return (
        f"is not restarted yet: {_level(longest)} for {words.duration(lasted)}, "
        f"the rule waits for {for_seconds}"
    )


def _recheck(case: Case, findings: _Findings) -> float | None:
    """Until the first condition may have held long enough, or a gap becomes too long."""
    waits = [
        one.held.since + one.leaf.condition.for_seconds - case.now.mono
        for one in findings.seen
        if one.held.since is not None and one.held.gap is None
    ]
    waits += [
        one.held.gap + GRACE - case.now.mono for one in findings.seen if one.held.gap is not None
    ]
    return min((wait for wait in waits if wait > 0), default=None)


def _blocked(case: Case, rule: RestartRule, findings: _Findings) -> Verdict | None:
    """Why a restart that is due must wait: guards, then convergence, budget and back-off."""
    view, now = case.view, case.now
    why = _why(case, findings)
    guard = rollout_guard(view, case.history.own_version, now)
    if guard is not None:
        text = f"{guard_sentence(view, guard, now)}; a restart is due: {why}"
        return _wait(
            case, findings, guard, text, guard_recheck(view, case.history.own_version, now)
        )
    running = len(view.running_tasks)
    if running != view.desired:
        text = f"is due for a restart ({why}), which waits until all tasks run: {running} of "
        return _wait(case, findings, Reason.NOT_CONVERGED, f"{text}{view.desired} do", None)
    paced = pace.budget_wait(rule.budget, case.history.restarts, now.mono)
    if paced is not None:
        text = f"is due for a restart ({why}), but {_spent(rule)} {words.duration(paced)}"
        return _wait(case, findings, Reason.BUDGET, text, paced)
    paced = pace.backoff_wait(rule.backoff, rule.budget, case.history.restarts, now.mono)
    if paced is not None:
        text = f"is due for a restart ({why}), which waits another {words.duration(paced)}"
        return _wait(case, findings, Reason.BACKOFF, f"{text} since the last one", paced)
    return None


def _spent(rule: RestartRule) -> str:
    within = words.duration(rule.budget.within)
    if rule.budget.count <= 0:
        return "its budget allows none; it is looked at again in"
    count = "once" if rule.budget.count == 1 else f"{rule.budget.count} times"
    return f"was restarted {count} within {within}; the next is allowed in"


def _wait(
    case: Case, findings: _Findings, reason: Reason, text: str, recheck: float | None
) -> Verdict:
    return Verdict(
        desired=case.view.service.replicas,
        reason=reason,
        text=text,
        inputs=findings.inputs,
        recheck_after=recheck,
    )


def _why(case: Case, findings: _Findings) -> str:
    first = findings.qualified[0]
    over: Sequence[_Seen] = [
        one
        for one in findings.seen
        if one.task.id == first.id
        and one.held.lasted(one.leaf.condition.for_seconds, case.now.mono)
    ]
    levels = " and ".join(
        f"{_level(one)} for {words.duration(case.now.mono - (one.held.since or 0.0))}"
        for one in over
    )
    more = len(findings.qualified) - 1
    verb = "is" if more == 1 else "are"
    return f"{levels}; so {verb} {more} more" if more else levels


def _level(one: _Seen) -> str:
    condition, kind = one.leaf.condition, one.leaf.kind
    place = one.task.place[:12]
    value = 0.0 if one.sample is None else one.sample.value
    if condition.threshold.of is None or not one.leaf.threshold:
        used = words.amount(kind, value)
        bound = words.amount(kind, condition.threshold.value)
    else:
        share = condition.threshold.value
        used = words.percent(100 * value / (one.leaf.threshold / share))
        bound = words.percent(100 * share)
    return f"task {place} is at {used} of {kind.value}, bound {bound},"
