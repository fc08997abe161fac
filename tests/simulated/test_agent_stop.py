"""An agent that is told to end ends, whatever its engine does at that very moment."""

import asyncio

import pytest

from monitor.ports.errors import Unreachable
from monitor.simulate.faults import EngineFaults
from tests.simulated.bench import bench
from tests.simulated.mirrored import mirrored
from tests.simulated.virtual import small_swarm, virtual
from tests.unit.build import scale_rule


@pytest.mark.parametrize("method", ["nodes", "services", "tasks", "service"])
def test_a_cancellation_is_not_lost_in_a_failing_read(method: str) -> None:
    """The read fails in the very moment in which the mirror is cancelled: it ends all the same."""

    @virtual(limit=300)
    async def run() -> None:
        swarm = small_swarm()
        service_id = swarm.create_service("web", replicas=2)
        await swarm.converged("web")
        async with mirrored(swarm) as watched:
            await asyncio.sleep(5)
            (mirror,) = (task for task in asyncio.all_tasks() if task.get_name() == "mirror")

            class FailsWhenCancelled(EngineFaults):
                async def on_the_way(self, called: str) -> None:
                    if called == method and not mirror.cancelling():
                        mirror.cancel()
                        raise Unreachable("gone")
                    await super().on_the_way(called)

            watched.engine.faults = FailsWhenCancelled()
            watched.mirror.expect([service_id])
            if method in ("nodes", "services"):
                watched.mirror.resync("a test")
            done, _ = await asyncio.wait([mirror], timeout=40.0)
            ended = bool(done) and mirror.cancelled()
            watched.engine.faults = EngineFaults()
            assert ended
            raise _Ended

    with pytest.raises(_Ended):
        run()


class _Ended(Exception):
    """The mirror did end, which `mirrored` would call a fault."""


@pytest.mark.parametrize("after", [0.0, 0.001, 0.002, 0.003, 0.5, 3.0])
@pytest.mark.parametrize("state", ["well", "away", "frozen", "slow"])
def test_it_stops_within_ten_seconds(state: str, after: float) -> None:
    """Whatever state its engine is in, and whatever it was doing."""

    @virtual(limit=300)
    async def run() -> None:
        async with bench(scale_rule(min=3)) as b:
            await b.service(replicas=1, cpu_limit=0.5)
            match state:
                case "away":
                    b.engine.cut_off()
                case "frozen":
                    b.engine.freeze()
                case "slow":
                    b.engine.faults.slow = 4.0
            await asyncio.sleep(after)
            start = b.now()
            b.stop()
            await b.run
            assert b.now() - start <= 10.0
            b.engine.thaw()

    run()
