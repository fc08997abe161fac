"""What tasks take of nodes, kept up to date."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.cluster.occupancy import Occupied, host_ports, occupancy
from monitor.model.service import PublishedPort
from monitor.model.task import TaskState
from tests.unit.build import service, task

SERVICES = {
    "a": service(id="a", ports=(PublishedPort("tcp", 80, 80, "host"),)),
    "b": service(id="b"),
    "c": service(id="c", ports=(PublishedPort("tcp", 80, 80, "host"),)),
}
TASKS = st.builds(
    task,
    number=st.integers(1, 5),
    node_id=st.sampled_from(["", "n1", "n2"]),
    desired_state=st.sampled_from([TaskState.RUNNING, TaskState.SHUTDOWN]),
    cpu_reservation=st.sampled_from([0.0, 0.1, 0.3]),
    memory_reservation=st.sampled_from([0, 7]),
)
STEPS = st.lists(st.tuples(st.sampled_from(sorted(SERVICES)), st.none() | st.lists(TASKS)))


@given(steps=STEPS)
def test_it_is_what_counting_anew_gives(steps):
    """Whatever came and went in whatever order: the sums are those of what is there now."""
    occupied = Occupied()
    held = {}
    for service_id, tasks in steps:
        if tasks is None:
            occupied.drop(service_id)
            held.pop(service_id, None)
        else:
            occupied.put(service_id, host_ports(SERVICES[service_id]), tasks)
            held[service_id] = tasks
    every = [t for name, tasks in held.items() for t in _of(name, tasks)]
    anew = occupancy(SERVICES, every)
    for node_id in ("n1", "n2"):
        assert _taken(occupied.now, node_id) == _taken(anew, node_id)


def test_a_task_that_only_starts_changes_nothing():
    """Who keeps something for as long as nothing changes need not work it out anew."""
    occupied = Occupied()
    occupied.put("b", frozenset(), [task(1, node_id="n1", state=TaskState.STARTING)])
    before = occupied.now
    occupied.put("b", frozenset(), [task(1, node_id="n1", state=TaskState.RUNNING)])
    assert occupied.now is before


def _of(service_id, tasks):
    return [replace(one, service_id=service_id) for one in tasks]


def _taken(found, node_id):
    reserved = found.reserved.get(node_id)
    numbers = (reserved.cpu, reserved.memory) if reserved else (0.0, 0)
    return numbers, found.host_ports.get(node_id, frozenset())
