"""What an answer changes in what is held, and what an old answer does not."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from monitor.cluster.holdings import Changes, Holdings
from monitor.model.node import Availability, Node, NodeState
from monitor.model.service import ServiceMode
from monitor.model.task import TaskState
from tests.unit.build import service, task


def node(name: str, version: int = 1, state: NodeState = NodeState.READY) -> Node:
    return Node(name, name, "worker", state, Availability.ACTIVE, version)


def held(*, at: float = 100.0) -> Holdings:
    """Service s1 at version 10 with two tasks on n1, listed at `at`."""
    holdings = Holdings()
    holdings.take_all(
        [node("n1")], [service()], [task(1, version=5), task(2, version=6)], at - 1, at
    )
    return holdings


def test_an_older_service_never_replaces_a_newer_one() -> None:
    """Reads may lag: neither inspect nor list take a version back."""
    holdings = held()
    holdings.take_service(service(version=12, replicas=5), 101.0)
    assert not holdings.take_service(service(version=11), 102.0).touched
    changes = holdings.take_all([node("n1")], [service(version=11)], [], 102.5, 103.0)
    assert "s1" not in changes.services
    assert holdings.services["s1"].replicas == 5


def test_an_older_task_never_replaces_a_newer_one() -> None:
    """Also a later read may come from a manager that lags behind."""
    holdings = held()
    newer = task(1, version=9, state=TaskState.FAILED)
    holdings.take_tasks("s1", [newer, task(2, version=6)], 101.0, 101.1)
    changes = holdings.take_tasks("s1", [task(1, version=5), task(2, version=6)], 102.0, 102.1)
    assert not changes.touched
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert view.tasks[0].state is TaskState.FAILED


def test_an_answer_to_an_earlier_question_is_dropped() -> None:
    """Tasks asked for at 101 do not replace those asked for at 102, whenever they come."""
    holdings = held()
    holdings.take_tasks("s1", [task(1, version=5)], 102.0, 102.1)
    changes = holdings.take_tasks("s1", [task(1, version=5), task(2, version=6)], 101.0, 105.0)
    assert not changes.touched
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert [one.id for one in view.tasks] == ["task1"]
    assert view.tasks_read_at == 102.0


def test_a_list_does_not_remove_what_was_seen_after_it_was_asked_for() -> None:
    """A service inspected at 102 is not gone because a list asked for at 101 lacks it."""
    holdings = held()
    holdings.take_service(service(id="s2", name="new"), 102.0)
    changes = holdings.take_all([node("n1")], [service()], [], 101.0, 103.0)
    assert "s2" in holdings.services
    assert "s2" not in changes.services
    changes = holdings.take_all([node("n1")], [service()], [], 104.0, 104.1)
    assert "s2" not in holdings.services
    assert "s2" in changes.touched


def test_an_unchanged_list_changes_nothing() -> None:
    """Same versions: the same objects, nothing touched, only the time of reading moves on."""
    holdings = held()
    before = holdings.view("s1", fresh=True)
    assert before is not None
    changes = holdings.take_all(
        [node("n1")], [service()], [task(2, version=6), task(1, version=5)], 130.0, 131.0
    )
    assert changes == Changes()
    after = holdings.view("s1", fresh=True)
    assert after is not None
    assert after.service is before.service
    assert after.tasks is before.tasks
    assert after.nodes is before.nodes
    assert (before.tasks_read_at, after.tasks_read_at) == (99.0, 130.0)


def test_a_restored_swarm_is_believed_the_second_time() -> None:
    """Versions began anew: the same older versions again 5 s later are the truth."""
    holdings = held()
    older = [service(version=3, replicas=7)]
    tasks = [task(1, version=2, state=TaskState.PENDING)]
    assert not holdings.take_all([node("n1")], older, tasks, 110.0, 110.1).services
    assert not holdings.take_all([node("n1")], older, tasks, 111.0, 111.1).services
    changes = holdings.take_all([node("n1")], older, tasks, 130.0, 130.1)
    assert "s1" in changes.services
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert (view.service.replicas, view.version_since) == (7, 130.1)
    assert [one.state for one in view.tasks] == [TaskState.PENDING]


def test_a_manager_that_catches_up_is_no_restored_swarm() -> None:
    """An older version that is another one the second time is a lag, however long."""
    holdings = held()
    holdings.take_all([node("n1")], [service(version=3)], [], 110.0, 110.1)
    assert not holdings.take_all([node("n1")], [service(version=4)], [], 140.0, 140.1).services
    assert holdings.services["s1"].version == 10


def test_version_since_is_the_first_sight_of_a_version() -> None:
    """Reading the same version again does not make it younger."""
    holdings = held(at=100.0)
    holdings.take_service(service(), 105.0)
    view = holdings.view("s1", fresh=False)
    assert view is not None
    assert (view.version_since, view.fresh) == (100.0, False)
    holdings.take_service(service(version=11), 106.0)
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert view.version_since == 106.0


@pytest.mark.parametrize(
    "changed",
    [
        node("n1", 2, NodeState.DOWN),
        replace(node("n1", 2), availability=Availability.DRAIN),
    ],
)
def test_a_node_that_moves_touches_the_services_on_it(changed: Node) -> None:
    """Its state or availability changes views, its labels do not."""
    holdings = held()
    assert list(holdings.take_nodes([changed]).touched) == ["s1"]


def test_a_relabelled_node_touches_no_service() -> None:
    """A node's labels are no fact about the services on it."""
    holdings = held()
    changes = holdings.take_nodes([replace(node("n1", 2), labels={"disk": "ssd"})])
    assert list(changes.nodes) == ["n1"]
    assert not changes.touched
    assert holdings.nodes["n1"].labels == {"disk": "ssd"}


