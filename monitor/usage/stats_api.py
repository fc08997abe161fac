"""Readings from the stats API, for what cgroup files do not tell here."""

import asyncio

from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError, NotFound
from monitor.usage.track import Track
from monitor.usage.tracks import Tracks

_AT_ONCE = 16


class StatsPoller:
    """Asks for many containers at a time: before Engine 25 one answer takes a second or two.

    A container without files is asked for every `interval` seconds; one that only lacks network
    counters every `network_interval`, because each question costs the daemon more than reading
    all files costs this agent.

    duration: seconds the newest round took. success: whether all of it was answered.
    readings, failures: answers taken and lost so far.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        tracks: Tracks,
        interval: float,
        network_interval: float,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._tracks = tracks
        self._interval = interval
        self._network_interval = network_interval
        self._places = asyncio.Semaphore(_AT_ONCE)
        self.duration = 0.0
        self.success = True
        self.readings = 0
        self.failures = 0

    async def run(self, pause: float = 0.5) -> None:
        """Ask until cancelled, looking every `pause` seconds for what is due."""
        while True:
            await self.ask_due()
            await asyncio.sleep(pause)

    async def ask_due(self) -> None:
        """One round: every container that is due, side by side, until the last has answered."""
        began = self._clock.now().mono
        due = [track for track in self._tracks if self._due(track, began)]
        if not due:
            return
        lost = self.failures
        async with asyncio.TaskGroup() as group:
            for track in due:
                group.create_task(self._ask(track))
        self.duration = self._clock.now().mono - began
        self.success = self.failures == lost

    def _due(self, track: Track, now: float) -> bool:
        # With a place_at of 0 its files have not been looked for yet.
        out_of_reach = track.place_at > 0 if track.reader is None else track.stats_network
        return out_of_reach and track.stats_at <= now

    async def _ask(self, track: Track) -> None:
        for_all = track.reader is None
        wait = self._interval if for_all else self._network_interval
        # Counted from the question on: a slow answer does not slow the cadence down.
        track.stats_at = self._clock.now().mono + wait
        try:
            async with self._places:
                reading = await self._engine.stats(track.container.id)
        except NotFound:
            if track.reader is None:  # else its cgroup tells better whether it runs
                self._tracks.end(track.container.id)
            return
        except EngineError:
            self.failures += 1
            return
        self.readings += 1
        if not self._tracks.holds(track):
            return
        track.record_network(reading.network, self._clock.now().mono, wait)
        if track.reader is None:
            # The engine reads the counters just before it answers.
            track.record(reading, self._clock.now(), self._tracks.generation)
