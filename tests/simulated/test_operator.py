"""What an operator sets while the agent runs: pauses, and the ceiling of writes."""

import asyncio

from monitor.control.ceiling import WINDOW
from monitor.model.pause import PauseScope
from monitor.model.reason import Reason
from monitor.model.rule import RuleMode
from monitor.model.selector import Selector
from tests.simulated.bench import Bench, bench, faults
from tests.simulated.virtual import virtual
from tests.unit.build import scale_rule

HALF = {"cpu_limit": 0.5}


def pause(b: Bench, scope: PauseScope, name: str = "", seconds: float | None = None) -> None:
    controller = b.core.controller
    now = b.swarm.clock.now()
    controller.use_pauses(controller.pauses.having(scope, name, seconds, now, note="by hand"))


def resume(b: Bench, scope: PauseScope, name: str = "") -> None:
    controller = b.core.controller
    controller.use_pauses(controller.pauses.without(scope, name))


@virtual(limit=900)
async def test_a_paused_service_is_left_alone_until_it_is_resumed() -> None:
    """No write while it lasts, whatever the load; the reason is told; then it goes on at once."""
    for scope, name in ((PauseScope.SERVICE, "web"), (PauseScope.RULE, "r1"), (PauseScope.ALL, "")):
        async with bench(scale_rule(max=8)) as b:
            await b.service(replicas=2, **HALF)
            pause(b, scope, name)
            b.swarm.set_load("web", 3.0)
            await b.until(lambda: b.reasons()[-1:] == [Reason.PAUSED], within=30)
            await asyncio.sleep(60)
            assert b.records.own == []
            resume(b, scope, name)
            await b.until(lambda: b.replicas() > 2, within=3)


@virtual(limit=900)
async def test_a_pause_ends_by_itself_on_time() -> None:
    """At its end, not at the next regular look; and it outlives a reload of the rules."""
    async with bench(scale_rule(max=8)) as b:
        await b.service(replicas=2, **HALF)
        pause(b, PauseScope.RULE, "r1", 100.0)
        start = b.now()
        b.swarm.set_load("web", 3.0)
        await asyncio.sleep(20)
        b.use()
        await asyncio.sleep(20)
        b.use(scale_rule(max=7))
        await b.until(lambda: b.replicas() > 2, within=70)
        assert 100.0 <= b.records.applied[0].at - start < 102.0


@virtual(limit=900)
async def test_a_pause_catches_a_write_that_is_on_its_way() -> None:
    """Between the decision and its write the service is read again: a pause set then counts."""
    async with bench(scale_rule(max=8)) as b:
        await b.service(replicas=2, **HALF)
        with faults(b, latency=2.0):
            b.swarm.set_load("web", 3.0)
            await b.until(lambda: any(d.action is not None for d in b.records.decisions), within=60)
            pause(b, PauseScope.ALL)
            await asyncio.sleep(10)
        assert b.records.own == []
        assert "everything is paused" in b.records.outcomes[0][1].detail
        await asyncio.sleep(60)
        assert b.records.own == []


@virtual(limit=600)
async def test_calm_services_and_dry_runs_say_so_with_or_without_a_pause() -> None:
    """A pause is told where it holds something back; before a dry run, which it comes before."""
    async with bench(scale_rule(max=8, mode=RuleMode.DRY_RUN)) as b:
        await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 0.5)
        await asyncio.sleep(30)
        pause(b, PauseScope.ALL)
        calm = b.now()
        await asyncio.sleep(30)
        assert set(b.reasons(calm)) == {Reason.WITHIN_TOLERANCE}
        b.swarm.set_load("web", 3.0)
        await b.until(lambda: b.reasons()[-1] == Reason.PAUSED, within=30)
        resume(b, PauseScope.ALL)
        await b.until(lambda: b.reasons()[-1] == Reason.DRY_RUN, within=3)


@virtual(limit=3600)
async def test_a_hundred_services_at_once_keep_to_the_ceiling_and_all_get_their_turn() -> None:
    """Never more than N writes in any 60 s, all of them served, none twice before all once."""
    ceiling = 20
    rule = scale_rule(min=1, max=6, selector=Selector(names=("s*",)))
    async with bench() as b:
        b.core.controller.ceiling.per_minute = ceiling
        names = [f"s{number:03}" for number in range(100)]
        for name in names:
            b.swarm.create_service(name, replicas=1, cpu_limit=0.5)
        for name in names:
            await b.swarm.converged(name)
        await asyncio.sleep(5)
        start = b.now()
        b.use(scale_rule(name="more", min=2, max=6, selector=rule.selector))
        await b.until(lambda: all(b.replicas(name) == 2 for name in names), within=600)
        took = b.now() - start
        times = [write.at for write in b.records.own]
        assert len(times) == 100
        for first, beyond in zip(times, times[ceiling:], strict=False):
            assert beyond - first >= WINDOW
        assert took < (100 / ceiling) * (WINDOW + 5)
        assert Reason.WRITE_LIMIT in b.reasons(start)
        first_held: dict[str, float] = {}
        for decision in b.decisions(start):
            if decision.reason is Reason.WRITE_LIMIT:
                first_held.setdefault(decision.service_id, decision.time.mono)
        waited = [w.service_id for w in b.records.own if w.service_id in first_held]
        assert waited == sorted(waited, key=lambda service_id: first_held[service_id])


@virtual(limit=900)
async def test_who_does_not_want_to_write_any_more_leaves_the_line() -> None:
    """A service whose load went away while it waited does not keep others from their turn."""
    rule = scale_rule(min=1, max=6, selector=Selector(names=("a", "b", "c")))
    async with bench(rule) as b:
        b.core.controller.ceiling.per_minute = 1
        for name in "abc":
            await b.service(name, replicas=1, **HALF)
        b.swarm.set_load("a", 0.4)
        await b.until(lambda: len(b.records.own) == 1, within=60)
        b.swarm.set_load("b", 0.4)
        await b.until(lambda: b.core.controller.ceiling.waiting == 1, within=30)
        b.swarm.set_load("c", 0.4)
        await b.until(lambda: b.core.controller.ceiling.waiting == 2, within=30)
        b.swarm.set_load("b", 0.1)
        await b.until(lambda: b.replicas("c") == 2, within=70)
        assert b.replicas("b") == 1
        assert b.core.controller.ceiling.waiting == 0