def test_views_are_snapshots() -> None:
    """A view does not change under whoever decides on it."""
    holdings = held()
    view = holdings.view("s1", fresh=True)
    assert view is not None
    holdings.take_all([], [], [], 200.0, 200.1)
    assert (len(view.tasks), len(view.nodes), view.service.id) == (2, 1, "s1")
    with pytest.raises(TypeError):
        view.nodes["x"] = node("x")  # type: ignore[index]
    assert isinstance(holdings.services, MappingProxyType)


def test_counts_of_the_list_are_left_out() -> None:
    """RunningTasks counts tasks on dead nodes: the tasks themselves are what is held."""
    holdings = Holdings()
    listed = service(
        mode=ServiceMode.GLOBAL, replicas=None, desired_tasks=9, running_tasks=9, completed_tasks=0
    )
    holdings.take_all([node("n1")], [listed], [task(1, slot=None)], 1.0, 1.1)
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert (view.desired, view.service.running_tasks) == (1, None)


def test_counts_of_a_job_are_kept_and_are_no_change_of_the_service() -> None:
    """Completed tasks of a job change without a version; an inspect knows no counts."""
    holdings = Holdings()
    job = service(
        mode=ServiceMode.REPLICATED_JOB,
        replicas=None,
        desired_tasks=2,
        running_tasks=2,
        completed_tasks=0,
    )
    holdings.take_all([], [job], [], 1.0, 1.1)
    changes = holdings.take_all([], [replace(job, completed_tasks=1)], [], 2.0, 2.1)
    assert (list(changes.services), list(changes.touched)) == ([], ["s1"])
    holdings.take_service(
        replace(job, desired_tasks=None, running_tasks=None, completed_tasks=None), 3.0
    )
    assert holdings.services["s1"].completed_tasks == 1


def test_a_name_that_was_given_anew_is_the_new_service() -> None:
    """A service removed and created again under its name is found under the new id."""
    holdings = held()
    holdings.take_service(service(id="s2"), 101.0)
    holdings.remove("s1")
    assert holdings.by_name("web") == "s2"
    holdings.remove("s2")
    assert holdings.by_name("web") is None


def test_tasks_of_others_and_of_unknown_services_are_ignored() -> None:
    """An answer about one service says nothing about another."""
    holdings = held()
    changes = holdings.take_tasks("s1", [task(1, version=5, service_id="s9")], 101.0, 101.1)
    assert changes.tasks == {"s1": 2}
    assert not holdings.take_tasks("s9", [task(1, service_id="s9")], 101.0, 101.1).touched


def test_running_since_is_known_for_tasks_seen_to_start() -> None:
    """Absent for what ran at the first list; else the time of first sight, kept until it ends."""
    holdings = held()
    started = task(3, version=20)
    both = [task(1, version=5), task(2, version=6)]
    holdings.take_tasks("s1", [*both, task(3, version=19, state=TaskState.STARTING)], 101.0, 101.1)
    holdings.take_tasks("s1", [*both, started], 102.0, 102.1)
    holdings.take_tasks("s1", [*both, replace(started, version=21)], 103.0, 103.1)
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert view.running_since == {"task3": 102.1}
    ended = replace(started, version=22, state=TaskState.FAILED)
    holdings.take_tasks("s1", [*both, ended], 104.0, 104.1)
    view = holdings.view("s1", fresh=True)
    assert view is not None
    assert view.running_since == {}
