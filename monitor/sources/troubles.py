"""One log line when sources begin to fail, one when they are back."""

import structlog

from monitor.model.scalar import JsonUrl, PrometheusQuery
from monitor.sources.fault import ServerFault, SourceFault

Source = PrometheusQuery | JsonUrl


class Troubles:
    """A server that is away makes all its sources fail: that is one trouble, not many.

    Told of each failure that counts; only the first of a source on end is looked at.
    """

    def __init__(self) -> None:
        self._of: dict[Source, tuple[str, Source | None]] = {}
        self._count: dict[tuple[str, Source | None], int] = {}
        self._log = structlog.get_logger("monitor.sources")

    def failed(self, source: Source, fault: SourceFault) -> None:
        if source in self._of:
            return
        trouble = (str(fault), None if isinstance(fault, ServerFault) else source)
        self._of[source] = trouble
        self._count[trouble] = self._count.get(trouble, 0) + 1
        if self._count[trouble] == 1:
            self._log.warning(f"a metric cannot be read: {fault}", **_named(source))

    def worked(self, source: Source) -> None:
        trouble = self._of.get(source)
        if trouble is not None and self.forget(source):
            self._log.info(f"can be read again; it was: {trouble[0]}", **_named(source))

    def forget(self, source: Source) -> bool:
        """Nobody asks for it any more. Whether it was the last one in that trouble."""
        trouble = self._of.pop(source, None)
        if trouble is None:
            return False
        self._count[trouble] -= 1
        if self._count[trouble]:
            return False
        del self._count[trouble]
        return True


def _named(source: Source) -> dict[str, str]:
    if isinstance(source, PrometheusQuery):
        return {"query": source.query[:200]}
    return {"path": source.path}
