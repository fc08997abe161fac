"""What rules that restart, move tasks or drain remember, as plain JSON, and back."""

from collections.abc import Callable, Mapping
from typing import Any

from monitor.model.history import BreakerState, Course, Deploy, Trial

_CRON = "cron "
"""Begins the keys of moments that are wall seconds anyway; see `model/condition.py`."""

Clock = Callable[[float], float]


def encode_course(course: Course, wall: Clock) -> dict[str, Any]:
    """Without what is as in a new one. wall: monotonic seconds to wall seconds."""

    def maybe(at: float | None) -> float | None:
        return None if at is None else wall(at)

    deploy, state = course.deploy, course.breaker
    found: dict[str, Any] = {
        "deploy": None if deploy is None else [deploy.spec, maybe(deploy.at), deploy.rolled_back],
        "trials": [[one.place, wall(one.at), one.judged, one.in_vain] for one in state.trials],
        "open_since": maybe(state.open_since),
        "calm_since": maybe(state.calm_since),
        "handled": {key: at if key.startswith(_CRON) else wall(at) for key, at in course.handled},
        "parked": course.parked,
        "moves_needed": course.moves_needed,
        "moves_in_vain": course.moves_in_vain or None,
        "layout": course.layout or None,
        "drained_until": maybe(course.drained_until),
        "acted_version": course.acted_version or None,
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def decode_course(data: Any, moment: Callable[[Any], float]) -> Course:
    """What `encode_course` made. moment: wall seconds to monotonic ones, ValueError for others.

    ValueError or TypeError for what is no course: a breaker that is half understood is none. A
    time that is to come, as the end of a drain, is read from how far off it is.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r} is no course")  # noqa: TRY004

    def maybe(name: str) -> float | None:
        return None if data.get(name) is None else moment(data[name])

    deploy = None
    if data.get("deploy") is not None:
        spec, at, rolled_back = data["deploy"]
        deploy = Deploy(_text(spec), None if at is None else moment(at), _text(rolled_back))
    trials = tuple(
        Trial(_text(place), moment(at), bool(was_judged), _whole(in_vain))
        for place, at, was_judged, in_vain in data.get("trials", ())
    )
    handled = {
        _text(key): float(at) if key.startswith(_CRON) else moment(at)
        for key, at in dict(data.get("handled", {})).items()
    }
    return Course(
        deploy=deploy,
        breaker=BreakerState(trials, maybe("open_since"), maybe("calm_since")),
        handled=tuple(sorted(handled.items())),
        parked=_maybe_whole(data.get("parked")),
        moves_needed=_maybe_whole(data.get("moves_needed")),
        moves_in_vain=_whole(data.get("moves_in_vain", 0)),
        layout=_text(data.get("layout", "")),
        drained_until=_later(data.get("drained_until"), moment),
        acted_version=_whole(data.get("acted_version", 0)),
    )


def _later(wall: Any, moment: Callable[[Any], float]) -> float | None:
    """A moment that may lie in the future, which `moment` takes for now: so from long ago."""
    if wall is None:
        return None
    if isinstance(wall, bool) or not isinstance(wall, int | float):
        raise ValueError(f"{wall!r} is no time")  # noqa: TRY004
    return moment(wall - _AGES) + _AGES


_AGES = 10.0 * 365 * 86400
"""Seconds: no drain lasts longer."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _maybe_whole(value: Any) -> int | None:
    return None if value is None else _whole(value)
