"""Why what a restart rule wants must wait, or must not be done at all."""

from dataclasses import dataclass

from monitor.decide import breaker, pace, words
from monitor.decide.guards import (
    guard_end,
    guard_recheck,
    guard_sentence,
    near_rollout,
    rollout_guard,
)
from monitor.decide.restart_look import Findings
from monitor.decide.restart_words import WORDING
from monitor.decide.verdict import Case, Verdict
from monitor.model.evidence import Evidence
from monitor.model.reason import Reason
from monitor.model.rule import RestartAction, RestartRule
from monitor.model.service import UpdateState
from monitor.model.task import Task, TaskState


@dataclass(frozen=True, slots=True)
class Due:
    """An action that is due, before anything holds it back.

    task: the one it is about, None where it is about the service. why: a clause.
    """

    case: Case
    rule: RestartRule
    findings: Findings
    evidence: Evidence
    task: Task | None
    why: str

    def wait(self, reason: Reason, text: str, ends: str, recheck: float | None = None) -> Verdict:
        return Verdict(
            desired=self.case.view.service.replicas,
            reason=reason,
            text=text,
            inputs=self.findings.inputs,
            recheck_after=recheck,
            binding=reason.value,
            would_change=ends,
        )

    @property
    def due_for(self) -> str:
        return f"is due for {WORDING[self.rule.action].one} ({self.why})"


def blocked(due: Due) -> Verdict | None:
    """None where nothing stands against it: first what rules it out, then what will pass."""
    match due.rule.action:
        case RestartAction.NOTIFY:
            return _paced(due)
        case RestartAction.PARK:
            return _park(due) or _quiet(due) or _guard(due) or _paced(due)
        case RestartAction.ROLLBACK:
            return _rollback(due) or _quiet(due) or _rollback_guard(due) or _paced(due)
        case RestartAction.RESTART_SERVICE:
            return _open(due) or _quiet(due) or _guard(due) or _unconverged(due) or _paced(due)
        case RestartAction.RESTART_TASK:
            return (
                _policy(due)
                or _open(due)
                or _quiet(due)
                or _guard(due)
                or _near_rollout(due)
                or _under_way(due)
                or _container(due)
                or _paced(due)
            )


# What rules it out


def _policy(due: Due) -> Verdict | None:
    """Only where the Swarm replaces every task that ends is a stop a restart."""
    policy = due.case.view.service.restarts
    if due.task is None:
        text = f"{due.due_for}, but no single task is to blame: use action restart_service"
        return due.wait(Reason.RESTART_POLICY, text, "a condition that holds for a task")
    if policy.always:
        return None
    if policy.condition == "any":
        what = f"a max_attempts of {policy.max_attempts}, of which each stop would use one up"
    else:
        what = f"the restart condition {policy.condition}: a task that is stopped might stay so"
    text = f"{due.due_for}, but its restart_policy has {what}; use action restart_service"
    return due.wait(
        Reason.RESTART_POLICY, text, "its restart_policy is condition: any without max_attempts"
    )


def _open(due: Due) -> Verdict | None:
    state = due.findings.course.breaker
    if state.open_since is None:
        return None
    count, since = breaker.most_in_vain(state), due.case.now.mono - state.open_since
    well = words.duration(due.rule.breaker.within)
    text = (
        f"is not restarted any more: {count} restarts in a row did not help, so the breaker has "
        f"been open for {words.duration(since)} ({due.why}); ends once a new deploy has run well "
        f"for {well}"
    )
    left = None
    if state.calm_since is not None:
        left = state.calm_since + due.rule.breaker.within - due.case.now.mono
    return due.wait(Reason.BREAKER_OPEN, text, f"a new deploy has run well for {well}", left)


def _park(due: Due) -> Verdict | None:
    service = due.case.view.service
    if service.replicas is None:
        text = f"cannot be parked: its mode is {service.mode.value}, and only replicas can be 0"
        return due.wait(Reason.UNSUPPORTED_MODE, text, "a replicated service")
    if service.replicas == 0:
        text = f"{due.due_for}, but has 0 replicas already"
        return due.wait(Reason.PARKED, text, "it has replicas again")
    return None


def _rollback(due: Due) -> Verdict | None:
    """Once for each deploy, and only to a spec that can be had."""
    deploy, target = due.findings.course.deploy, due.evidence.rollback
    if deploy is not None and deploy.rolled_back:
        text = f"{due.due_for}, but was rolled back already; it is left to the next deploy"
        return due.wait(Reason.ROLLED_BACK, text, "somebody deploys it")
    if target is None and due.case.view.service.update_state is not UpdateState.UPDATING:
        text = f"{due.due_for}, but no deploy before the present one is known"
        return due.wait(Reason.NO_ROLLBACK_TARGET, text, "somebody deploys it")
    if target is not None and target.problem:
        text = f"{due.due_for}, but cannot go back to {target.image or 'it'}: {target.problem}"
        return due.wait(Reason.NO_ROLLBACK_TARGET, text, "what it needs is there again")
    return None


# What will pass


