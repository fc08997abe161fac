"""Why tasks ended and how soon others ran, in the words of the exposition."""

from monitor.agent.core import Core
from monitor.cluster.recovery import BOUNDS
from monitor.export.facts import DelayFacts, EndFacts


def end_facts(core: Core, now: float) -> EndFacts | None:
    """None where this agent does not act: the acting one tells it for the whole Swarm.

    now: wall seconds.
    """
    totals = core.ends.totals(now)  # also where nobody asks: what waits to be counted is bounded
    if core.lease.term() is None:
        return None
    return EndFacts(
        ends={(name, str(cause)): count for (name, cause), count in totals.items()},
        recoveries={
            name: DelayFacts(found.count, found.seconds, BOUNDS, found.buckets)
            for name, found in core.ends.recoveries.durations.items()
        },
    )
