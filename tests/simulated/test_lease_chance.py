"""The lease on random days of trouble: there are never two holders."""

import asyncio
import random

import pytest

from monitor.ports.errors import Conflict, NotAManager
from tests.simulated.leased import Agent, Fleet, fleet, write
from tests.simulated.virtual import virtual


async def _trouble(one: Agent, chance: random.Random) -> None:
    """Something happens to one agent, for a while or for good."""
    seconds = chance.choice([0.5, 2, 4, 7, 9, 12, 20])
    match chance.randrange(10):
        case 0:
            one.engine.freeze()
            await asyncio.sleep(seconds)
            one.engine.thaw()
        case 1:
            one.engine.cut_off()
            await asyncio.sleep(seconds)
            one.engine.restore()
        case 2:
            one.engine.faults.slow = chance.choice([0.3, 1.5, 3.0, 4.9, 6.0])
            await asyncio.sleep(seconds)
            one.engine.faults.slow = 0.0
        case 3:
            one.engine.faults.lose_replies += chance.randrange(1, 4)
        case 4:
            one.way.late = chance.choice([0.5, 3.0, 4.9, 6.0, 8.5, 11.0, 15.0])
            await asyncio.sleep(seconds)
            one.way.late = 0.0
        case 5:
            one.engine.faults.fail_next("*", NotAManager("no leader"), chance.randrange(1, 8))
            one.engine.faults.fail_next("update_config", Conflict("update out of sequence"))
        case 8:
            delay = chance.choice([1.0, 2.5, 4.9])
            one.engine.faults.answer_delay = lambda method, _: delay * (method != "config")
            await asyncio.sleep(seconds)
            one.engine.cut_off()
            await asyncio.sleep(9)
            one.engine.faults.answer_delay = None
            one.engine.restore()
        case 6:
            one.events = not one.events
        case 7:
            one.barred = "" if one.barred else "It may not now."
            await asyncio.sleep(seconds)
            one.barred = ""
        case _:
            await asyncio.sleep(seconds)


async def _days_work(three: Fleet, chance: random.Random) -> None:
    """Troubles of single agents, of the Swarm, and what people do to the config."""
    for _ in range(chance.randrange(4, 12)):
        await asyncio.sleep(chance.random() * 8)
        one = chance.choice(three.agents)
        match chance.randrange(12):
            case 0:
                three.swarm.has_leader = False
                await asyncio.sleep(chance.random() * 25)
                three.swarm.has_leader = True
            case 1:
                await one.die()
                await asyncio.sleep(chance.random() * 20)
                one.start()
            case 2:
                await one.stop()
                one.start()
            case 3:
                asyncio.get_running_loop()._now += chance.random() * 30  # type: ignore[attr-defined]
                three.look()
            case 4 if three.swarm.store.configs:
                key = chance.choice(["term", "beat", "released", "node_id"])
                write(three, **{key: chance.choice(["", "x", "7"])})
            case _:
                one.troubles.append(asyncio.create_task(_trouble(one, chance)))
    await asyncio.sleep(20)


@pytest.mark.parametrize("block", range(10))
def test_never_two_whatever_happens(block: int) -> None:
    """300 random days: never two who may act, no term of two; and in calm, one who does."""

    @virtual()
    async def day(seed: int) -> None:
        async with fleet(seed=seed) as three:
            chance = random.Random(seed)
            await _days_work(three, chance)
            for agent in three.agents:
                agent.engine.faults.lose_replies = 0
                agent.engine.faults.answer_delay = None
                agent.engine.faults._once.clear()
                agent.engine.thaw()
                agent.engine.faults.unreachable = False
                agent.barred = ""
            await asyncio.sleep(30)
            assert len(three.acting()) == 1, f"seed {seed}"

    for seed in range(block * 30, block * 30 + 30):
        day(seed)
