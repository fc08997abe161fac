"""What becomes of writes that do not go as they should."""

import asyncio

import pytest

from monitor.model.action import ScaleTo
from monitor.model.outcome import OutcomeKind
from monitor.model.reason import Reason
from monitor.ports.errors import BadAnswer, BadRequest, EngineError, Forbidden
from monitor.simulate.faults import EngineFaults
from tests.simulated.bench import Bench, bench, faults, one_node
from tests.simulated.virtual import node_id, virtual
from tests.unit.build import scale_rule

OUT_OF_BOUNDS = {"replicas": 1, "cpu_limit": 0.5}
"""With `min: 3` a write is due as soon as the fresh service has settled."""


def slow_reads(b: Bench, service_id: str, seconds: float) -> None:
    """The writer's re-read takes that long, that of the mirror does not."""

    def delay(method: str, key: str) -> float:
        task = asyncio.current_task()
        writing = task is not None and task.get_name().startswith("write ")
        return seconds if writing and method == "service" and key == service_id else 0.0

    b.engine.faults.answer_delay = delay


@virtual(limit=300)
async def test_a_lost_reply_makes_no_second_step() -> None:
    """The update was applied and its answer lost: it is found, counted once and not repeated."""
    async with bench(scale_rule(min=3)) as b:
        b.engine.faults.lose_replies = 1
        service_id = await b.service(**OUT_OF_BOUNDS)
        await b.until(lambda: b.replicas() == 3, within=10)
        await asyncio.sleep(60)
        assert len(b.records.own) == 1
        assert b.records.kinds() == [OutcomeKind.UNKNOWN, OutcomeKind.APPLIED]
        history = b.core.controller.book.history(service_id, "r1")
        assert [event.change for event in history.events] == [2]


@virtual(limit=300)
async def test_a_reply_lost_before_the_update_is_decided_anew() -> None:
    """Nothing was applied: the next decision writes, after the first back-off of 2 s."""
    async with bench(scale_rule(min=3)) as b:
        b.engine.faults.fail_next("update_service", BadAnswer("cut off"))
        service_id = await b.service(**OUT_OF_BOUNDS)
        await b.until(lambda: b.replicas() == 3, within=10)
        decided = [decision for decision, _ in b.records.outcomes]
        assert b.records.kinds() == [OutcomeKind.UNKNOWN, OutcomeKind.APPLIED]
        assert decided[0].id != decided[1].id
        assert decided[1].time.mono - decided[0].time.mono >= 2.0
        history = b.core.controller.book.history(service_id, "r1")
        assert [event.change for event in history.events] == [2]


@pytest.mark.parametrize("error", [Forbidden("no POST here"), BadRequest("no")])
def test_failing_writes_back_off(error: EngineError) -> None:
    """A Swarm that always says no is asked 13 times in 10 minutes, and not 600 times."""

    @virtual(limit=900)
    async def run() -> None:
        async with bench(scale_rule(min=3)) as b:
            b.engine.faults.fail_next("update_service", error, times=1000)
            await b.service(**OUT_OF_BOUNDS)
            await asyncio.sleep(600)
            assert 10 <= b.engine.calls["update_service"] <= 16
            assert b.replicas() == 1

    run()


@virtual(limit=300)
async def test_an_agent_that_does_not_act_writes_nothing() -> None:
    """On a manager that does not lead all is decided, with the leader's name as the reason."""
    swarm = one_node()
    swarm.add_node("m2", "manager")
    made = Bench(swarm, "m2")
    async with made.agent(scale_rule(min=3)):
        await made.service(**OUT_OF_BOUNDS)
        await asyncio.sleep(20)
        assert made.engine.calls["update_service"] == 0
        assert made.reasons()[-1] == Reason.NOT_ACTOR
        assert "m1" in made.records.decisions[-1].sentence
        swarm.election(node_id(swarm, "m2"))
        swarm.node_ready(node_id(swarm, "m1"))
        swarm.node_ready(node_id(swarm, "m2"))
        await made.until(lambda: made.replicas() == 3, within=10)
    made.check()
    swarm.close()


