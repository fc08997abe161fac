"""How strictly load is judged: this agent's own choices, and HorizontalPodAutoscaler's."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Count(StrEnum):
    """What a metric's ratio is multiplied by to get the replicas needed.

    ready: the tasks whose load was measured, as HorizontalPodAutoscaler does.
    replicas: the service's replicas, whether they run or not.
    """

    READY = "ready"
    REPLICAS = "replicas"


@dataclass(frozen=True, slots=True)
class UpscaleCap:
    """One step may grow to at most `max(factor * replicas, minimum)`."""

    factor: float = 2.0
    minimum: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Seconds. The defaults suit a Swarm sampled every second.

    A Swarm keeps a task with a health check in `starting` until it is healthy for the first
    time, its start period included, so a running task is a ready one and needs no
    initialization period; what a fresh task still lacks is a history worth judging.

    cpu_initialization_period: a task younger than this must have been ready for one whole
        window before its CPU counts.
    initial_readiness_delay: an older task that is not ready counts as never ready if it became
        unready within this time after its start.
    min_span: a CPU sample that covers less (or less than half of its window) does not count
        yet; a span of 0 means that the source does not tell it.
    stale_after: an older sample is a missing one.
    whole_percent: cut utilisation and averages down to whole numbers before the comparison.
        Off, because the same total load then asks for the same replicas however many share it.
    never_against_load: never fewer replicas while load is above target, nor more while it is
        below, whatever few tasks are ready to be counted.
    noise: so much of a replica is an error of binary fractions when counts are rounded: 10 % more
        than 100 are 110, not 111. 0 rounds as a HorizontalPodAutoscaler does.
    strangers: samples of tasks that are not the service's count towards averages and, where
        missing ones are filled in, as tasks; a filled in average of exactly the target takes
        missing tasks for idle. Off, because each of these may scale down under load.
    upscale_cap: replaces the rates and the bounded stabilization of a rule's `scale_up` and
        `scale_down` by those of a HorizontalPodAutoscaler without `behavior`.
    """

    cpu_initialization_period: float = 0.0
    initial_readiness_delay: float = 0.0
    min_span: float = 3.0
    stale_after: float = 5.0
    whole_percent: bool = False
    never_against_load: bool = True
    noise: float = 1e-6
    strangers: bool = False
    upscale_cap: UpscaleCap | None = None


SWARM_TUNING = Tuning()
HPA_TUNING = Tuning(
    cpu_initialization_period=300.0,
    initial_readiness_delay=30.0,
    min_span=0.0,
    stale_after=math.inf,
    whole_percent=True,
    never_against_load=False,
    noise=0.0,
    strangers=True,
)
