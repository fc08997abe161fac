"""All containers of tasks on this node, as far as this agent knows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from monitor.model.container import Container, Health
from monitor.ports.clock import Clock
from monitor.usage.ring import Ring
from monitor.usage.task_usage import TaskUsage
from monitor.usage.track import Track
from monitor.usage.traffic import Traffic

_LONGEST = 3600.0


class Tracks:
    """Tracks by container and by task; the only place where they begin and end.

    interval: seconds between readings. linger: seconds for which a task that ended after an
    out-of-memory event stays listed, so that a scrape in between sees the count.
    """

    def __init__(self, clock: Clock, interval: float, horizon: float, linger: float) -> None:
        self._clock = clock
        self._interval = interval
        self._horizon = horizon
        self._linger = linger
        self._by_container: dict[str, Track] = {}
        self._by_task: dict[str, Track] = {}
        self._oom: dict[str, int] = {}
        self._ended: dict[str, tuple[float, TaskUsage]] = {}
        self._begun = 0
        self.generation = 1

    def __len__(self) -> int:
        return len(self._by_container)

    def __iter__(self) -> Iterator[Track]:
        """A copy, so that tracks may end while it is walked."""
        return iter(list(self._by_container.values()))

    def __contains__(self, container_id: str) -> bool:
        return container_id in self._by_container

    def of_task(self, task_id: str) -> Track | None:
        return self._by_task.get(task_id)

    def holds(self, track: Track) -> bool:
        """Whether this very track has not ended."""
        return self._by_container.get(track.container.id) is track

    def reserve(self, window: float) -> None:
        """Keep history for windows of that many seconds, up to an hour."""
        horizon = min(window, _LONGEST)
        if horizon > self._horizon:
            self._horizon = horizon
            for track in self._by_container.values():
                track.ring.reserve(horizon)
                track.traffic.reserve(horizon)

    # What the Engine says

    def adopt(self, container: Container) -> bool:
        """Follow a running container, or take in news of it; True where anything was new."""
        if not container.running or not container.task_id:
            return self.end(container.id)
        track = self._by_container.get(container.id)
        if track is not None and track.container.started_at == container.started_at:
            news = track.container != container
            track.describe(container, self.generation)
            return news
        self.end(container.id)  # started anew behind our back
        ring = Ring(self._horizon, self._interval)
        traffic = Traffic(self._horizon)
        track = Track(container, ring, traffic, self._begun, self.generation)
        self._begun += 1
        self._by_container[container.id] = track
        self._by_task[container.task_id] = track
        self._ended.pop(container.task_id, None)
        return True

    def adopt_all(self, containers: Iterable[Container], untouched: Collection[str]) -> int:
        """Make a whole list true, but for containers in `untouched`; returns what was corrected.

        `untouched` are those of which events told while the list was on its way.
        """
        listed = {container.id: container for container in containers}
        corrected = sum(
            self.adopt(container) for id_, container in listed.items() if id_ not in untouched
        )
        missing = [id_ for id_ in self._by_container if id_ not in listed and id_ not in untouched]
        return corrected + sum(self.end(id_) for id_ in missing)

    def end(self, container_id: str) -> bool:
        """Stop following a container; False where it was not followed."""
        track = self._by_container.pop(container_id, None)
        if track is None:
            return False
        track.leave_files()
        task_id = track.container.task_id
        if self._by_task.get(task_id) is track:
            del self._by_task[task_id]
            self.generation += 1
            if self._oom.get(task_id):
                self._keep_ended(track)
        return True

    def set_health(self, container_id: str, health: Health) -> None:
        if track := self._by_container.get(container_id):
            track.set_health(health, self.generation)

    def count_oom(self, task_id: str) -> None:
        """An `oom` event, possibly of a task that ended or is not followed yet."""
        self._oom[task_id] = self._oom.get(task_id, 0) + 1
        if track := self._by_task.get(task_id):
            track.generation = self.generation
        elif task_id in self._ended:
            until, usage = self._ended[task_id]
            self._ended[task_id] = until, replace(usage, oom_events=self._oom[task_id])

    # What is asked of it

    def tasks(self) -> Mapping[str, TaskUsage]:
        """By task id: those that run, and those lately ended after an out-of-memory event."""
        self.forget_ended()
        usages = {task_id: usage for task_id, (_, usage) in self._ended.items()}
        for task_id, track in self._by_task.items():
            usages[task_id] = track.usage(self._oom.get(task_id, 0))
        return usages

    def changed(self, since: int) -> Mapping[str, TaskUsage]:
        """Those of `tasks` that changed in generation `since` or later.

        Ask with the `generation` that was current at the last call, so none is missed.
        """
        return {id_: usage for id_, usage in self.tasks().items() if usage.generation >= since}

    def forget_ended(self) -> None:
        now = self._clock.now().mono
        for task_id in [id_ for id_, (until, _) in self._ended.items() if until <= now]:
            del self._ended[task_id]
        if len(self._oom) > len(self._by_task) + len(self._ended) + 100:
            # Counts of containers that never came, say of tasks that were over at once.
            known = self._by_task.keys() | self._ended.keys()
            self._oom = {id_: count for id_, count in self._oom.items() if id_ in known}

    def _keep_ended(self, track: Track) -> None:
        container = replace(track.container, running=False, pid=0, oom_killed=True)
        usage = TaskUsage(
            container=container,
            reading=None,
            read_at=None,
            oom_events=self._oom[container.task_id],
            generation=self.generation,
            from_files=False,
        )
        self._ended[container.task_id] = self._clock.now().mono + self._linger, usage
