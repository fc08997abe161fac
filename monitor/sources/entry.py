"""What is remembered of one source."""

from dataclasses import dataclass

from monitor.model.scalar import JsonUrl, Number, PrometheusQuery


@dataclass(slots=True)
class Entry:
    """Monotonic seconds. asked_at: when it was last asked for; since: when for the first time.

    value, read_at: of the last reading that succeeded. problem, failed_at: of the last one that
    failed, "" once another one succeeded.
    """

    source: PrometheusQuery | JsonUrl
    since: float
    asked_at: float
    value: float | None = None
    read_at: float = 0.0
    problem: str = ""
    failed_at: float = 0.0

    @property
    def good_for(self) -> float:
        """Seconds for which a value is given out although no newer one came.

        Two intervals, so that one failed reading of a row does no harm; and the time that the
        reading after it may take.
        """
        return 2 * self.source.interval + self.source.timeout

    def succeed(self, value: float, at: float) -> None:
        self.value, self.read_at, self.problem = value, at, ""

    def fail(self, problem: str, at: float) -> None:
        self.problem, self.failed_at = problem, at

    def has_value(self, now: float) -> bool:
        return self.value is not None and now - self.read_at <= self.good_for

    def number(self, now: float) -> Number | None:
        """An old value is not given out: missing is not old."""
        if self.has_value(now):
            return Number(self.value, max(now - self.read_at, 0.0))
        if self.problem:
            return Number(None, max(now - self.failed_at, 0.0), self.problem)
        last = self.since if self.value is None else self.read_at
        if now - last <= self.good_for:
            return None
        text = f"it could not be read for {now - last:.0f} s: many others are asked for there too"
        return Number(None, now - last, text)
