"""Log lines about connections that failed: at most one per subject and minute."""

import structlog

from monitor.ports.clock import Clock

_QUIET_SECONDS = 60.0
_MOST = 100


class Notices:
    """At most 100 subjects a minute are written about: whoever connects from many addresses
    fills no disk.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._written: dict[str, float] = {}
        self._log = structlog.get_logger("monitor.fleet")

    def warn(self, subject: str, sentence: str, **facts: str) -> None:
        """subject: what counts as the same, an address or a node with a kind of failure."""
        now = self._clock.now().mono
        self._written = {key: at for key, at in self._written.items() if now - at < _QUIET_SECONDS}
        if subject in self._written or len(self._written) >= _MOST:
            return
        self._written[subject] = now
        self._log.warning(sentence, **facts)
