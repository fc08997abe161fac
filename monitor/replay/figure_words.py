"""Figures and terms of a replay, spelled for people."""

from monitor.decide import words
from monitor.replay.contest import Contest, Figure
from monitor.replay.trace import Trace

_DAY = 86400.0


def terms_of(contest: Contest) -> list[str]:
    """What was replayed on what, in sentences."""
    trace, terms = contest.trace, contest.terms
    count = len(trace.times)
    points = f"{count:,} point{'' if count == 1 else 's'}, one each {words.duration(trace.step)}"
    lasts = f"{_long(trace.seconds)}, peak {trace.peak:,.6g}"
    well = f"it serves well up to {terms.good_until:.0%} of that"
    late = f"it runs {terms.start_time:g} s after the write, at most {terms.queue:g} s of work wait"
    chosen = f" ({contest.chosen}; --per-replica says otherwise)" if contest.chosen else ""
    return [
        f"{trace.name}: {points}, {lasts}",
        *trace.notes,
        *_gaps(trace),
        f"one replica serves {terms.per_replica:,.6g} with all of its CPU{chosen}",
        f"{well}; {late}",
    ]


def _long(seconds: float) -> str:
    if seconds < _DAY:
        return words.duration(seconds)
    days = f"{seconds / _DAY:.3g}"
    return f"{days} {'day' if days == '1' else 'days'}"


def _gaps(trace: Trace) -> list[str]:
    count = trace.gaps
    if not count:
        return []
    what = "gap" if count == 1 else "gaps"
    return [f"{count} {what} of more than {words.duration(3 * trace.step)}: the last value holds"]


def spelled(figure: Figure, value: float) -> str:
    match figure.unit:
        case "%":
            return f"{value:.2f} %"
        case "h":
            return f"{value:,.1f}"
        case "s":
            return f"{value:.1f} s"
        case _:
            return f"{value:.2f}" if value != round(value) else f"{value:,.0f}"
