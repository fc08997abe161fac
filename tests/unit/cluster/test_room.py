import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cluster.constraints import satisfies
from monitor.cluster.occupancy import occupancy
from monitor.cluster.room import room_for
from monitor.model.node import Availability, Node, NodeState
from monitor.model.service import PublishedPort
from monitor.model.task import TaskState
from tests.unit.build import service, task

GIB = 2**30


def node(name, **fields):
    values = {
        "id": name,
        "name": name,
        "role": "worker",
        "state": NodeState.READY,
        "availability": Availability.ACTIVE,
        "version": 1,
        "os": "linux",
        "arch": "x86_64",
        "cpu_cores": 2.0,
        "memory_bytes": 4 * GIB,
    }
    return Node(**(values | fields))


def placed(count, on="n1", **fields):
    return [task(number, node_id=on, **fields) for number in range(count)]


def with_placement(**placement):
    spec = {"TaskTemplate": {"Placement": placement}}
    return {"raw": {"Spec": spec}}


def room(of, tasks, *nodes, others=()):
    by_id = {n.id: n for n in nodes}
    return room_for(of, tasks, by_id, occupancy({of.id: of}, [*tasks, *others]))


def test_reservations_bound_what_fits():
    """Two nodes of 2 cores hold four tasks of 0.9 cores, and what is short is said."""
    of = service(cpu_reservation=0.9)
    tasks = placed(1, cpu_reservation=0.9)
    found = room(of, tasks, node("n1"), node("n2"))
    assert (found.tasks, found.why) == (4, "CPU to reserve of the 2 nodes that may run it")


def test_what_other_services_reserve_is_taken():
    """A neighbour's reservation leaves less room, one told to stop leaves it free."""
    of = service(memory_reservation=GIB)
    wanted = placed(2, service_id="other", memory_reservation=GIB)
    leaving = placed(
        1, service_id="other", memory_reservation=GIB, desired_state=TaskState.SHUTDOWN
    )
    assert room(of, [], node("n1"), others=[*wanted, *leaving]).tasks == 2


def test_a_service_without_limits_is_never_bound():
    """Nothing to run out of: no estimate."""
    assert room(service(), [], node("n1")).tasks is None


def test_most_replicas_per_node_bounds_what_fits():
    """Three nodes at two each hold six."""
    of = service(max_replicas_per_node=2)
    assert room(of, placed(2), node("n1"), node("n2"), node("n3")).tasks == 6


def test_a_host_port_fits_once_per_node():
    """Two tasks cannot both listen on one node's port; a neighbour's port counts too."""
    port = PublishedPort("tcp", 80, 8080, "host")
    of = service(ports=(port,))
    assert room(of, placed(1), node("n1"), node("n2")).tasks == 2


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"availability": Availability.DRAIN}, 4),
        ({"availability": Availability.PAUSE}, 6),
        ({"state": NodeState.DOWN}, 4),
        ({"state": NodeState.UNKNOWN}, 8),
    ],
)
def test_only_nodes_that_take_tasks_count(fields, fits):
    """Drained and down nodes keep nothing, paused ones what they have; an election is no loss."""
    of = service(max_replicas_per_node=4)
    tasks = [*placed(2, "n1"), *placed(2, "n2")]
    assert room(of, tasks, node("n1"), node("n2", **fields)).tasks == fits


def test_constraints_leave_out_nodes():
    """A service bound to a label fits on the nodes that carry it alone."""
    of = service(max_replicas_per_node=1, **with_placement(Constraints=["node.labels.disk == ssd"]))
    found = room(of, [], node("n1", labels={"disk": "SSD"}), node("n2"))
    assert found.tasks == 1


def test_no_eligible_node_is_said():
    """Where no node may run it, nothing more fits and the sentence says why."""
    of = service(**with_placement(Constraints=["node.role==manager"]))
    found = room(of, [], node("n1"))
    assert found.tasks == 0
    assert "placement constraints" in found.why


def test_another_platform_does_not_fit():
    """An arm64 image has no room on amd64 nodes."""
    arm = with_placement(Platforms=[{"OS": "linux", "Architecture": "arm64"}], MaxReplicas=1)
    of = service(max_replicas_per_node=1, **arm)
    assert room(of, [], node("n1"), node("n2", arch="aarch64")).tasks == 1


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        ("node.role==worker", True),
        ("node.role != worker", False),
        ("node.hostname==N1", True),
        ("node.labels.zone!=a", True),
        ("node.labels.zone==a", False),
        ("node.platform.arch==amd64", True),
        ("engine.labels.x==y", True),
        ("node.ip==10.0.0.0/8", True),
        ("nonsense", True),
    ],
)
def test_constraints_are_read_as_the_scheduler_reads_them(constraint, holds):
    """Without regard to case, a missing label is empty, and what nobody can judge holds."""
    assert satisfies(node("n1"), [constraint]) is holds


@given(
    cores=st.lists(st.sampled_from([0.5, 1.0, 2.0, 8.0]), min_size=1, max_size=5),
    reserve=st.sampled_from([0.1, 0.3, 0.5, 1.5]),
)
def test_filling_up_to_the_estimate_fits_and_one_more_does_not(cores, reserve):
    """Placing tasks one by one by hand ends exactly at the estimate."""
    nodes = [node(f"n{i}", cpu_cores=c) for i, c in enumerate(cores)]
    free = {n.id: round(n.cpu_cores * 10) for n in nodes}
    by_hand, step = 0, round(reserve * 10)
    for left in free.values():
        by_hand += left // step
    assert room(service(cpu_reservation=reserve), [], *nodes).tasks == by_hand
