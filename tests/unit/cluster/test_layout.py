"""Where tasks of a service may run, for rebalancing."""

from monitor.cluster.layout import barred_from, spots_for
from monitor.cluster.occupancy import occupancy
from monitor.model.evidence import Barred, Spot
from monitor.model.node import Availability, NodeState
from monitor.model.service import PublishedPort
from tests.unit.build import service
from tests.unit.cluster.test_room import node, placed, with_placement


def spots(of, tasks, *nodes, joined=None):
    by_id = {one.id: one for one in nodes}
    return spots_for(of, tasks, by_id, occupancy({of.id: of}, tasks), joined or {})


def test_nodes_that_take_tasks_in_the_order_of_their_names():
    """Neither drained or paused ones, nor those that are down or out of touch."""
    others = [
        node("n4", availability=Availability.DRAIN),
        node("n5", availability=Availability.PAUSE),
        node("n6", state=NodeState.DOWN),
        node("n7", state=NodeState.UNKNOWN),
    ]
    found = spots(service(), [], node("n2"), node("n1"), *others, joined={"n2": 5.0, "n9": 1.0})
    assert found == (Spot("n1", "n1"), Spot("n2", "n2", None, 5.0))


def test_room_by_reservations_most_per_node_and_host_ports():
    """Two cores less one task of 0.9: one more; at most two a node; one host port a node."""
    two = (node("n1"), node("n2"))
    of = service(cpu_reservation=0.9)
    assert [one.free for one in spots(of, placed(1, cpu_reservation=0.9), *two)] == [1, 2]
    most = service(max_replicas_per_node=2)
    assert [one.free for one in spots(most, placed(2), *two)] == [0, 2]
    ports = service(ports=(PublishedPort("tcp", 80, 80, "host"),))
    assert [one.free for one in spots(ports, placed(1), *two)] == [0, 1]


def test_constraints_leave_nodes_out():
    """What the scheduler would not choose is no place to move to."""
    of = service(**with_placement(Constraints=["node.labels.disk == ssd"]))
    fast = node("n2", labels={"disk": "ssd"})
    assert spots(of, [], node("n1"), fast) == (Spot("n2", "n2"),)


def test_nodes_that_never_get_a_task_say_why():
    """By the constraint that they miss or the platform that they lack; drained ones are silent."""
    of = service(**with_placement(Constraints=["node.role==worker", "node.labels.disk == ssd"]))
    nodes = {
        one.id: one
        for one in (
            node("n3", role="manager"),
            node("n2", labels={"disk": "hdd"}),
            node("n1", labels={"disk": "ssd"}),
            node("n4", role="manager", availability=Availability.DRAIN),
        )
    }
    assert barred_from(of, nodes) == (
        Barred("n2", "its constraint node.labels.disk == ssd"),
        Barred("n3", "its constraint node.role==worker"),
    )
    arm = service(**with_placement(Platforms=[{"OS": "linux", "Architecture": "arm64"}]))
    only = {"n1": nodes["n1"]}
    assert barred_from(arm, only) == (Barred("n1", "its image, which is not for linux/x86_64"),)
    assert barred_from(service(), nodes) == ()
