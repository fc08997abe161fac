"""What another node's agent said of one task."""

from monitor.model.peer import TaskReading
from monitor.model.usage import MetricKind, Network, Reading, Sample
from monitor.usage.ring import Ring
from monitor.usage.traffic import Traffic
from monitor.usage.windows import NETWORK_KINDS, sample_of

_INTERVAL = 1.0  # seconds from report to report
_CLOSEST = 0.1  # two readings nearer than this tell no rate worth having
_LONGEST = 3600.0  # seconds of history at most, as for this node's own tasks

# More than any machine has: only garbage goes beyond. Linux is built for 8,192 processors at
# most (NR_CPUS, arch/x86/Kconfig); its counters of bytes have 64 bits.
_MOST_CORES = 8192.0
_MOST_CPU_SECONDS = 1e13
_MOST_MEMORY = 1 << 50
_MOST_COUNTED = 1 << 64
_MOST_PER_SECOND = 1e12
_LONGEST_PAUSE = 60.0
_FAR_BACK = 1e9
_AHEAD = 1.0  # what rounding on the way may make of a reading taken just before it was sent


class RemoteTask:
    """History of one task, in seconds of its sender's clock.

    reading: the newest that could be used, None where there is none. read_at: when it was read
    by the sender's clock; at: by ours. pause: see `TaskReading`; the same for the network.
    known: whether the mirror said that the task is on this node. since: monotonic time at which
    it was first heard of. mentioned: number of the newest report with it.
    """

    __slots__ = (
        "_horizon",
        "at",
        "history",
        "known",
        "mentioned",
        "network",
        "network_at",
        "network_pause",
        "network_read_at",
        "pause",
        "read_at",
        "reading",
        "since",
    )

    def __init__(self, horizon: float, since: float) -> None:
        self._horizon = horizon
        self.history = (Ring(horizon, _INTERVAL), Traffic(horizon))
        self.since = since
        self.known = False
        self.mentioned = 0
        self.reading: Reading | None = None
        self.read_at = self.at = self.pause = 0.0
        self.network: Network | None = None
        self.network_read_at = self.network_at = self.network_pause = 0.0

    def reserve(self, window: float) -> None:
        """Keep history for windows of that many seconds, up to an hour."""
        if window > self._horizon:
            self._horizon = min(window, _LONGEST)
            for kept in self.history:
                kept.reserve(self._horizon)

    def forget(self) -> None:
        """Begin the history anew."""
        self.reading = None
        self.history[0].clear()
        self._forget_network()

    def take(self, item: TaskReading, sent_at: float, offset: float) -> bool:
        """Take in a reading; False where it is garbage.

        sent_at: the sender's clock. offset: what is to be added to it to have ours, the way
        included. Raises TypeError or AttributeError where a value is no number at all.
        """
        reading, read_at = item.reading, item.read_at
        cpu = reading.cpu_seconds
        if not (
            -_AHEAD <= sent_at - read_at <= _FAR_BACK
            and 0.0 <= cpu <= _MOST_CPU_SECONDS
            and 0 <= reading.working_set <= _MOST_MEMORY
            and 0 <= reading.memory_usage <= _MOST_MEMORY
            and 0.0 <= item.pause <= _LONGEST_PAUSE
        ):
            return False
        at = offset + min(read_at, sent_at)
        before = self.reading
        if before is not None:
            interval = read_at - self.read_at
            if interval < 0.0:
                self.forget()
            elif interval < _CLOSEST:
                # Said before: of two ways the shorter one tells better when it was read.
                if interval == 0.0 and at < self.at:
                    self.at = at
                return True
            elif cpu - before.cpu_seconds > interval * _MOST_CORES:
                self.forget()
                return False
        self.history[0].append(read_at, cpu, reading.working_set)
        self.reading = reading
        self.read_at = read_at
        self.at = at
        self.pause = item.pause
        if reading.network is None or item.network_at is None:
            if self.network is not None:
                self._forget_network()
            return True
        if item.network_at == self.network_read_at and self.network is not None:
            return True
        return self._take_network(reading.network, item, sent_at, offset)

    def _take_network(
        self, network: Network, item: TaskReading, sent_at: float, offset: float
    ) -> bool:
        read_at = item.network_at
        received, sent = network.receive_bytes, network.transmit_bytes
        if read_at is None or not (
            -_AHEAD <= sent_at - read_at <= _FAR_BACK
            and 0 <= received <= _MOST_COUNTED
            and 0 <= sent <= _MOST_COUNTED
            and 0.0 <= item.network_pause <= _LONGEST_PAUSE
        ):
            return False
        before = self.network
        if before is not None:
            interval = read_at - self.network_read_at
            most = interval * _MOST_PER_SECOND
            if interval < 0.0:
                self._forget_network()
            elif interval < _CLOSEST:
                return True
            elif received - before.receive_bytes > most or sent - before.transmit_bytes > most:
                self._forget_network()
                return False
        self.history[1].append(read_at, received, sent)
        self.network = network
        self.network_read_at = read_at
        self.network_at = offset + min(read_at, sent_at)
        self.network_pause = item.network_pause
        return True

    def _forget_network(self) -> None:
        self.network = None
        self.history[1].clear()

    def sample(
        self, kind: MetricKind, window: float, rising_window: float, now: float, stale_after: float
    ) -> Sample | None:
        """See `monitor.ports.usage.UsageSource`; `now` and all ages by our own clock."""
        reading = self.reading
        if reading is None:
            return None
        if kind in NETWORK_KINDS:
            if self.network is None:
                return None
            age = now - self.network_at - self.network_pause
        else:
            age = now - self.at - self.pause
            if kind is MetricKind.MEMORY and reading.memory_usage <= 0:
                return None
        if age > stale_after:
            return None
        if window > self._horizon or rising_window > self._horizon:
            self.reserve(max(window, rising_window))
        return sample_of(self.history, kind, window, rising_window, max(age, 0.0))
