"""A sample from the two windows that a rule judges."""

from monitor.model.usage import MetricKind, Sample
from monitor.usage.ring import Ring
from monitor.usage.traffic import Traffic

NETWORK_KINDS = frozenset({MetricKind.NETWORK_RECEIVE, MetricKind.NETWORK_TRANSMIT})


def sample_of(
    history: tuple[Ring, Traffic],
    kind: MetricKind,
    window: float,
    rising_window: float,
    age: float,
) -> Sample | None:
    """Means of `kind` over both windows (seconds), or None where there are too few readings.

    age: seconds, as the sample is to tell it.
    """
    ring, traffic = history
    if kind is MetricKind.CPU:
        mean = ring.cpu
    elif kind is MetricKind.MEMORY:
        mean = ring.memory
    elif kind is MetricKind.NETWORK_RECEIVE:
        mean = traffic.received
    else:
        mean = traffic.sent
    whole = mean(window)
    if whole is None:
        return None
    rising = whole if rising_window == window else mean(rising_window)
    if rising is None:
        return None
    return Sample(value=whole[0], age=age, rising=rising[0], span=whole[1])
