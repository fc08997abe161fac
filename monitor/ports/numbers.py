"""Where numbers for a whole service come from: Prometheus, JSON over HTTP."""

from typing import Protocol

from monitor.model.scalar import JsonUrl, Number, PrometheusQuery


class NumberReader(Protocol):
    def number(self, source: PrometheusQuery | JsonUrl, now: float) -> Number | None:
        """The newest answer, from memory, at once; None before the first.

        Being asked for is what keeps a source being read: one that nobody asks for any more is
        forgotten after a while. Names in the source are substituted by the caller. `now` is
        monotonic.
        """
