"""Ends as `ps` shows them, as decisions count them."""

from monitor.decide.evidence import ended_of
from monitor.model.cause import Cause, TaskEnd
from monitor.model.evidence import Ended
from monitor.model.now import Now
from monitor.model.task import TaskState

NOW = Now(1000.0, 5000.0)


def end(task_id, **changes):
    values = {
        "task_id": task_id, "service_id": "s1", "service_name": "web", "slot": 2,
        "node_id": "n1", "node_name": "node1", "image": "", "state": TaskState.FAILED,
        "desired_state": TaskState.SHUTDOWN, "since": 4990.0, "exit_code": 3,
        "cause": Cause.EXIT_ERROR,
    }  # fmt: skip
    return TaskEnd(**(values | changes))


def test_what_is_over_counts_in_monotonic_time_the_oldest_first():
    """A task that runs or waits has not ended; one on a lost node has; none ends later than now."""
    running = end("a", state=TaskState.RUNNING, cause=None)
    waiting = end("b", state=TaskState.PENDING, cause=Cause.NO_SUITABLE_NODE)
    lost = end("c", state=TaskState.RUNNING, cause=Cause.NODE_DOWN, since=4000.0, slot=None)
    ahead = end("d", since=5003.0)
    found = ended_of([ahead, end("e"), running, waiting, lost], NOW)
    assert found == (
        Ended("c", "n1", "n1", 0.0, Cause.NODE_DOWN, 3, "s1"),
        Ended("e", "2", "n1", 990.0, Cause.EXIT_ERROR, 3, "s1"),
        Ended("d", "2", "n1", 1000.0, Cause.EXIT_ERROR, 3, "s1"),
    )
