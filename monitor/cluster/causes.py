"""Why a task ended, from all that is known about it. Pure.

What the Swarm says of ends that it did not want is an exit code at most. Who sent a signal is
told by the Engine's events alone, and what the Swarm wanted by its objects alone; so a cause is
always put together from both.
"""

from monitor.cluster.cause_facts import Facts, Replacement
from monitor.cluster.start_errors import failed_start, why_waiting
from monitor.model.cause import Cause, Verdict
from monitor.model.task import TaskState

_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV"} | {
    15: "SIGTERM"
}
_LOST = 255
"""The exit code that an engine gives a container which ended while the engine was not there."""


def cause_of(facts: Facts) -> Verdict | None:
    """None where the task has not ended and is not told to, and nothing keeps it waiting."""
    task = facts.task
    if not facts.over:
        return why_waiting(task)
    return (
        failed_start(task)
        or _lost_node(facts)
        or _wanted(facts)
        or _engine(facts)
        or _from_outside(facts)
        or _by_itself(facts)
    )


def _lost_node(facts: Facts) -> Verdict | None:
    state = facts.task.state
    if state in (TaskState.COMPLETE, TaskState.SHUTDOWN, TaskState.REJECTED):
        return None
    where = facts.node_name or facts.task.node_id
    died_at, down_at = facts.container.died_at, facts.down_at
    if state is TaskState.ORPHANED or (
        down_at is not None and (died_at is None or died_at > down_at)
    ):
        return Verdict(Cause.NODE_DOWN, f"node {where} was down, so the Swarm gave its tasks up")
    if facts.node_gone and (facts.gone or facts.told is not None):
        return Verdict(Cause.NODE_DOWN, f"node {where} was removed from the Swarm")
    return None


def _wanted(facts: Facts) -> Verdict | None:
    """It ended because the Swarm wanted it to."""
    task = facts.task
    if task.state in (TaskState.COMPLETE, TaskState.FAILED) and facts.told is None:
        return None
    if facts.told is None and task.state is not TaskState.SHUTDOWN and _crashed(facts):
        return None
    if facts.down_at is not None and facts.container.died_at is not None and facts.told:
        return None  # its container had ended before the node was lost
    if facts.service_gone and (facts.gone or facts.told is TaskState.REMOVE):
        return Verdict(Cause.SCALED_DOWN, "its service was removed")
    if facts.told is TaskState.REMOVE or (facts.gone and facts.told is None):
        return _scaled(facts)
    if facts.replaced is not None and not (facts.drained and facts.same_again):
        return _replaced(facts)
    if facts.drained:
        return Verdict(Cause.DRAIN, f"node {facts.node_name or task.node_id} was drained")
    if facts.scaled is not None and not facts.same_again:
        return _scaled(facts)
    if facts.stop_rule:
        return _restarted(facts.stop_rule)
    return Verdict(Cause.UNKNOWN, "the Swarm told it to stop; why was not seen")


def _crashed(facts: Facts) -> bool:
    """Its container ended before the Swarm dropped it, and the Swarm did not stop it."""
    if facts.container.died_at is None:
        return False
    if not facts.container.kills:
        return True
    wanted = facts.scaled or facts.service_gone or facts.replaced or facts.drained
    return not wanted


def _scaled(facts: Facts) -> Verdict:
    if facts.scaled is None:
        return Verdict(Cause.SCALED_DOWN, "the Swarm removed its place in the service")
    before, after = facts.scaled
    return Verdict(Cause.SCALED_DOWN, f"the service was scaled from {before} to {after}")


def _replaced(facts: Facts) -> Verdict:
    match facts.replaced:
        case Replacement.ROLLBACK:
            return Verdict(Cause.ROLLBACK, "a rollback of the service replaced it")
        case Replacement.FORCED if facts.rule:
            return _restarted(facts.rule)
        case Replacement.FORCED:
            return Verdict(Cause.UPDATE, "a forced update without other changes replaced it")
    return Verdict(Cause.UPDATE, "an update of the service replaced it")


def _restarted(rule: str) -> Verdict:
    return Verdict(Cause.RESTART_RULE, f"rule {rule} restarted it")


def _engine(facts: Facts) -> Verdict | None:
    """The engine stopped, or was stopped, and took the container along."""
    container, where = facts.container, facts.node_name or facts.task.node_id
    if facts.away or (facts.down_at is not None and container.died_at is not None):
        how = "stopped its containers and went away" if container.kills else "was away"
        return Verdict(Cause.ENGINE_STOPPED, f"the engine of node {where} {how}")
    if "no such container" in facts.task.error.lower() and not container.removed_by_force:
        why = f"node {where} had lost its container when its engine looked for it again"
        return Verdict(Cause.ENGINE_STOPPED, why)
    return None


def _from_outside(facts: Facts) -> Verdict | None:
    """Health check, kernel, a rule or a person."""
    container = facts.container
    if "unhealthy container" in facts.task.error or container.unhealthy_at is not None:
        return Verdict(Cause.UNHEALTHY, "its health check failed, so the engine stopped it")
    kill, oom_at = container.kill, container.oom_at
    if oom_at is not None and (kill is None or kill[0] < oom_at):
        code = facts.exit_code
        ended = "" if code in (None, 137) else f", and it exited with {code}"
        return Verdict(Cause.OOM, f"the kernel killed in it for want of memory{ended}")
    if facts.stop_rule:
        return _restarted(facts.stop_rule)
    if kill is None:
        return _left_behind(facts)
    if container.removed_by_force:
        why = "its container was removed by force while the Swarm wanted it to run"
        return Verdict(Cause.REMOVED_BY_HAND, why)
    how = "stopped" if container.stopped_at is not None else "killed"
    why = f"its container was {how} ({_signal(kill[1])}) while the Swarm wanted it to run"
    return Verdict(Cause.KILLED_BY_HAND, why)


def _left_behind(facts: Facts) -> Verdict | None:
    """What the engine still knew of the container when nobody had heard its end.

    That the kernel killed in it says not when: only with the code of SIGKILL was that its end.
    """
    remains = facts.remains
    if remains is None:
        return None
    if remains.oom_killed and remains.exit_code == 128 + 9:
        return Verdict(Cause.OOM, "its engine noted that the kernel killed it for want of memory")
    if remains.unhealthy:
        return Verdict(Cause.UNHEALTHY, "its engine noted that its health check failed")
    return None


def _by_itself(facts: Facts) -> Verdict:
    code, heard = facts.exit_code, facts.container.died_at is not None
    if code is None:
        said = f": {facts.task.error}" if facts.task.error else ""
        return Verdict(Cause.UNKNOWN, f"nothing tells how its container ended{said}"[:300])
    if code == 0:
        return Verdict(Cause.EXIT_ZERO, "its command exited with 0 by itself")
    if not heard and code == _LOST:
        return Verdict(Cause.UNKNOWN, "exit code 255: its own, or its engine was away at its end")
    if code > 128 and (signal := code - 128) < 65:
        if not heard:
            why = f"it ended by {_signal(signal)}, and no event told who sent it"
            return Verdict(Cause.UNKNOWN, why)
        why = f"it ended by {_signal(signal)}, which nobody sent through the engine"
        return Verdict(Cause.EXIT_ERROR, f"its command exited with {code}: {why}")
    return Verdict(Cause.EXIT_ERROR, f"its command exited with {code} by itself")


def _signal(number: int) -> str:
    return _SIGNALS.get(number, f"signal {number}")
