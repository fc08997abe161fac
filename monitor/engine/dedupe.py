"""Which events were seen before."""

from collections import deque

from monitor.model.event import Event

Key = tuple[int, str, str, str]


class Seen:
    """Remembers the newest `size` events.

    A daemon replays its last 256 events at most, and the one at `since` again (moby
    daemon/events/events.go), so a few times that is plenty.
    """

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._order: deque[Key] = deque()
        self._keys: set[Key] = set()

    def __len__(self) -> int:
        return len(self._order)

    def add(self, event: Event) -> bool:
        """Whether the event is new; remembers it then."""
        key = (event.time_ns, event.type, event.actor_id, event.action)
        if key in self._keys:
            return False
        self._keys.add(key)
        self._order.append(key)
        if len(self._order) > self._size:
            self._keys.discard(self._order.popleft())
        return True
