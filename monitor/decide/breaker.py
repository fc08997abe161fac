"""A breaker that opens when restarts do not help, and closes after a later deploy that does well.

A restart is a trial of its place (of one slot, or of the whole service). It was in vain if the
condition holds again within `soon` seconds: the breaker's `within` on top of what the condition
itself takes to hold. After `after` trials in vain in a row in one place the breaker opens.
"""

from collections.abc import Collection
from dataclasses import replace

from monitor.model.history import BreakerState, Deploy, Trial
from monitor.model.rule import Breaker

WHOLE = ""
"""The place of a restart of the whole service."""


def tried(state: BreakerState, place: str, now: float) -> BreakerState:
    """After a restart of `place`; it is judged later."""
    before = next((trial for trial in state.trials if trial.place == place), None)
    trial = Trial(place, now, in_vain=0 if before is None else before.in_vain)
    others = (one for one in state.trials if one.place != place)
    return replace(state, trials=(*others, trial))


def judged(
    state: BreakerState,
    breaker: Breaker,
    places: Collection[str],
    *,
    soon: float,
    memory: float,
    now: float,
) -> BreakerState:
    """places: those in which the condition holds now. A restart of the whole service was in vain
    if it holds in any.

    memory: seconds after its last restart for which a place in which nothing holds any more is
    remembered: at least as long as budget and back-off may hold back the next one.
    """
    if state.open_since is not None:
        return state
    trials: list[Trial] = []
    for trial in state.trials:
        holds = bool(places) if trial.place == WHOLE else trial.place in places
        age = now - trial.at
        if not trial.judged and holds and age <= soon:
            trials.append(replace(trial, judged=True, in_vain=trial.in_vain + 1))
        elif (holds or age <= memory) if trial.judged else age <= soon:
            trials.append(trial)
    opens = any(trial.judged and trial.in_vain >= breaker.after for trial in trials)
    return BreakerState(tuple(trials), now if opens else None)


def closed_by(
    state: BreakerState, breaker: Breaker, deploy: Deploy | None, *, well: bool, now: float
) -> BreakerState:
    """As it is, or closed: a deploy after it opened has done well for the breaker's `within`.

    well: no rollout is going on, all tasks run and the condition does not hold.
    """
    if state.open_since is None:
        return state
    later = deploy is not None and deploy.at is not None and deploy.at > state.open_since
    if not (later and well):
        return replace(state, calm_since=None)
    if state.calm_since is None:
        return replace(state, calm_since=now)
    return BreakerState() if now - state.calm_since >= breaker.within else state


def streak(state: BreakerState, place: str) -> int:
    """Restarts of the place in a row that did not help."""
    return max((one.in_vain for one in state.trials if one.place == place), default=0)


def most_in_vain(state: BreakerState) -> int:
    return max((one.in_vain for one in state.trials), default=0)
