from dataclasses import dataclass, field
from typing import Any

from monitor.agent.ends_watch import EndsWatch
from monitor.cluster.standing import MirrorState
from monitor.model.cause import Cause
from monitor.model.now import Now
from tests.unit.build import service, task


class At:
    """A clock that stands still."""

    def now(self) -> Now:
        return Now(1.0, 1000.0)


@dataclass
class Held:
    """What a mirror holds."""

    state: MirrorState = MirrorState.MANAGER
    held: dict[str, Any] = field(default_factory=lambda: {"s1": service()})

    def services(self) -> dict[str, Any]:
        return self.held

    def nodes(self) -> dict[str, Any]:
        return {}


def watching() -> tuple[EndsWatch, Held]:
    mirror = Held()
    watch = EndsWatch(At(), lambda: mirror)
    watch.services(["s1"])
    watch.tasks(service(), (), (task(1),))
    return watch, mirror


def test_a_service_that_is_gone_took_its_tasks_along():
    """The mirror drops it with its tasks."""
    watch, mirror = watching()
    mirror.held = {}
    watch.tasks(service(), (task(1),), ())
    watch.services(["s1"])
    assert watch.ends.of("web")[0].cause is Cause.SCALED_DOWN


def test_a_demotion_ends_no_task():
    """A worker's mirror is empty, though the Swarm runs on."""
    watch, mirror = watching()
    mirror.held, mirror.state = {}, MirrorState.WORKER
    watch.nodes()
    watch.services(["s1"])
    assert watch.ends.of("web") == []
    assert watch.ends.totals(5000.0) == {}


def test_losing_touch_ends_no_task_either():
    """What is held is old then, and stays."""
    watch, mirror = watching()
    mirror.state = MirrorState.UNREACHABLE
    watch.nodes()
    watch.services(["s1"])
    assert watch.ends.of("web")[0].cause is None
