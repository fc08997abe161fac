"""What is kept of one container while it runs."""

from dataclasses import replace

from monitor.model.container import Container, Health
from monitor.model.now import Now
from monitor.model.usage import Network, Reading
from monitor.usage.reader import CgroupReader
from monitor.usage.ring import Ring
from monitor.usage.task_usage import TaskUsage
from monitor.usage.traffic import Traffic


class Track:
    """The newest reading of a container, its history, and where readings come from.

    reader: None while its cgroup files are not found (yet): the stats API is asked then.
    place_at: monotonic time at which the files are to be looked for; 0 if they never were.
    phase: spreads the slowly changing values of many containers over the passes.
    stats_network: whether only the stats API can tell its network counters.
    network: the newest network counters, None where it has none of its own or none were read.
    network_at: monotonic time of the network counters in `reading`.
    network_pause: seconds from the newest network counters to the next.
    stats_at: monotonic time from which on the stats API may be asked again.
    """

    __slots__ = (
        "container",
        "generation",
        "misses",
        "network",
        "network_at",
        "network_pause",
        "phase",
        "place_at",
        "procs_file",
        "read_at",
        "reader",
        "reading",
        "ring",
        "stats_at",
        "stats_network",
        "traffic",
    )

    def __init__(
        self, container: Container, ring: Ring, traffic: Traffic, phase: int, generation: int
    ) -> None:
        self.container = container
        self.ring = ring
        self.traffic = traffic
        self.phase = phase
        self.generation = generation
        self.reader: CgroupReader | None = None
        self.reading: Reading | None = None
        self.read_at: Now | None = None
        self.network: Network | None = None
        self.network_at: float | None = None
        self.network_pause = 0.0
        self.procs_file = ""
        self.place_at = 0.0
        self.stats_at = 0.0
        self.stats_network = False
        self.misses = 0

    def killed_since(self, reading: Reading) -> bool:
        """Whether the kernel killed in it for want of memory between the last reading and this one;
        when it did before the first is not known."""
        before = None if self.reading is None else self.reading.oom_kills
        return before is not None and reading.oom_kills is not None and reading.oom_kills > before

    def record(self, reading: Reading, at: Now, generation: int) -> None:
        """Take in a reading; `generation` marks the change if there is one."""
        if self.reading != reading:
            self.reading = reading
            self.generation = generation
        self.read_at = at
        self.network_at = None if reading.network is None else self.traffic.newest
        self.ring.append(at.mono, reading.cpu_seconds, reading.working_set)

    def record_network(self, network: Network | None, at: float, pause: float) -> None:
        """Take in counters of monotonic time `at`; None: it has no network of its own."""
        self.network = network
        self.network_pause = pause
        if network is None:
            self.traffic.clear()
        else:
            self.traffic.append(at, network.receive_bytes, network.transmit_bytes)

    def describe(self, container: Container, generation: int) -> None:
        """Take in what the Engine now says about the same run of the container."""
        if self.container != container:
            self.container = container
            self.generation = generation

    def set_health(self, health: Health, generation: int) -> None:
        self.describe(replace(self.container, health=health), generation)

    def leave_files(self) -> None:
        """Give up the cgroup files; the ring stays, for the stats API counts the same."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def usage(self, oom_events: int) -> TaskUsage:
        return TaskUsage(
            container=self.container,
            reading=self.reading,
            read_at=self.read_at,
            oom_events=oom_events,
            generation=self.generation,
            from_files=self.reader is not None,
            network_at=self.network_at,
            network_pause=self.network_pause,
        )