@virtual(limit=300)
async def test_an_agent_that_lost_its_term_between_decision_and_write_does_not_write() -> None:
    """The leadership goes elsewhere while the writer reads again: nothing is posted."""
    swarm = one_node()
    other = swarm.add_node("m2", "manager")
    async with bench(scale_rule(min=3), swarm=swarm) as b:
        service_id = await b.service(**OUT_OF_BOUNDS)
        slow_reads(b, service_id, 3.0)
        await b.until(lambda: any(d.action for d in b.records.decisions), within=10)
        await asyncio.sleep(0.5)
        swarm.set_node(b.engine.node_id, leader=False)
        swarm.set_node(other, leader=True)
        await asyncio.sleep(30)
        assert b.engine.calls["update_service"] == 0
        assert b.records.kinds() == [OutcomeKind.REFUSED]
        assert "m2" in b.records.outcomes[0][1].detail


@virtual(limit=300)
async def test_a_term_lost_and_gained_again_is_another_term() -> None:
    """What was decided under the old term is not written under the new one."""
    swarm = one_node()
    other = swarm.add_node("m2", "manager")
    async with bench(scale_rule(min=3), swarm=swarm) as b:
        service_id = await b.service(**OUT_OF_BOUNDS)
        slow_reads(b, service_id, 4.0)
        await b.until(lambda: any(d.action for d in b.records.decisions), within=10)
        for leads in (False, True):
            await asyncio.sleep(1.2)
            swarm.set_node(b.engine.node_id, leader=leads)
            swarm.set_node(other, leader=not leads)
        await asyncio.sleep(2.0)
        assert b.records.kinds() == [OutcomeKind.REFUSED]
        b.engine.faults.answer_delay = None
        await b.until(lambda: b.replicas() == 3, within=10)


@virtual(limit=300)
async def test_an_old_decision_is_not_written() -> None:
    """A read of 5.5 s makes the decision older than 5 s: refused, and decided anew later."""
    async with bench(scale_rule(min=3)) as b:
        service_id = await b.service(**OUT_OF_BOUNDS)
        slow_reads(b, service_id, 5.5)
        await b.until(lambda: bool(b.records.outcomes), within=20)
        assert b.engine.calls["update_service"] == 0
        assert "over 5 s" in b.records.outcomes[0][1].detail
        slow_reads(b, service_id, 4.0)
        await b.until(lambda: b.replicas() == 3, within=20)


@virtual(limit=300)
async def test_a_service_removed_while_its_write_is_pending_is_forgotten() -> None:
    """No write, no error, nothing kept; a new one of that name is decided on afresh."""
    async with bench(scale_rule(min=3)) as b:
        service_id = await b.service(**OUT_OF_BOUNDS)
        slow_reads(b, service_id, 2.0)
        await b.until(lambda: any(d.action for d in b.records.decisions), within=10)
        b.swarm.remove_service("web")
        await asyncio.sleep(10)
        assert b.engine.calls["update_service"] <= 1
        assert b.records.applied == []
        assert b.core.controller.book.entries() == []
        assert b.core.controller.ruled_services == frozenset()
        b.engine.faults.answer_delay = None
        await b.service(**OUT_OF_BOUNDS)
        await b.until(lambda: b.replicas() == 3, within=10)


@virtual(limit=300)
async def test_a_rule_taken_back_while_its_write_is_pending_is_not_carried_out() -> None:
    """Removed, or changed in what it says: the write is refused. Moved in its file: it is not."""
    rule = scale_rule(min=3)
    for rules, replicas in (
        ((), 1),
        ((scale_rule(min=1, max=2),), 1),
        ((scale_rule(min=3, source="rules.yml:9"),), 3),
    ):
        async with bench(rule) as b:
            service_id = await b.service(**OUT_OF_BOUNDS)
            slow_reads(b, service_id, 2.0)
            await b.until(lambda b=b: any(d.action for d in b.records.decisions), within=10)
            b.use(*rules)
            await asyncio.sleep(20)
            assert b.replicas() == replicas
            assert b.engine.calls["update_service"] == (0 if replicas == 1 else 1)


@virtual(limit=300)
async def test_new_rules_take_effect_at_once() -> None:
    """Higher bounds act within 2 s of being loaded; a rule that is gone says nothing any more."""
    async with bench(scale_rule(min=1, max=2)) as b:
        await b.service(replicas=2, cpu_limit=0.5)
        await asyncio.sleep(10)
        b.use(scale_rule(min=5))
        await b.until(lambda: b.replicas() == 5, within=2)
        b.use()
        await asyncio.sleep(1)
        start = b.now()
        b.swarm.scale("web", 1)
        await asyncio.sleep(20)
        assert b.decisions(start) == []
        assert b.replicas() == 1


