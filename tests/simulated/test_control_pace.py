"""How often is decided: at most once a second per service, at least every 15 s, in any storm."""

import asyncio
import itertools
from collections import Counter, defaultdict

from monitor.model.event import Event
from monitor.model.selector import Selector
from tests.simulated.bench import Bench, bench
from tests.simulated.virtual import virtual
from tests.unit.build import scale_rule


def check_pace(b: Bench, since: float, until: float, *, most: float = 15.0) -> None:
    """Between two evaluations of a service lie at least 1 s and at most 15."""
    times = defaultdict(list)
    for decision in b.decisions(since):
        times[decision.service_id].append(decision.time.mono)
    assert times
    for moments in times.values():
        gaps = [after - before for before, after in itertools.pairwise(moments)]
        assert min(gaps, default=1.0) >= 1.0 - 1e-6
        assert max([*gaps, until - moments[-1]]) <= most + 1e-6


@virtual(limit=600)
async def test_ten_thousand_events_make_no_storm() -> None:
    """10,000 events in 5 s on 20 services: one evaluation a second each, few reads, right after."""
    async with bench(scale_rule(selector=Selector(names=("s*",)), min=1, max=9)) as b:
        ids = [b.swarm.create_service(f"s{n}", replicas=2, cpu_limit=0.5) for n in range(20)]
        for number in range(20):
            await b.swarm.converged(f"s{number}")
        await asyncio.sleep(20)
        start, calls = b.now(), Counter(b.engine.calls)
        for number in range(10_000):
            stamp = b.swarm.store.stamp()
            service_id = ids[number % 20]
            b.swarm.publish(
                b.engine.node_id,
                Event("service", "update", service_id, stamp, {"name": "s"}, "swarm")
                if number % 2
                else Event(
                    "container",
                    "die",
                    f"{number:064x}",
                    stamp,
                    {"com.docker.swarm.service.id": service_id},
                    "local",
                ),
            )
            if number % 100 == 99:
                await asyncio.sleep(0.05)
        b.swarm.scale("s3", 12)
        await b.until(lambda: b.replicas("s3") == 9, within=10)
        await asyncio.sleep(10)
        took = b.now() - start
        assert b.core.stream.stats.events
        assert sum(b.core.stream.stats.events.values()) >= 10_000
        check_pace(b, start, b.now())
        assert len(b.decisions(start)) <= 20 * (took + 1)
        reads = Counter(b.engine.calls) - calls
        assert reads["service"] <= 20 * took * 4
        assert len(b.records.own) == 1


@virtual(limit=600)
async def test_a_quiet_service_is_still_evaluated() -> None:
    """Without samples arriving and without events: at least every 15 s."""
    async with bench(scale_rule(min=1, max=9)) as b:
        await b.service(replicas=2, cpu_limit=0.5)
        await asyncio.sleep(10)
        b.core.controller.samples_arrived = lambda: None
        start = b.now()
        await asyncio.sleep(120)
        check_pace(b, start, b.now())
        assert len(b.decisions(start)) >= 8


@virtual(limit=600)
async def test_an_hour_of_quiet_is_an_evaluation_a_second() -> None:
    """With samples every second each service is judged every second, and the engine is not asked
    for more than its lists and statistics."""
    async with bench(scale_rule(min=1, max=9)) as b:
        await b.service(replicas=2, cpu_limit=0.5)
        b.swarm.set_load("web", 0.5)
        await asyncio.sleep(10)
        start, calls = b.now(), Counter(b.engine.calls)
        await asyncio.sleep(300)
        assert 295 <= len(b.decisions(start)) <= 301
        made = Counter(b.engine.calls) - calls
        assert made["service"] == 0
        assert made["tasks"] == made["services"] == made["nodes"] <= 11
