"""Deciding a restart rule: whether its conditions hold, and what is to be done then."""

from monitor.decide import words
from monitor.decide.breaker import most_in_vain
from monitor.decide.conditions import breaker_open
from monitor.decide.finding import Found
from monitor.decide.refusals import refusal
from monitor.decide.restart_block import Due, blocked
from monitor.decide.restart_look import Findings, look
from monitor.decide.restart_words import WORDING
from monitor.decide.verdict import Case, Verdict, decision
from monitor.model.action import Action, ForceUpdate, Notify, Park, RestartTask, Rollback
from monitor.model.decision import Condition, Decision
from monitor.model.evidence import NO_EVIDENCE, Evidence
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import RestartAction, RestartRule, TaskCondition
from monitor.model.service import UpdateState
from monitor.model.sources import leaves
from monitor.model.task import Task
from monitor.model.usage import Usage
from monitor.model.view import ServiceView


def decide_restart(
    rule: RestartRule,
    view: ServiceView,
    usage: Usage,
    history: History,
    now: Now,
    *,
    own_service: bool,
    evidence: Evidence = NO_EVIDENCE,
) -> Decision:
    """`usage` holds the samples of each kind of the rule's conditions, named by the kind, and the
    numbers that it asks for by their names.

    Of a task that is gone nothing is kept, so a restart is followed by another only once a new
    task has been over the bound for the whole time; of ends and changes of health only those
    after the rule's last action and after the last deploy count.
    """
    case = Case(rule, view, history, now)
    refused = refusal(case, own_service=own_service, evidence=evidence)
    if refused is not None:
        return decision(case, refused, holding=history.holding)
    findings = look(case, rule, usage, evidence)
    if not findings.due:
        return _made(case, findings, _not_met(case, rule, findings))
    task = chosen(rule, findings)
    why = _why(findings, task)
    due = Due(case, rule, findings, evidence, task, why)
    hold = blocked(due)
    if hold is not None:
        return _made(case, findings, hold)
    action = _action(due)
    text = f": {WORDING[rule.action].do}"
    if isinstance(action, RestartTask):
        text += f" task {action.place[:12]}"
    met = Verdict(
        desired=0 if isinstance(action, Park) else view.service.replicas,
        reason=Reason.CONDITION_MET,
        text=f"{text}, {why}",
        inputs=findings.inputs,
        would_change="the condition does not hold",
    )
    return _made(case, findings, met, action)


def _made(
    case: Case, findings: Findings, verdict: Verdict, action: Action | None = None
) -> Decision:
    return decision(
        case,
        verdict,
        action,
        findings.holding,
        course=findings.course,
        trial=action is not None and findings.trial,
        handles=findings.handles if action is not None else (),
        conditions=_breaker_condition(findings),
    )


def _breaker_condition(findings: Findings) -> tuple[Condition, ...]:
    """An open breaker is told with every decision, also while the condition does not hold."""
    state = findings.course.breaker
    if state.open_since is None:
        return ()
    return (
        breaker_open(f"{most_in_vain(state)} restarts in a row did not help; nothing is restarted"),
    )


def chosen(rule: RestartRule, findings: Findings) -> Task | None:
    """The task whose condition has lasted longest; None where it is all about the service."""
    if not findings.qualified:
        return None
    if rule.action is not RestartAction.RESTART_TASK:
        return findings.qualified[0]
    lasted = {
        task.id: max(
            one.lasted or 0.0 for one in findings.met if one.task and one.task.id == task.id
        )
        for task in findings.qualified
    }
    return max(findings.qualified, key=lambda task: lasted[task.id])


def _action(due: Due) -> Action:
    service = due.case.view.service
    match due.rule.action:
        case RestartAction.RESTART_SERVICE:
            return ForceUpdate()
        case RestartAction.RESTART_TASK:
            task = due.task
            assert task is not None, "without a task it is blocked"
            return RestartTask(task.id, task.node_id, task.container_id, task.place)
        case RestartAction.ROLLBACK:
            target = due.evidence.rollback
            by_swarm = service.update_state in (UpdateState.UPDATING, UpdateState.PAUSED)
            return Rollback("" if target is None else target.id, service.replicas, by_swarm)
        case RestartAction.PARK:
            return Park(service.replicas or 0)
        case RestartAction.NOTIFY:
            return Notify()


def _not_met(case: Case, rule: RestartRule, findings: Findings) -> Verdict:
    problem = findings.problem
    if problem:
        reason, text, change = (
            Reason.MISSING_REQUEST,
            f"is not judged: {problem}",
            "what it lacks is set",
        )
    elif findings.found and all(one.unknown for one in findings.found):
        reason, text = Reason.MISSING_SAMPLES, f"is not judged: {_unknown(findings)}"
        change = "there is something to judge it by"
    else:
        reason, text = Reason.CONDITION_NOT_MET, _progress(rule, findings)
        change = "the condition holds"
    return Verdict(
        desired=case.view.service.replicas,
        reason=reason,
        text=text,
        inputs=findings.inputs,
        recheck_after=min(
            (one.recheck for one in findings.found if one.recheck is not None), default=None
        ),
        would_change=change,
    )


def _unknown(findings: Findings) -> str:
    if any(one.task is not None for one in findings.found):
        return "none of its tasks has a sample"
    notes = {f"{one.metric}: {one.note}" for one in findings.inputs}
    return "; ".join(sorted(notes))


def _progress(rule: RestartRule, findings: Findings) -> str:
    """Names the condition that is still to last, the longest of them first."""
    wording = WORDING[rule.action]
    told = [one for one in findings.found if one.progress]
    if not told:
        return f"needs no {wording.noun}: {_calm(rule)}"
    waiting = [one for one in told if not one.met]
    longest = max(waiting or told, key=lambda one: one.lasted or 0.0)
    return f"is not {wording.done}{'' if longest.gap else ' yet'}: {longest.progress}"


def _calm(rule: RestartRule) -> str:
    over = (isinstance(leaf, TaskCondition) and not leaf.kind.below for leaf in leaves(rule.when))
    return "no task is over its bound" if all(over) else "no condition holds"


def _why(findings: Findings, first: Task | None) -> str:
    """What holds for the task that is named first, and of the service; and how many more."""
    over: list[Found] = [
        one for one in findings.met if one.task is None or (first and one.task.id == first.id)
    ]
    levels = " and ".join(one.because for one in over if one.because)
    more = len(findings.qualified) - 1
    if more <= 0:
        return levels
    return f"{levels}; so {'is' if more == 1 else 'are'} {words.number(more)} more"
