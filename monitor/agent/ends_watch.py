"""Hands what the mirror and the streams tell to whoever keeps why tasks ended."""

from collections.abc import Callable, Iterable, Sequence

from monitor.cluster.ends import Ends
from monitor.cluster.mirror import Mirror
from monitor.cluster.standing import MirrorState
from monitor.model.event import Event
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.ports.clock import Clock


class EndsWatch:
    """mirror: asked only once something happened, since it is built with callbacks of this."""

    def __init__(self, clock: Clock, mirror: Callable[[], Mirror]) -> None:
        self.ends = Ends()
        self._clock = clock
        self._mirror = mirror

    def heard(self, event: Event) -> None:
        self.ends.heard(event, self._clock.now().wall)

    def cut(self, node_id: str) -> None:
        """Events of that node's engine were interrupted."""
        self.ends.cut(node_id, self._clock.now().wall)

    def tasks(self, service: Service, before: Sequence[Task] | None, after: Sequence[Task]) -> None:
        self.ends.tasks(service, before, after, self._clock.now().wall)

    def nodes(self) -> None:
        """Some changed."""
        if not self._blind():
            self.ends.nodes(self._mirror().nodes(), self._clock.now().wall)

    def services(self, service_ids: Iterable[str]) -> None:
        """Views of these are others now, or they are gone."""
        if self._blind():
            return
        now, services = self._clock.now().wall, self._mirror().services()
        for service_id in service_ids:
            service = services.get(service_id)
            if service is None:
                self.ends.service_gone(service_id, now)
            else:
                self.ends.service(service, now)

    def _blind(self) -> bool:
        """A worker knows nothing of the Swarm: that its mirror is empty does not end any task."""
        if self._mirror().state is not MirrorState.WORKER:
            return False
        self.ends.lost_sight()
        return True