@virtual(limit=300)
async def test_a_conflict_is_decided_anew_and_never_sent_again() -> None:
    """A person scales right before the write: our number was for another state and is dropped."""
    async with bench(scale_rule(min=3, max=6)) as b:
        service_id = await b.service(**OUT_OF_BOUNDS)
        slow_reads(b, service_id, 1.0)
        await b.until(lambda: any(d.action for d in b.records.decisions), within=10)
        await asyncio.sleep(0.9)
        b.swarm.scale("web", 5)
        await asyncio.sleep(30)
        assert b.replicas() == 5
        assert b.records.kinds() == [OutcomeKind.CONFLICT]
        assert [decision.action for decision, _ in b.records.outcomes] == [ScaleTo(3)]


@virtual(limit=60)
async def test_a_stop_lets_the_write_in_flight_end() -> None:
    """Told to stop between read and write, the agent finishes it, within 10 s."""
    async with bench(scale_rule(min=3)) as b:
        service_id = await b.service(**OUT_OF_BOUNDS)
        slow_reads(b, service_id, 3.0)
        await b.until(lambda: any(d.action for d in b.records.decisions), within=10)
        b.stop()
        start = b.now()
        await b.run
        assert b.now() - start <= 3.1
        assert b.replicas() == 3
        assert b.records.kinds() == [OutcomeKind.APPLIED]


@virtual(limit=60)
async def test_a_stop_does_not_wait_for_a_hung_engine() -> None:
    """Within 10 s, and what became of the write is said to be unknown."""
    async with bench(scale_rule(min=3)) as b:
        await b.service(**OUT_OF_BOUNDS)
        with faults(b, answer_delay=lambda method, _: 25.0 if method == "update_service" else 0.0):
            await b.until(lambda: bool(b.records.own), within=10)
            b.stop()
            start = b.now()
            await b.run
            assert b.now() - start <= 10.0
        assert b.records.kinds() == [OutcomeKind.UNKNOWN]
        assert b.replicas() == 3


@virtual(limit=600)
async def test_an_engine_that_hangs_for_a_minute_gets_one_write_and_no_second() -> None:
    """Frozen right after it applied the write: nothing is doubled, and afterwards all is right."""
    async with bench(scale_rule(min=3, max=6)) as b:

        class FreezesAfterTheWrite(EngineFaults):
            async def on_the_way_back(self, method: str, key: str) -> None:
                if method == "update_service" and len(b.records.own) == 1:
                    b.engine.freeze()
                await super().on_the_way_back(method, key)

        b.engine.faults = FreezesAfterTheWrite()
        service_id = await b.service(**OUT_OF_BOUNDS)
        await b.until(lambda: b.replicas() == 3, within=10)
        frozen_at = b.now()
        await asyncio.sleep(60)
        assert b.engine.most_at_once < 20
        assert Reason.OUT_OF_SYNC in b.reasons(frozen_at)
        b.engine.thaw()
        await asyncio.sleep(60)
        assert len(b.records.own) == 1
        history = b.core.controller.book.history(service_id, "r1")
        assert [event.change for event in history.events] == [2]
        b.swarm.scale("web", 9)
        await b.until(lambda: b.replicas() == 6, within=10)


@virtual(limit=600)
async def test_lost_events_are_repaired_by_the_list() -> None:
    """Not one event comes: a person's change is seen and answered within one re-list."""
    async with bench(scale_rule(min=3, max=6)) as b:
        await b.service(replicas=4, cpu_limit=0.5)
        await asyncio.sleep(20)
        b.engine.bus.faults.silent = True
        b.swarm.scale("web", 9)
        took = await b.until(lambda: b.replicas() == 6, within=33)
        assert took > 2.0


@virtual(limit=600)
async def test_jumps_of_the_wall_clock_do_nothing() -> None:
    """An hour forward and two back: no write, no window cut short, no evaluation missed."""
    async with bench(scale_rule(max=8)) as b:
        await b.service(replicas=4, cpu_limit=0.5)
        b.swarm.set_load("web", 1.0)
        await asyncio.sleep(60)
        b.swarm.set_load("web", 0.25)
        start = b.now()
        for jump in (3600.0, -7200.0, 86400.0):
            await asyncio.sleep(60)
            b.swarm.clock.jump_wall(jump)
        await asyncio.sleep(100)
        assert b.records.own == []
        assert len(b.decisions(start)) >= 270
