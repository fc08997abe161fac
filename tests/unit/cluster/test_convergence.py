"""Which services are read again unasked."""

from dataclasses import replace
from typing import Any

import pytest

from monitor.cluster.convergence import unconverged
from monitor.model.node import Availability, Node, NodeState
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.task import Task, TaskState
from monitor.model.view import ServiceView
from tests.unit.build import service, task

READY = Node("n1", "n1", "worker", NodeState.READY, Availability.ACTIVE, 1)


def view(*tasks: Task, node: Node = READY, **fields: Any) -> ServiceView:
    return ServiceView(
        service=service(**fields),
        tasks=tasks or (task(1), task(2)),
        nodes={"n1": node},
        version_since=0.0,
        tasks_read_at=0.0,
    )


def test_all_as_wanted_is_converged() -> None:
    """Two of two run, the version is known for long: nothing to watch."""
    assert not unconverged(view(), 100.0)


def test_a_young_version_is_watched() -> None:
    """For 2 s nobody knows what a new version leads to."""
    young = replace(view(), version_since=99.0)
    assert unconverged(young, 100.0)
    assert not unconverged(young, 101.0)


@pytest.mark.parametrize(
    ("state", "watched"),
    [
        (UpdateState.UPDATING, True),
        (UpdateState.ROLLBACK_STARTED, True),
        (UpdateState.PAUSED, False),
        (UpdateState.COMPLETED, False),
        (UpdateState.ROLLBACK_COMPLETED, False),
    ],
)
def test_an_update_in_flight_is_watched(state: UpdateState, watched: bool) -> None:
    """What goes on is watched, what rests is not."""
    assert unconverged(view(update_state=state), 100.0) is watched


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.PREPARING, TaskState.STARTING])
def test_a_task_on_its_way_is_watched(state: TaskState) -> None:
    """Also where enough others run."""
    assert unconverged(view(task(1), task(2), task(3, state=state)), 100.0)


def test_a_task_that_is_to_stop_is_watched_until_it_did() -> None:
    """Its end has no event on other nodes; on a dead node it never comes."""
    stopping = task(3, desired_state=TaskState.SHUTDOWN)
    assert unconverged(view(task(1), task(2), stopping), 100.0)
    stopped = task(3, desired_state=TaskState.SHUTDOWN, state=TaskState.SHUTDOWN)
    assert not unconverged(view(task(1), task(2), stopped), 100.0)
    dead = replace(READY, state=NodeState.DOWN)
    gone = view(task(1, node_id="n2"), task(2, node_id="n2"), stopping, node=dead)
    assert not unconverged(gone, 100.0)


def test_too_few_and_too_many_are_watched() -> None:
    """Running is not desired, in either direction."""
    assert unconverged(view(task(1)), 100.0)
    assert unconverged(view(task(1), task(2), task(3)), 100.0)


def test_a_deploy_whose_update_status_is_still_unset_is_watched() -> None:
    """Live tasks of another template without UpdateStatus: `updating` is about to come."""
    old = (task(1, template="t0"), task(2))
    assert unconverged(view(*old), 100.0)
    assert not unconverged(view(*old, update_state=UpdateState.PAUSED), 100.0)


def test_a_job_is_watched_while_tasks_start_not_while_they_run() -> None:
    """A job runs for hours; its completed tasks are not missing ones."""
    running = task(1, desired_state=TaskState.COMPLETE)
    job: dict[str, Any] = {"mode": ServiceMode.REPLICATED_JOB, "replicas": None}
    assert not unconverged(view(running, **job), 100.0)
    assert unconverged(view(replace(running, state=TaskState.STARTING), **job), 100.0)
    assert not unconverged(view(replace(running, state=TaskState.COMPLETE), **job), 100.0)
