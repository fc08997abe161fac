"""What one replica can do, and how the service around it behaves."""

from dataclasses import dataclass

from monitor.replay.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """per_replica: of the trace's unit, what one replica serves with all of its CPU.

    cpu: cores of one replica, as reservation and as limit. memory: bytes that it uses, None for
    not known. start_time: seconds from the write until a new task runs. good_until: the share
    of `per_replica` up to which a replica serves well; the ideal has as many as that takes.
    queue: seconds of the running replicas' work that may wait; what comes on top is refused.
    initial: replicas at the start; None: the ideal of the first moment.
    """

    per_replica: float
    cpu: float = 1.0
    memory: float | None = None
    start_time: float = 10.0
    good_until: float = 0.8
    queue: float = 30.0
    initial: int | None = None


def usual_per_replica(trace: Trace, most: int, target: float) -> float:
    """The capacity with which `most` replicas just carry the trace's peak at `target`, a share.

    Worked example: a peak of 6000, at most 20 replicas, a target of 60 %: 500 at 100 %.
    """
    return trace.peak / (max(1, most) * target) or 1.0
