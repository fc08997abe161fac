"""Causes of ends that nobody heard, from what is left of their containers."""

import pytest

from monitor.agent.remains import remains_of
from monitor.cluster.ends import Ends
from monitor.fleet.messages import read, spell_event
from monitor.model.cause import Cause
from monitor.model.container import Container, Health
from monitor.model.event import OOM_COUNTED, Event
from monitor.model.task import TaskState
from tests.unit.build import service, task


def left(code, **parts):
    """What an agent tells of the container of task1, which ran from 100.5 to 200.25."""
    found = Container(
        id="c1",
        task_id="task1",
        service_id="s1",
        service_name="web",
        node_id="n1",
        running=False,
        started_at=100.5,
        finished_at=200.25,
        exit_code=code,
        **parts,
    )
    return read(spell_event(remains_of(found)))


def after(*events, code, state=TaskState.FAILED):
    """The end of task1 as a fresh agent has it that sees it in the history, then hears these."""
    ends = Ends()
    dead = task(
        1, state=state, desired_state=TaskState.SHUTDOWN, exit_code=code, since=203.0, created_at=99
    )
    ends.tasks(service(), None, (dead,), 300.0)
    for event in events:
        ends.heard(event, 301.0)
    (end,) = ends.of("web")
    return end


@pytest.mark.parametrize(
    ("code", "parts", "cause"),
    [
        (137, {"oom_killed": True}, Cause.OOM),
        (137, {}, Cause.UNKNOWN),
        (143, {}, Cause.UNKNOWN),
        (3, {}, Cause.EXIT_ERROR),
        # When in its life a process of it was killed is not known.
        (3, {"oom_killed": True}, Cause.EXIT_ERROR),
        (0, {"oom_killed": True}, Cause.EXIT_ZERO),
        (137, {"health": Health.UNHEALTHY}, Cause.UNHEALTHY),
        (0, {"health": Health.UNHEALTHY}, Cause.UNHEALTHY),
        (0, {"health": Health.HEALTHY}, Cause.EXIT_ZERO),
    ],
)
def test_what_is_left_of_a_container_names_its_cause(code, parts, cause):
    """As far as an inspected container can tell, and no further."""
    state = TaskState.COMPLETE if code == 0 else TaskState.FAILED
    end = after(left(code, **parts), code=code, state=state)
    assert (end.cause, end.exit_code) == (cause, code)
    assert (end.since, end.uptime) == (200.25, 99.75)


def test_an_end_that_was_heard_goes_before_what_is_left():
    """A kill by hand stays one, in whatever order it is told, also where the flag is set."""
    labels = {"com.docker.swarm.task.id": "task1"}
    kill = Event("container", "kill", "c1", int(200e9), {**labels, "signal": "9"})
    die = Event("container", "die", "c1", int(200.2e9), {**labels, "exitCode": "137"})
    told = [kill, die, left(137, oom_killed=True)]
    for order in (told, told[::-1]):
        assert after(*order, code=137).cause is Cause.KILLED_BY_HAND


def test_what_is_left_is_told_twice_without_harm():
    """Agents tell it again to each manager's agent that was restarted."""
    assert after(left(137, oom_killed=True), code=137) == after(
        left(137, oom_killed=True), left(137, oom_killed=True), code=137
    )


@pytest.mark.parametrize(
    ("counted", "died", "cause"), [(195.0, 200.0, Cause.OOM), (100.0, 200.0, Cause.EXIT_ERROR)]
)
def test_a_child_that_was_killed_is_known_by_its_cgroups_counter(counted, died, cause):
    """Where no `oom` event came: the main process ended with a code of its own soon after, or so
    much later that it had other reasons."""
    labels = {"com.docker.swarm.task.id": "task1"}
    counter = Event("container", OOM_COUNTED, "c1", int(counted * 1e9), labels)
    die = Event("container", "die", "c1", int(died * 1e9), {**labels, "exitCode": "7"})
    end = after(read(spell_event(counter)), die, code=7)
    assert end.cause is cause
    assert "exited with 7" in end.evidence