def _quiet(due: Due) -> Verdict | None:
    deploy, now = due.findings.course.deploy, due.case.now.mono
    if deploy is None or deploy.at is None:
        return None
    wait = deploy.at + due.rule.quiet_after_deploy - now
    if wait <= 0:
        return None
    ago, left = words.duration(now - deploy.at), words.duration(wait)
    text = f"{due.due_for}, but was deployed {ago} ago; it is left to settle for another {left}"
    return due.wait(Reason.QUIET_AFTER_DEPLOY, text, f"the same in {left}", wait)


def _guard(due: Due) -> Verdict | None:
    view, now, own = due.case.view, due.case.now, due.case.history.own_version
    guard = rollout_guard(view, own, now)
    if guard is None:
        return None
    one = WORDING[due.rule.action].one
    text = f"{guard_sentence(view, guard, now)}; {one} is due: {due.why}"
    return due.wait(guard, text, guard_end(view, guard), guard_recheck(view, own, now))


def _rollback_guard(due: Due) -> Verdict | None:
    """A rollout that goes wrong is what a rollback is for."""
    forward = (UpdateState.UPDATING, UpdateState.PAUSED)
    return None if due.case.view.service.update_state in forward else _guard(due)


def _near_rollout(due: Due) -> Verdict | None:
    wait = near_rollout(due.case.view, due.case.now)
    if wait is None:
        return None
    left = words.duration(wait)
    text = f"{due.due_for}, but its rollout has just ended; it is left alone for another {left}"
    return due.wait(Reason.ROLLOUT_IN_PROGRESS, text, f"the same in {left}", wait)


def _stuck(due: Due) -> int:
    """Tasks that do not run and are to be restarted for that."""
    return sum(task.state is not TaskState.RUNNING for task in due.findings.qualified)


def _unconverged(due: Due) -> Verdict | None:
    view = due.case.view
    running = len(view.running_tasks)
    if running + _stuck(due) == view.desired:
        return None
    text = (
        f"{due.due_for}, which waits until all tasks run: {running} of {view.desired} do"
        f"{_swarm_waits(due)}"
    )
    return due.wait(Reason.NOT_CONVERGED, text, "all of its tasks run")


def _under_way(due: Due) -> Verdict | None:
    """At most `at_once` tasks are missing at a time, and never all of them."""
    view = due.case.view
    running, stuck = len(view.running_tasks), _stuck(due)
    missing = view.desired - running - stuck
    most = max(1, min(due.rule.at_once, view.desired - 1))
    if 0 <= missing < most:
        return None
    text = (
        f"{due.due_for}, which waits for others: {running} of {view.desired} tasks run, and at "
        f"most {most} may be restarted at once{_swarm_waits(due)}"
    )
    return due.wait(Reason.NOT_CONVERGED, text, "more of its tasks run")


def _swarm_waits(due: Due) -> str:
    waiting = sum(
        task.desired_state is TaskState.READY and not task.state.ended
        for task in due.case.view.tasks
    )
    delay = words.duration(due.case.view.service.restarts.delay)
    said = f"; the Swarm itself restarts {words.tasks(waiting)} after its delay of {delay}"
    return said if waiting else ""


def _container(due: Due) -> Verdict | None:
    task = due.task
    assert task is not None, "refused before"
    place = task.place[:12]
    if not task.container_id:
        text = f"{due.due_for}, but task {place} has no container yet"
        return due.wait(Reason.NOT_CONVERGED, text, "its container is known")
    if due.evidence.agents is not None and task.node_id not in due.evidence.agents:
        node = due.case.view.nodes.get(task.node_id)
        name = task.node_id if node is None else node.name
        text = f"{due.due_for}, but the agent on {name} is not heard, which would have to stop it"
        return due.wait(Reason.NO_AGENT, text, f"the agent on {name} is heard")
    return None


def _paced(due: Due) -> Verdict | None:
    rule, restarts, now = due.rule, due.case.history.restarts, due.case.now.mono
    wait = pace.budget_wait(rule.budget, restarts, now)
    if wait is not None:
        left = words.duration(wait)
        text = f"{due.due_for}, but {_spent(rule)} {left}"
        return due.wait(Reason.BUDGET, text, f"the same in {left}", wait)
    place = due.task.place if due.task and rule.action is RestartAction.RESTART_TASK else ""
    in_vain = breaker.streak(due.findings.course.breaker, place)
    wait = pace.backoff_wait(rule.backoff, rule.budget, restarts, now, in_vain)
    if wait is not None:
        left = words.duration(wait)
        text = f"{due.due_for}, which waits another {left} since the last one"
        return due.wait(Reason.BACKOFF, text, f"the same in {left}", wait)
    return None


def _spent(rule: RestartRule) -> str:
    within = words.duration(rule.budget.within)
    if rule.budget.count <= 0:
        return "its budget allows none; it is looked at again in"
    count = "once" if rule.budget.count == 1 else f"{rule.budget.count} times"
    return f"was {WORDING[rule.action].done} {count} within {within}; the next is allowed in"
