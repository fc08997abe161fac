"""Three leases over three real engines: one holder, a hand-over, a killed leading manager."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from monitor.agent.clock import SystemClock
from monitor.engine.client import DockerEngine
from monitor.fleet.lease import Lease
from monitor.fleet.lease_labels import CONFIG
from monitor.ports.errors import EngineError
from tests.real.lab import Node, Swarm

pytestmark = pytest.mark.slow


@asynccontextmanager
async def leased(node: Node, clock: SystemClock) -> AsyncIterator[Lease]:
    """A lease at work on that node's engine, fed by its events."""
    async with DockerEngine(node.url) as engine:
        lease = Lease(
            engine,
            clock,
            boot_id=f"boot-{node.name}",
            node_id=lambda: node.node_id,
            node_name=lambda: node.name,
            may_hold=lambda: "",
        )

        async def follow() -> None:
            while True:
                with suppress(EngineError):
                    async with engine.events(None) as events:
                        async for event in events:
                            lease.hint(event)
                await asyncio.sleep(1)

        tasks = [asyncio.create_task(lease.run()), asyncio.create_task(follow())]
        try:
            yield lease
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def seconds_until(clock: SystemClock, leases: dict[str, Lease], within: float) -> float:
    """Until one of these acts; fails where two do."""
    began = clock.now().mono
    async with asyncio.timeout(within):
        while True:
            acting = [name for name, lease in leases.items() if lease.term() is not None]
            assert len(acting) <= 1
            if acting:
                return clock.now().mono - began
            await asyncio.sleep(0.01)


async def test_one_holds_it_and_another_takes_over(three_managers: Swarm) -> None:
    """After a release within 2 s; after the leading manager's end once the Swarm answers again."""
    clock = SystemClock()
    leader = await asyncio.to_thread(three_managers.leader)
    others = [node for node in three_managers.managers if node is not leader]
    async with leased(others[0], clock) as first:
        print(f"first holder after {await seconds_until(clock, {'a': first}, 15):.2f} s")
        async with leased(leader, clock) as second, leased(others[1], clock) as third:
            await asyncio.sleep(4)  # all have read it, one renewal passed
            assert first.term() is not None
            holder = (others[0].node_id, others[0].name)
            assert [one.holder for one in (first, second, third)] == [holder] * 3
            async with DockerEngine(others[1].url) as engine:
                config = await engine.config(CONFIG)
            assert config.labels["swarm-monitor.lease.node_name"] == others[0].name

            # The next holder shall be the one on the leading manager.
            term, barred = first.term(), third._may_hold
            third._may_hold = lambda: "This one shall not."
            await asyncio.sleep(1.1)
            releasing = asyncio.create_task(first.release())
            await asyncio.sleep(0)
            assert first.term() is None
            handed_over = await seconds_until(clock, {"b": second, "c": third}, 10)
            await releasing
            third._may_hold = barred
            assert second.term() == (term or 0) + 1
            print(f"released and taken: {handed_over:.3f} s")
            assert handed_over < 2

            await asyncio.sleep(1)
            term = second.term()
            killing = asyncio.create_task(asyncio.to_thread(leader.kill))
            began = clock.now().mono
            while second.term() is not None:
                assert third.term() is None
                await asyncio.sleep(0.01)
            let_go = clock.now().mono - began
            await killing
            taken = let_go + await seconds_until(clock, {"b": second, "c": third}, 60)
            print(f"leading manager killed: let go after {let_go:.2f} s, taken after {taken:.2f} s")
            assert third.term() == (term or 0) + 1
