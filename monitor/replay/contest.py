"""A trace replayed by several contenders, and all that is to be told of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from monitor.replay.contender import Contender
from monitor.replay.drive import Run, run
from monitor.replay.terms import Terms
from monitor.replay.trace import Trace


@dataclass(frozen=True, slots=True)
class Contest:
    """chosen: a clause on how `terms.per_replica` was found, "" where somebody said it."""

    trace: Trace
    terms: Terms
    runs: tuple[Run, ...]
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the comparison. key: as in JSON. unit: "%", "h", "s", or "" for a number.

    ideal: what nobody can beat.
    """

    key: str
    title: str
    unit: str
    values: tuple[float, ...]
    ideal: float | None = None


def hold(trace: Trace, terms: Terms, contenders: Iterable[Contender], chosen: str = "") -> Contest:
    return Contest(trace, terms, tuple(run(one, trace, terms) for one in contenders), chosen)


def figures(contest: Contest) -> tuple[Figure, ...]:
    """In the order in which they are shown; a value for each run."""
    scores = [run.score for run in contest.runs]

    def of(key: str, title: str, unit: str, ideal: float | None = 0.0) -> Figure:
        return Figure(key, title, unit, tuple(getattr(score, key) for score in scores), ideal)

    hours = contest.trace.seconds / 3600
    actions = tuple(float(len(run.steps)) for run in contest.runs)
    turned = tuple(turns(run) / hours for run in contest.runs)
    return (
        of("under_accuracy", "under-provisioned, accuracy θU", "%"),
        of("under_timeshare", "under-provisioned, timeshare τU", "%"),
        of("over_accuracy", "over-provisioned, accuracy θO", "%"),
        of("over_timeshare", "over-provisioned, timeshare τO", "%"),
        of("instability", "instability", "%"),
        Figure("actions", "changes of replicas", "", actions),
        Figure("turns_per_hour", "changes of direction per hour", "", turned),
        of("replica_hours", "replica-hours", "h", scores[0].ideal_hours),
        of("over_capacity", "time beyond all capacity", "%"),
        of("refused", "demand refused", "%"),
        of("longest_wait", "longest wait in the queue", "s"),
    )


def turns(run: Run) -> int:
    """How often it changed from up to down or back."""
    ups = [step.after > step.before for step in run.steps]
    return sum(one != other for one, other in pairwise(ups))


def as_json(contest: Contest) -> dict[str, Any]:
    """Plain values; times in wall seconds."""
    trace = contest.trace
    return {
        "trace": {
            "name": trace.name,
            "begin": trace.times[0],
            "seconds": trace.seconds,
            "points": len(trace.times),
            "peak": trace.peak,
            "notes": list(trace.notes),
        },
        "terms": asdict(contest.terms),
        "ideal_replica_hours": contest.runs[0].score.ideal_hours,
        "runs": [_run(contest, place) for place in range(len(contest.runs))],
    }


def _run(contest: Contest, place: int) -> Mapping[str, Any]:
    run = contest.runs[place]
    return {
        "name": run.label,
        **{figure.key: figure.values[place] for figure in figures(contest)},
        "seconds_by_reason": dict(run.reasons),
        "evaluations": run.evaluations,
        "steps": [asdict(step) for step in run.steps],
    }
