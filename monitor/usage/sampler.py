"""Samples what this node's tasks use: the `UsageSource` of local tasks."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from monitor.model.container import Container
from monitor.model.event import Event
from monitor.model.usage import MetricKind, Sample
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.usage.cgroup_v1 import V1Reader
from monitor.usage.cgroup_v2 import V2Reader
from monitor.usage.files import GoneError
from monitor.usage.locate import Location, Locator
from monitor.usage.machine import MachineReader
from monitor.usage.network import NetworkReader, OutOfReachError
from monitor.usage.reader import CgroupReader
from monitor.usage.roster import Roster
from monitor.usage.stats_api import StatsPoller
from monitor.usage.task_usage import TaskUsage
from monitor.usage.track import Track
from monitor.usage.tracks import Tracks
from monitor.usage.windows import NETWORK_KINDS, sample_of

_HORIZON = 60.0
_LINGER = 300.0
_RELIST = 30.0
_SEARCH_AGAIN = 60.0
STATS_INTERVAL = 5.0  # seconds
_STATS_NETWORK_INTERVAL = 15.0
_MISSES = 3
_AT_A_TIME = 0.002  # seconds on the loop before others get their turn


class Sampler:
    """Reads CPU time and memory of every local task each `interval` seconds.

    From cgroup files where they are in reach, else from the stats API every 5 s. Limits, block
    I/O, pids, network and in v1 throttling are read every `slow_interval` seconds. A reading
    older than `stale_after` (5 s more where it comes from the stats API) is no sample.

    proc_root, cgroup_root: the host's /proc and /sys/fs/cgroup, wherever they are mounted.

    on_oom: called with a container in which the kernel has killed since its counter was last read.
    passes: passes over all files done; missed: ticks that were skipped because the loop was
    late. duration: seconds of the loop's time that the newest pass took; success: whether all
    of its files could be read. Those of the stats API are in `stats`, of the containers' list
    in `roster`.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        proc_root: Path = Path("/proc"),
        cgroup_root: Path = Path("/sys/fs/cgroup"),
        *,
        interval: float = 1.0,
        slow_interval: float = 5.0,
        stale_after: float = 5.0,
        on_oom: Callable[[Container], None] = lambda _: None,
    ) -> None:
        self._on_oom = on_oom
        self._clock = clock
        self._locator = Locator(proc_root, cgroup_root)
        self._network = NetworkReader(proc_root)
        self.machine = MachineReader(proc_root)
        self._host_memory = self._locator.host_memory()
        self._interval = interval
        self._refresh_every = max(1, round(slow_interval / interval))
        self._slow_interval = self._refresh_every * interval
        self._tracks = Tracks(clock, interval, _HORIZON, _LINGER)
        self._adopted = asyncio.Event()
        self.roster = Roster(engine, clock, self._tracks, self._adopted.set, _RELIST)
        self.stats = StatsPoller(
            engine, clock, self._tracks, STATS_INTERVAL, _STATS_NETWORK_INTERVAL
        )
        self.stale_after = stale_after
        self.passes = 0
        self.missed = 0
        self.duration = 0.0
        self.success = True

    # What is asked of it

    @property
    def generation(self) -> int:
        """Grows with every pass; see `changed`."""
        return self._tracks.generation

    @property
    def from_files(self) -> int:
        """How many containers are read from cgroup files."""
        return sum(track.reader is not None for track in self._tracks)

    @property
    def from_stats(self) -> int:
        """How many containers are out of reach of files, so that the stats API is asked."""
        return sum(track.reader is None for track in self._tracks)

    def tasks(self) -> Mapping[str, TaskUsage]:
        """The tasks of this node by id, also those without a reading; see `TaskUsage`."""
        return self._tracks.tasks()

    def changed(self, since: int) -> Mapping[str, TaskUsage]:
        """Those whose readings, health or counts changed since generation `since`.

        Ask with the `generation` read just before the last call: `since` itself is included.
        Tasks that went away are missing from `tasks`.
        """
        return self._tracks.changed(since)

    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        """See `monitor.ports.usage.UsageSource`. History is kept for the longest window asked.

        CPU and network samples need two readings. No memory sample where there is no memory
        controller, no network sample of a task on the host's network.
        """
        self._tracks.reserve(max(window, rising_window))
        samples: dict[str, Sample] = {}
        for task_id in task_ids:
            track = self._tracks.of_task(task_id)
            sample = track and self._sample(track, kind, window, rising_window, now)
            if sample:
                samples[task_id] = sample
        return samples

    def _sample(
        self, track: Track, kind: MetricKind, window: float, rising_window: float, now: float
    ) -> Sample | None:
        if kind in NETWORK_KINDS:
            if track.traffic.newest is None:
                return None
            newest, pause = track.traffic.newest, track.network_pause
        else:
            if track.read_at is None or track.reading is None:
                return None
            if kind is MetricKind.MEMORY and track.reading.memory_usage <= 0:
                return None
            # The stats API is asked every 5 s: until the next answer is due, the last one is
            # the present.
            newest = track.read_at.mono
            pause = 0.0 if track.reader is not None else STATS_INTERVAL
        age = max(now - newest - pause, 0.0)
        if age > self.stale_after:
            return None
        return sample_of((track.ring, track.traffic), kind, window, rising_window, age)

    # What it does

    def hint(self, event: Event) -> None:
        """Take in an event of the Engine's stream; never blocks, any event may be given."""
        self.roster.hint(event)

    def resync(self) -> None:
        """Events may have been lost, say because the stream broke: list the containers again."""
        self.roster.resync()

    async def run(self) -> None:
        """Sample until cancelled. An Engine that is away stops nothing but news of containers."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.roster.run())
                group.create_task(self.stats.run())
                group.create_task(self._sample_forever())
        finally:
            for track in self._tracks:
                track.leave_files()

    async def _sample_forever(self) -> None:
        tick = self._clock.now().mono
        while True:
            await self._wait_until(tick)
            await self.sample()
            late = self._clock.now().mono - tick
            ticks = max(1, math.ceil(late / self._interval))
            self.missed += ticks - 1
            tick += ticks * self._interval

    async def _wait_until(self, tick: float) -> None:
        """Wait for the next tick; look for the files of new containers as soon as they come."""
        while (wait := tick - self._clock.now().mono) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._adopted.wait()
            if self._adopted.is_set():
                await self._place_due()

    async def sample(self) -> None:
        """One pass over all containers; others on the loop get their turn every 2 ms."""
        self._tracks.generation += 1
        await self._place_due()
        self.passes += 1
        self.success = True
        spent, since = 0.0, self._clock.now().mono
        for track in self._tracks:
            self._read(track, refresh=(self.passes + track.phase) % self._refresh_every == 0)
            if (used := self._clock.now().mono - since) > _AT_A_TIME:
                spent += used
                await asyncio.sleep(0)
                since = self._clock.now().mono
        self.duration = spent + self._clock.now().mono - since
        self._tracks.forget_ended()

    def _read(self, track: Track, *, refresh: bool) -> None:
        if track.reader is None:
            return
        if refresh:
            self._read_network(track)
        at = self._clock.now()
        try:
            reading = track.reader.read(refresh, track.network)
        except GoneError:
            # Truer than any event: without a cgroup the container does not run.
            self._tracks.end(track.container.id)
            return
        if refresh and reading is not None and reading.pids == 0:
            # It died, and a daemon that hangs or is gone left its cgroup behind.
            self._tracks.end(track.container.id)
            return
        if reading is not None:
            track.misses = 0
            if refresh and track.killed_since(reading):
                self._on_oom(track.container)
            track.record(reading, at, self._tracks.generation)
            return
        self.success = False
        track.misses += 1
        if track.misses >= _MISSES:
            track.leave_files()
            track.place_at = at.mono + _SEARCH_AGAIN

    def _read_network(self, track: Track) -> None:
        try:
            network = self._network.read(track.container.id, track.container.pid, track.procs_file)
        except OutOfReachError:
            track.stats_network = True  # keeps what the stats API said last
        else:
            track.stats_network = False
            track.record_network(network, self._clock.now().mono, self._slow_interval)

    async def _place_due(self) -> None:
        """Look for the files of containers that have none yet, and read those found at once."""
        self._adopted.clear()
        now = self._clock.now().mono
        lost: dict[str, Track] = {}
        for track in self._tracks:
            if track.reader is not None or track.place_at > now:
                continue
            if location := self._locator.find(track.container):
                self._begin_files(track, location)
            else:
                lost[track.container.id] = track
            await asyncio.sleep(0)
        if not lost:
            return
        found: dict[str, Location] = {}
        for _ in self._locator.search(set(lost), found):
            await asyncio.sleep(0)
        for container_id, track in lost.items():
            if container_id in found:
                self._begin_files(track, found[container_id])
            else:
                track.place_at = now + _SEARCH_AGAIN

    def _begin_files(self, track: Track, location: Location) -> None:
        if not self._tracks.holds(track):
            return  # ended while it was looked for
        track.reader = self._reader(location)
        track.procs_file = f"{next(iter(location.directories.values()))}/cgroup.procs"
        track.misses = 0
        self._read(track, refresh=True)

    def _reader(self, location: Location) -> CgroupReader:
        if location.version == 2:
            return V2Reader(location.directories[""], self._host_memory)
        return V1Reader(location.directories, self._host_memory)
