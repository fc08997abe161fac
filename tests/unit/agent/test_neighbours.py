"""Where the other agents are, from the tasks of their own service."""

from dataclasses import dataclass, field
from typing import Any

from monitor.agent.neighbours import neighbours
from monitor.model.node import Availability, Node, NodeState
from monitor.model.task import Task, TaskState
from monitor.model.view import ServiceView
from tests.unit.build import service, task, view


def node(node_id: str, **fields: Any) -> Node:
    values: dict[str, Any] = {
        "id": node_id,
        "name": node_id,
        "role": "worker",
        "state": NodeState.READY,
        "availability": Availability.ACTIVE,
        "version": 1,
    }
    return Node(**(values | fields))


@dataclass
class Mirror:
    tasks: tuple[Task, ...] = ()
    known: dict[str, Node] = field(default_factory=dict)

    def view(self, service_id: str) -> ServiceView | None:
        return view(service(), tasks=self.tasks) if service_id == "s1" else None

    def nodes(self) -> dict[str, Node]:
        return self.known


def found(*tasks: Task, own: str | None = "s1", **nodes: Node) -> dict[str, tuple[str, ...]]:
    return dict(neighbours(Mirror(tasks, nodes), own, "own", 9581))  # type: ignore[arg-type]


def on(number: int, node_id: str, *hosts: str, **fields: Any) -> Task:
    addresses = tuple((f"net{place}", host) for place, host in enumerate(hosts))
    return task(number, slot=None, node_id=node_id, addresses=addresses, **fields)


def test_every_running_agent_but_its_own_is_found_where_the_overlay_has_it() -> None:
    """All addresses, in the order of its networks."""
    assert found(
        on(1, "own", "10.0.0.1"), on(2, "n2", "10.0.0.2"), on(3, "n3", "10.0.0.3", "10.1.0.3")
    ) == {"n2": ("10.0.0.2:9581",), "n3": ("10.0.0.3:9581", "10.1.0.3:9581")}


def test_tasks_that_do_not_run_or_shall_end_are_left_out() -> None:
    """Also one that no node has yet."""
    assert not found(
        on(1, "n1", "10.0.0.1", state=TaskState.STARTING),
        on(2, "n2", "10.0.0.2", state=TaskState.FAILED),
        on(3, "n3", "10.0.0.3", desired_state=TaskState.SHUTDOWN),
        on(4, "", "10.0.0.4"),
    )


def test_the_task_that_runs_counts_beside_the_one_it_replaced() -> None:
    """The old one's address is gone or somebody else's."""
    old = on(1, "n2", "10.0.0.9", state=TaskState.SHUTDOWN, desired_state=TaskState.SHUTDOWN)
    new = on(2, "n2", "10.0.0.2")
    assert found(old, new) == found(new, old) == {"n2": ("10.0.0.2:9581",)}


def test_on_the_hosts_network_an_agent_is_at_its_nodes_address() -> None:
    """A node without a known address cannot be reached, and one in an overlay is reached there."""
    there = node("n2", addr="192.0.2.7")
    assert found(on(1, "n2"), n2=there) == {"n2": ("192.0.2.7:9581",)}
    assert found(on(1, "n2"), n2=node("n2")) == {}
    assert found(on(1, "n2")) == {}
    assert found(on(1, "n2", "10.0.0.2"), n2=there) == {"n2": ("10.0.0.2:9581",)}


def test_ipv6_addresses_are_in_brackets() -> None:
    assert found(on(1, "n2", "fd00::2")) == {"n2": ("[fd00::2]:9581",)}
    assert found(on(1, "n2"), n2=node("n2", addr="fd00::7")) == {"n2": ("[fd00::7]:9581",)}


def test_who_does_not_know_its_service_has_no_neighbours() -> None:
    """A plain process, or one whose service is not in the mirror (yet)."""
    assert found(on(1, "n2", "10.0.0.2"), own=None) == {}
    assert found(on(1, "n2", "10.0.0.2"), own="another") == {}
