"""A service that crashes again and again for a day: restarted ever more rarely, then no more."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

from monitor.model.action import ForceUpdate
from monitor.model.condition import Exits
from monitor.model.outcome import OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import Backoff, Breaker, Budget
from monitor.simulate.executor import Behaviour
from tests.simulated.bench import Bench, bench
from tests.simulated.virtual import virtual
from tests.unit.build import restart_rule

HOUR = 3600.0
CRASHES = Behaviour(exit_after=180.0)
RULE = restart_rule(
    when=Exits(count=3, within=1800.0),
    budget=Budget(3, HOUR),
    backoff=Backoff(120.0, HOUR),
    breaker=Breaker(15, 900.0),
)


def restarts(b: Bench) -> list[float]:
    done = [one for one, outcome in b.records.outcomes if outcome.kind is OutcomeKind.APPLIED]
    return [one.time.mono for one in done if isinstance(one.action, ForceUpdate)]


def last(b: Bench) -> Reason:
    return b.records.decisions[-1].reason


def is_open(b: Bench) -> bool:
    book = b.core.controller.book
    return book.history(b.swarm.service("web").id, RULE.name).course.breaker.open_since is not None


async def until(b: Bench, met: Callable[[], bool], within: float) -> float:
    """Looks every half minute; seconds it took."""
    start = b.now()
    while not met():
        assert b.now() - start <= within, b.records.decisions[-1].sentence
        await asyncio.sleep(30.0)
    return b.now() - start


def test_a_crash_loop_is_within_its_budget_for_a_day(monkeypatch) -> None:
    """24 hours: never more than 3 restarts in any hour, pauses that double up to an hour, and after
    15 in vain the breaker is open with its own reason; a deploy of what runs closes it, and what
    crashes after that is restarted again."""
    monkeypatch.setattr("monitor.agent.core.SAMPLES_EVERY", 60.0)  # a day of seconds takes long
    virtual(limit=29 * HOUR)(_a_day_of_crashes)()


async def _a_day_of_crashes() -> None:
    async with bench(RULE) as b:
        b.swarm.behaviours["bad:1"] = b.swarm.behaviours["bad:2"] = CRASHES
        await b.service(update={"Parallelism": 0, "Monitor": 10**9}, restart={"Delay": 120 * 10**9})
        b.swarm.deploy("web", "bad:1")
        began = b.now()
        await until(b, lambda: last(b) is Reason.BREAKER_OPEN, within=23 * HOUR)
        times = restarts(b)
        assert len(times) == RULE.breaker.after
        for index, at in enumerate(times):
            assert sum(at - HOUR < other for other in times[: index + 1]) <= 3
        gaps = [after - before for before, after in pairwise(times)]
        assert gaps[0] >= 120.0
        assert gaps[1] >= 240.0
        assert min(gaps[6:]) >= HOUR
        assert {Reason.BACKOFF, Reason.BUDGET} & set(b.reasons())
        await asyncio.sleep(began + 24 * HOUR - b.now())
        assert len(restarts(b)) == len(times)
        assert last(b) is Reason.BREAKER_OPEN
        await _well_again(b)


async def _well_again(b: Bench) -> None:
    """A deploy that crashes as well closes nothing; one that runs does, after its time."""
    before = len(restarts(b))
    b.swarm.deploy("web", "bad:2")
    await asyncio.sleep(HOUR)
    assert len(restarts(b)) == before
    assert is_open(b)
    b.swarm.deploy("web", "app:2")
    closes = await until(b, lambda: not is_open(b), within=HOUR)
    assert closes >= RULE.breaker.within
    b.swarm.deploy("web", "bad:1")
    await until(b, lambda: len(restarts(b)) > before, within=HOUR)
