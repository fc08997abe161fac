"""What the lease says to people: in the log once for each change, and when it is asked."""

import structlog

from monitor.fleet.lease_labels import CONFIG
from monitor.fleet.lease_sight import Sight
from monitor.ports.clock import Clock
from monitor.ports.errors import EngineError

_AGAIN = 60.0  # seconds until the same failure is said again


def why_not(sight: Sight, now: float, *, barred: str, fault: str, late: bool) -> str:
    """One sentence on why this agent may not act, `now` in monotonic seconds.

    barred: why it must not, "" if it may. fault: why the last call failed, "" if it did not.
    late: it holds the lease but could not renew it in time.
    """
    if barred:
        return barred
    if fault:
        what = "renewed in time" if late else "read"
        return f"The lease could not be {what}: {fault}"
    if late:
        return "The lease was not renewed in time; this agent acts again once it is."
    if not sight.looked or sight.config is None:
        return "There is no lease yet; this agent is about to make it."
    left = max(0.0, sight.free_at() - now)
    claim = sight.claim
    if claim is None:
        return (
            f"The config {CONFIG} was changed by hand: {sight.odd}; it is repaired "
            f"in at most {left:.0f} s."
        )
    if not claim.holder:
        return f"Nobody holds the lease; this agent takes it in {left:.0f} s if nobody else does."
    node = claim.node_name or claim.node_id or "a node without a name"
    if claim.released:
        return f"The agent on {node} gave the lease up; one of the others takes it now."
    return (
        f"The agent on {node} holds the lease; this one takes it if it is not renewed "
        f"for {left:.0f} s more."
    )


class Speaker:
    """The log. `fault`: why the last call failed, "" if it did not."""

    def __init__(self, clock: Clock) -> None:
        self.fault = ""
        self._clock = clock
        self._log = structlog.get_logger("monitor.fleet")
        self._said_at: dict[str, float] = {}
        self._said = False

    def failed(self, error: EngineError, *, quiet: bool) -> None:
        """quiet: it is what this node always says, and no failure."""
        self.fault = str(error)
        if quiet or not self._due(error.reason):
            return
        self._said = True
        self._log.warning(f"the lease could not be read or written: {error}", reason=error.reason)

    def fine(self) -> None:
        self.fault = ""
        if self._said:
            self._said = False
            self._log.info("the lease can be read and written again")

    def odd(self, what: str) -> None:
        if self._due("odd"):
            self._log.warning(f"the config {CONFIG} is not as agents write it: {what}")

    def warn(self, sentence: str) -> None:
        self._log.warning(sentence)

    def changed(self, before: tuple[object, ...], now: tuple[object, ...], why_not: str) -> None:
        """before, now: holder (node id and name, or None) and own term (or None)."""
        holder, term = now
        if term is not None:
            if term != before[1]:
                self._log.info(f"this agent acts now, under term {term}", term=term)
        elif before[1] is not None:
            self._log.warning(f"this agent does not act any more: {why_not}")
        elif isinstance(holder, tuple):
            self._log.info(f"the agent on {holder[1]} acts", node_id=holder[0])
        else:
            self._log.warning(f"no agent is known to act: {why_not}")

    def _due(self, key: str) -> bool:
        now = self._clock.now().mono
        self._said_at = {one: at for one, at in self._said_at.items() if now - at < _AGAIN}
        if key in self._said_at:
            return False
        self._said_at[key] = now
        return True
