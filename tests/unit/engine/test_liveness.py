"""Whether the engine answers, as the prober tells it."""

import asyncio

from structlog.testing import capture_logs

from monitor.engine.client import DockerEngine
from monitor.engine.deadlines import Deadlines
from monitor.engine.liveness import Liveness
from tests.unit.engine.wire import LoopClock, answer, hang, until, wire_engine

OK = answer(b"OK")


async def test_silence_and_recovery_are_told_once_each() -> None:
    """Down after one missed deadline, up with the next answer, and recovery tells since when."""
    changes: list[bool] = []
    recoveries: list[float] = []
    with capture_logs() as lines:
        async with wire_engine() as wire:
            wire.answers["/_ping"] = [OK, OK, hang, hang, OK]
            async with DockerEngine(wire.url, deadlines=Deadlines(ping=0.05)) as engine:
                liveness = Liveness(
                    engine, LoopClock(), changes.append, on_recovery=recoveries.append, interval=0.0
                )
                assert not liveness.up
                assert liveness.why
                task = asyncio.create_task(liveness.run())
                await until(lambda: recoveries != [], "the recovery")
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert changes == [True, False, True]
                assert liveness.up
                assert liveness.why == ""
                assert recoveries[0] < liveness.since
    assert [line["event"] for line in lines] == [
        "the engine does not answer",
        "the engine answers again",
    ]


async def test_an_engine_that_never_answered_is_no_recovery() -> None:
    """The first answer of all is a change, not a recovery; a first silence has its reason."""
    changes: list[bool] = []
    async with DockerEngine("unix:///nowhere/docker.sock") as engine:
        liveness = Liveness(engine, LoopClock(), changes.append, interval=0.0)
        task = asyncio.create_task(liveness.run())
        await until(lambda: changes == [False], "the silence")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert "no Docker socket at /nowhere/docker.sock" in liveness.why


async def test_a_hint_makes_it_ask_at_once() -> None:
    """Whoever sees a sign of the engine's end does not have to wait for the next round."""
    changes: list[bool] = []
    async with wire_engine() as wire:
        wire.answers["/_ping"] = [OK, hang]
        async with DockerEngine(wire.url, deadlines=Deadlines(ping=0.05)) as engine:
            liveness = Liveness(engine, LoopClock(), changes.append, interval=3600.0)
            task = asyncio.create_task(liveness.run())
            await until(lambda: changes == [True], "the first answer")
            liveness.ask_now()
            await until(lambda: changes == [True, False], "the silence")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
