"""Scaling by load with the default rules, from the samples of the stats API to the Swarm's spec."""

import asyncio
import itertools
import math
import random
from dataclasses import replace

from monitor.model.reason import Reason
from monitor.model.rule import SCALE_DOWN_DEFAULT, RuleMode
from tests.simulated.bench import bench
from tests.simulated.virtual import virtual
from tests.unit.build import scale_rule

HALF = {"cpu_limit": 0.5}
"""With a target of 50 % each task is to use a quarter of a core."""


@virtual(limit=600)
async def test_load_is_followed_up_in_time() -> None:
    """The first step comes within 15 s, no step is larger than the policies allow, and windows
    that still hold the load of before overshoot by a quarter at most."""
    async with bench(scale_rule(max=40)) as b:
        await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 0.5)
        await asyncio.sleep(30)
        assert b.records.own == []
        b.swarm.set_load("web", 4.0)
        start = b.now()
        assert await b.until(lambda: b.replicas() > 2, within=15) > 1.0
        await b.until(lambda: b.replicas() >= 16, within=120)
        await asyncio.sleep(60)
        assert 16 <= b.replicas() <= 20
        assert b.reasons(start)[-1] in (Reason.WITHIN_TOLERANCE, Reason.STABILIZED)
        applied = b.records.applied
        for write in applied:
            before = [w.replicas[1] for w in applied if w.at <= write.at - 15.0] or [2]
            assert write.replicas[1] <= max(2 * before[-1], before[-1] + 4), write


@virtual(limit=2000)
async def test_calm_is_followed_down_after_the_window_and_not_before() -> None:
    """Down no sooner than 5 minutes after the load ended, and then within 30 s."""
    async with bench(scale_rule(max=8)) as b:
        await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 1.5)
        await b.until(lambda: b.replicas() == 6, within=120)
        await asyncio.sleep(30)
        b.swarm.set_load("web", 0.25)
        took = await b.until(lambda: b.replicas() < 6, within=330)
        assert took >= 300.0
        await b.until(lambda: b.replicas() == 1, within=60)


@virtual(limit=4000)
async def test_a_falling_load_is_followed_in_steps_not_one_by_one() -> None:
    """From 16 replicas' worth to 2 within two minutes: no two steps within 15 s of each other,
    and clearly fewer than without a cooldown. Both end at what the load needs."""
    steps: dict[float, list[float]] = {}
    for cooldown in (15.0, 0.0):
        rule = scale_rule(max=40, scale_down=replace(SCALE_DOWN_DEFAULT, cooldown=cooldown))
        async with bench(rule) as b:
            await b.service(replicas=16, **HALF)
            b.swarm.set_load("web", 4.0)
            await asyncio.sleep(330)
            start = b.now()
            b.swarm.set_load("web", lambda seconds: max(0.5, 4.0 - seconds * 3.5 / 120))
            await b.until(lambda: b.replicas() == 2, within=600)
            steps[cooldown] = [write.at for write in b.records.applied if write.at > start]
    calm, nervous = steps[15.0], steps[0.0]
    assert all(later - sooner >= 15.0 for sooner, later in itertools.pairwise(calm))
    assert len(calm) <= 9 < 12 <= len(nervous)
    assert calm[-1] - calm[0] <= nervous[-1] - nervous[0] + 15.0


@virtual(limit=2000)
async def test_a_fresh_agent_scales_nothing_down_within_its_first_window() -> None:
    """It does not know what the load was before it came."""
    async with bench(scale_rule()) as b:
        await b.service(replicas=5, **HALF)
        b.swarm.set_load("web", 0.1)
        await asyncio.sleep(295)
        assert b.records.own == []
        await b.until(lambda: b.replicas() == 1, within=60)


@virtual(limit=600)
async def test_a_scale_up_replaces_no_task() -> None:
    """Every task that ran before is the same afterwards, of a service without explicit defaults."""
    async with bench(scale_rule()) as b:
        await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 3.0)
        await asyncio.sleep(20)
        before = {task.id for task in b.swarm.running("web")}
        await b.until(lambda: b.replicas() == 6, within=60)
        await b.swarm.converged("web")
        assert before <= {task.id for task in b.swarm.running("web")}
        assert all(write.changed == [("Mode", "Replicated", "Replicas")] for write in b.records.own)


