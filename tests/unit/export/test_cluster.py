"""The series of the Swarm, derived from views and nodes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from monitor.export.cluster import ClusterExposition
from monitor.export.family import TaskLabels
from monitor.export.shown import shown_tasks
from monitor.model.node import NodeState
from monitor.model.task import Task, TaskState
from tests.unit.export.things import START, node, service, task, view

Series = dict[tuple[str, tuple[str, ...]], float]


def read(cluster: ClusterExposition) -> Series:
    """(name, label values) to value; fails on a series that is there twice."""
    found: Series = {}
    for family in text_string_to_metric_families(cluster.render(openmetrics=False).decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sample.labels.values()))
            assert key not in found
            found[key] = sample.value
    return found


def cluster(**settings: object) -> ClusterExposition:
    made = ClusterExposition(since=START, **settings)
    made.set_nodes([node("n1"), node("n2", "beta")])
    return made


def test_a_node_that_goes_down_takes_its_tasks_out_of_running() -> None:
    """The Swarm keeps calling them running for a day; neither count here does."""
    made = cluster()
    made.set_view(view(service(), task("t1", node_id="n1"), task("t2", slot=2, node_id="n2")))
    assert read(made)["swarm_service_replicas_running", ("web", "s1")] == 2
    made.set_nodes([node("n1"), node("n2", "beta", state=NodeState.DOWN)])
    series = read(made)
    assert series["swarm_service_replicas_running", ("web", "s1")] == 1
    assert series["swarm_service_replicas_desired", ("web", "s1")] == 2
    assert series["swarm_node_tasks", ("n2", "running")] == 0
    assert series["swarm_service_tasks", ("web", "running")] == 2


def test_an_unknown_node_keeps_its_tasks() -> None:
    """Every election makes nodes unknown for a moment: that takes nothing out of running."""
    made = cluster()
    made.set_view(view(service(), task("t1", node_id="n2")))
    made.set_nodes([node("n1"), node("n2", "beta", state=NodeState.UNKNOWN)])
    assert read(made)["swarm_service_replicas_running", ("web", "s1")] == 1


def test_reservations_are_summed_per_node_and_given_back() -> None:
    """A node's reservations are those of the tasks that should run there, over all services."""
    made = cluster()
    reserved = task("t1", cpu_reservation=0.1, memory_reservation=100)
    made.set_view(view(service(), reserved))
    other = replace(reserved, id="t2", service_id="s2", cpu_reservation=0.2)
    made.set_view(view(service("s2", "api"), other))
    assert read(made)["swarm_node_reserved_cpu_cores", ("n1",)] == 0.3
    assert read(made)["swarm_node_reserved_memory_bytes", ("n1",)] == 200
    made.drop_service("s2")
    made.set_view(view(service(), replace(reserved, state=TaskState.FAILED)))
    assert read(made)["swarm_node_reserved_cpu_cores", ("n1",)] == 0
    assert read(made)["swarm_node_reserved_memory_bytes", ("n1",)] == 0


def test_removed_things_leave_no_series() -> None:
    """Dropped services and nodes disappear wholly; what is left are the cluster's counts."""
    made = cluster()
    made.set_view(view(service(), task()))
    read(made)
    made.keep_services([])
    made.set_nodes([])
    assert {name for name, _ in read(made)} == {
        "swarm_cluster_managers",
        "swarm_cluster_managers_reachable",
        "swarm_cluster_quorum_margin",
    }


def test_a_service_removed_and_made_again_is_one_series() -> None:
    """Where the new one is seen before the old one's end, names stay unique; old news lose."""
    made = cluster()
    made.set_view(view(service("s1", created_at=2000.0), task()))
    again = task("t9", service_id="s2", created_at=3000.0)
    made.set_view(view(service("s2", created_at=2500.0, version=1), again))
    made.set_view(view(service("s1", created_at=2000.0), task()))
    series = read(made)
    assert series["swarm_service_version", ("web",)] == 1
    assert ("swarm_service_replicas_desired", ("web", "s1")) not in series


def test_quorum_margin_counts_what_may_still_be_lost() -> None:
    """Three managers with one unreachable: no further one may go."""
    made = ClusterExposition(since=START)
    made.set_nodes(
        [
            node("n1", role="manager", reachability="reachable", leader=True),
            node("n2", role="manager", reachability="reachable"),
            node("n3", role="manager", reachability="unreachable"),
            node("n4"),
        ]
    )
    series = read(made)
    assert series["swarm_cluster_managers", ()] == 3
    assert series["swarm_cluster_managers_reachable", ()] == 2
    assert series["swarm_cluster_quorum_margin", ()] == 0


def test_only_the_newest_ended_task_of_a_slot_is_shown() -> None:
    """Five dead tasks per slot are kept by the Swarm; the last one tells enough."""
    tasks = [
        task("live", created_at=9.0),
        task("dead2", state=TaskState.FAILED, created_at=8.0),
        task("dead1", state=TaskState.FAILED, created_at=7.0),
        task("other", state=TaskState.REJECTED, slot=2, created_at=1.0),
    ]
    assert list(shown_tasks(tasks, TaskLabels.TASK)) == ["live", "dead2", "other"]
    assert {k: t.id for k, t in shown_tasks(tasks, TaskLabels.SLOT).items()} == {
        "1": "live",
        "2": "other",
    }


STATES = st.sampled_from(list(TaskState))
TASKS = st.lists(
    st.builds(
        lambda number, slot, state, desired, at, where: task(
            f"t{number}",
            slot=slot,
            state=state,
            desired_state=desired,
            created_at=at,
            node_id=where,
            cpu_reservation=0.1,
        ),
        st.integers(0, 9),
        st.integers(1, 3),
        STATES,
        STATES,
        st.sampled_from([1.0, 2.0, 3.0]),
        st.sampled_from(["n1", "n2", ""]),
    ),
    unique_by=lambda item: item.id,
)


@given(st.lists(TASKS, min_size=1, max_size=4), st.sampled_from(list(TaskLabels)))
def test_changes_end_where_a_fresh_start_does(looks: list[list[Task]], mode: TaskLabels) -> None:
    """After any run of views, with scrapes between, the series are those of the last one alone.

    Counters apart: those remember. No series is ever there twice.
    """
    made, fresh = cluster(task_labels=mode), cluster(task_labels=mode)
    for look in looks:
        made.set_view(view(service(), *look))
        read(made)
    fresh.set_view(view(service(), *looks[-1]))

    def without_counters(series: Series) -> Series:
        return {key: value for key, value in series.items() if not key[0].endswith("_total")}

    assert without_counters(read(made)) == without_counters(read(fresh))
    running = sum(v for (name, _), v in read(made).items() if name == "swarm_node_tasks")
    unplaced = sum(not task.node_id for task in view(service(), *looks[-1]).running_tasks)
    assert running + unplaced == read(made)["swarm_service_replicas_running", ("web", "s1")]


@given(TASKS)
def test_by_slot_there_are_never_more_tasks_than_slots(tasks: list[Task]) -> None:
    """The bounded mode has one state per slot, however many tasks the slot has had."""
    made = cluster(task_labels=TaskLabels.SLOT)
    made.set_view(view(service(), *tasks))
    states = [key for key in read(made) if key[0] == "swarm_task_state"]
    assert len(states) == len({t.place for t in tasks})
