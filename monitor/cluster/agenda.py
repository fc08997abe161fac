"""What the mirror is to read next, and when: lists, services in doubt, services to watch."""

from monitor.cluster.polls import Polls
from monitor.cluster.stale import StaleMarks

# More services in doubt than this are read by one full list.
_MANY = 20
# Lists that are not the regular ones take at most a fifth of the time.
_LIST_PAUSE = 1.0
_LIST_SHARE = 5.0


class Agenda:
    """All times in monotonic seconds."""

    def __init__(self, relist_interval: float) -> None:
        self._interval = relist_interval
        self._polls = Polls()
        self._stale = StaleMarks()
        self._stale_nodes: dict[str, bool] = {}
        self._asked: str | None = None
        self._relist_at = 0.0
        self._list_not_before = 0.0

    # Marks

    def service(self, service_id: str, now: float, *, whole: bool, urgent: bool = False) -> bool:
        """A service is in doubt; True if something is due earlier than before."""
        return self._stale.service(service_id, now, whole=whole, urgent=urgent)

    def node(self, node_id: str, now: float, *, moved: bool) -> bool:
        """A node is in doubt; `moved`: so are the tasks on it."""
        self._stale_nodes[node_id] = self._stale_nodes.get(node_id, False) or moved
        return self._stale.nodes(now)

    def ask(self, reason: str, not_before: float = 0.0) -> None:
        """A full list is wanted."""
        self._asked = self._asked or reason
        self._list_not_before = max(self._list_not_before, not_before)

    def list_within(self, seconds: float, now: float) -> None:
        """The regular list comes earlier, this one time."""
        self._relist_at = min(self._relist_at, now + seconds)

    def in_doubt(self, service_id: str) -> bool:
        return service_id in self._stale

    def node_in_doubt(self, node_id: str) -> bool:
        return node_id in self._stale_nodes

    # What is due

    def list_due(self, now: float) -> bool:
        if now < self._list_not_before:
            return False
        return self._asked is not None or now >= self._relist_at or self._backlog(now)

    def due(self, now: float) -> tuple[bool, dict[str, bool]]:
        """Whether to read the nodes, and services by id: True for more than their tasks."""
        marks = self._stale.due(now)
        if self._backlog(now):
            wanted = {key: mark.whole for key, mark in marks.items() if mark.urgent}
        else:
            wanted = {key: mark.whole for key, mark in marks.items()}
            wanted.update(dict.fromkeys(self._polls.due(now), True))
        nodes_at = self._stale.nodes_at
        return nodes_at is not None and nodes_at <= now, wanted

    def next_at(self, now: float) -> float:
        """When something will be due, if nothing is marked before."""
        times = [max(self._relist_at, self._list_not_before)]
        backlog = self._backlog(now)
        if backlog or self._asked is not None:
            times.append(self._list_not_before)
        times += self._stale.times(urgent_only=backlog)
        poll_at = self._polls.next_at()
        if poll_at is not None and not backlog:
            times.append(poll_at)
        return min(times)

    def _backlog(self, now: float) -> bool:
        """More than a handful to read, not counting what cannot wait."""
        marks = sum(1 for mark in self._stale.due(now).values() if not mark.urgent)
        return marks + len(self._polls.due(now)) > _MANY

    # What is being read

    def listing(self, now: float) -> dict[str, None]:
        """A list is being sent; returns the ids of all that was in doubt or watched till now."""
        announced = dict.fromkeys((*self._stale.marked(), *self._polls.ids(), *self._stale_nodes))
        self._stale.reading_all(now)
        self._stale_nodes.clear()
        self._asked = None
        self._relist_at = now + self._interval
        return announced

    def listed(self, now: float, took: float) -> None:
        """The list came, `took` seconds after it was asked for."""
        pause = max(_LIST_PAUSE, _LIST_SHARE * took)
        self._list_not_before = now + min(pause, self._interval)

    def reading(self, service_id: str, now: float) -> None:
        self._stale.reading(service_id, now)

    def reading_nodes(self) -> set[str]:
        """The nodes are being read; returns those whose tasks are in doubt too."""
        moved = {node_id for node_id, tasks_too in self._stale_nodes.items() if tasks_too}
        self._stale.nodes_at = None
        self._stale_nodes.clear()
        return moved

    def pace(self, service_id: str, now: float, *, unconverged: bool, changed: bool) -> None:
        """A service was read: watch it on while it is on its way, or events just told of it."""
        if unconverged or self._stale.hinted_lately(service_id, now):
            self._polls.read(service_id, now, changed=changed)
        else:
            self._polls.drop(service_id)

    def forget(self, service_id: str) -> None:
        self._polls.drop(service_id)

    def clear(self) -> None:
        self._polls.clear()
        self._stale = StaleMarks()
        self._stale_nodes.clear()