@virtual(limit=600)
async def test_no_second_step_before_the_first_is_seen() -> None:
    """While the mirror cannot see what was written nothing more is decided on the service."""
    async with bench(scale_rule(max=40)) as b:
        service_id = await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 0.5)
        await asyncio.sleep(20)
        b.swarm.set_load("web", 20.0)

        def after_the_write(method: str, key: str) -> float:
            return 6.0 if b.records.own and key == service_id and method == "service" else 0.0

        b.engine.faults.answer_delay = after_the_write
        await b.until(lambda: bool(b.records.own), within=20)
        written_at = b.now()
        await asyncio.sleep(5.9)
        assert len(b.records.own) == 1
        assert b.decisions(written_at) == []
        b.engine.faults.answer_delay = None
        await b.until(lambda: len(b.records.applied) > 1, within=60)
        assert b.records.own[1].version > b.records.own[0].version


@virtual(limit=120)
async def test_an_own_scale_is_no_foreign_change() -> None:
    """After our own write the next step need not wait for the 2 s a foreign one would cost."""
    async with bench(scale_rule(min=1, max=9)) as b:
        await b.service(replicas=20, **HALF)
        await b.until(lambda: b.replicas() == 9, within=10)
        at = b.records.applied[0].at
        await asyncio.sleep(3)
        assert Reason.ROLLOUT_IN_PROGRESS not in b.reasons(at + 0.1)


@virtual(limit=1200)
async def test_bounds_hold_whatever_a_person_sets() -> None:
    """Above max and below min are corrected without asking any metric; a zero is left alone."""
    async with bench(scale_rule(min=2, max=6)) as b:
        await b.service(replicas=3, **HALF)
        b.swarm.set_load("web", 0.75)
        await asyncio.sleep(30)
        for wish, corrected in ((9, 6), (1, 2)):
            b.swarm.scale("web", wish)
            await b.until(lambda corrected=corrected: b.replicas() == corrected, within=10)
        b.swarm.scale("web", 0)
        await asyncio.sleep(60)
        assert b.replicas() == 0
        assert b.reasons()[-1] == Reason.SCALED_TO_ZERO_BY_USER
        b.swarm.scale("web", 3)
        await asyncio.sleep(10)
        assert b.replicas() >= 2


@virtual(limit=4 * 3600)
async def test_flapping_load_changes_direction_at_most_once_a_window() -> None:
    """Two hours of waves and noise: never two scale-downs around a scale-up within 5 minutes."""
    noise = random.Random(1)
    spikes = [noise.random() for _ in range(100_000)]

    def demand(seconds: float) -> float:
        wave = 2.0 + 1.2 * math.sin(seconds / 40.0)
        return wave + (2.0 if spikes[int(seconds / 7.0)] > 0.9 else 0.0)

    async with bench(scale_rule(min=1, max=20)) as b:
        await b.service(replicas=4, **HALF)
        b.swarm.set_load("web", demand)
        await asyncio.sleep(7200)
        turns = []
        for one, other in itertools.pairwise(b.records.applied):
            up, up_next = (w.replicas[1] > w.replicas[0] for w in (one, other))
            if up != up_next:
                turns.append(other.at)
        downs = [w.at for w in b.records.applied if w.replicas[1] < w.replicas[0]]
        ups = [w.at for w in b.records.applied if w.replicas[1] > w.replicas[0]]
        assert ups, "the load was to move it"
        assert all(
            down - max((up for up in ups if up < down), default=0.0) >= 285 for down in downs
        )
        assert len(turns) <= 2 * 7200 / 300


@virtual(limit=300)
async def test_a_dry_run_decides_all_and_writes_nothing() -> None:
    """The agent's setting and the rule's mode alike: a reason for each, no call that writes."""
    for dry_run, mode in ((True, RuleMode.ACT), (False, RuleMode.DRY_RUN)):
        async with bench(scale_rule(min=3, mode=mode), dry_run=dry_run) as b:
            await b.service(replicas=2, **HALF)
            await asyncio.sleep(30)
            assert b.engine.calls["update_service"] == 0
            assert b.reasons()[-1] == Reason.DRY_RUN
            assert "would scale from 2 to 3" in b.records.decisions[-1].sentence


@virtual(limit=300)
async def test_two_rules_that_claim_a_service_leave_it_alone() -> None:
    """Neither acts and both say whom they are in conflict with; with one gone the other acts."""
    one, other = scale_rule(name="one", min=3), scale_rule(name="other", min=4)
    async with bench(one, other) as b:
        await b.service(replicas=2, **HALF)
        await asyncio.sleep(20)
        assert b.records.own == []
        assert b.reasons(rule="one") == b.reasons(rule="other") == [Reason.AMBIGUOUS]
        b.use(one)
        await b.until(lambda: b.replicas() == 3, within=5)
        assert len(b.records.own) == 1
