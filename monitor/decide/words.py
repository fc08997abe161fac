"""Numbers as the sentences of decisions spell them."""

from monitor.model.usage import MetricKind

_BINARY = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def duration(seconds: float) -> str:
    """`0.4 s`, `80 s`, `3m40s`, `2h5m`; never negative."""
    seconds = max(0.0, seconds)
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"


def percent(value: float) -> str:
    """`value` in percent: `95%`, `0.4%`."""
    return f"{value:.0f}%" if value >= 9.95 or value == round(value) else f"{value:.1f}%"


def edge(value: float) -> str:
    """A percentage at which something changes, to a tenth: `55%`, `37.5%`."""
    return f"{round(value, 1):g}%"


def amount(kind: MetricKind, value: float) -> str:
    """Cores (`0.25 cores`), bytes (`700MiB`) or bytes per second (`3MiB/s`)."""
    if kind is MetricKind.CPU:
        return f"{value:.3g} cores"
    return size(value) + ("" if kind is MetricKind.MEMORY else "/s")


def size(value: float) -> str:
    """Bytes: `700MiB`, `12B`."""
    for one, unit in _BINARY:
        if value >= one:
            return f"{value / one:.4g}{unit}"
    return f"{value:.0f}B"


def number(value: float) -> str:
    """A number without a unit: `5`, `0.25`, `123456`, `1.5e+09`."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"
