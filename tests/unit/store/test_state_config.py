"""On the simulated Swarm's configs, which compare and swap as the managers do."""

import asyncio

import pytest

from monitor.ports.errors import Conflict, Forbidden, NotAManager, Unreachable
from monitor.simulate.loop import run_virtual
from monitor.simulate.swarm import Swarm
from monitor.store.packing import PREFIX, StateTooLarge, StateUnreadable
from monitor.store.state_config import NAME, StateConfig
from tests.simulated.virtual import small_swarm, virtual


def parts(node: str = "m1") -> tuple[Swarm, StateConfig]:
    swarm = small_swarm(workers=1)
    return swarm, store(swarm, node)


def store(swarm: Swarm, node: str = "m1") -> StateConfig:
    return StateConfig(engine(swarm, node))


def engine(swarm: Swarm, node: str = "m1"):
    return swarm.engine(next(one.id for one in swarm.store.nodes.values() if one.name == node))


def version(swarm: Swarm) -> int:
    return swarm.config(NAME).version


@virtual()
async def test_what_one_wrote_another_reads() -> None:
    """Nothing at first; then each newest state, from any manager."""
    swarm, mine = parts()
    assert await mine.read() is None
    for state in ({"a": 1}, {"a": 2, "b": ["ü"]}, {}):
        await mine.write(state)
        assert await store(swarm).read() == state
    swarm.close()


@virtual()
async def test_only_the_one_who_knows_the_newest_state_writes() -> None:
    """Whoever read before somebody else wrote gets Conflict, changes nothing, and reads again."""
    swarm, mine = parts()
    theirs = store(swarm)
    await mine.read()
    await theirs.read()
    await mine.write({"by": "me"})
    with pytest.raises(Conflict):
        await theirs.write({"by": "them"})
    with pytest.raises(Conflict, match="read first"):
        await theirs.write({"by": "them"})
    assert await theirs.read() == {"by": "me"}
    await theirs.write({"by": "them"})
    with pytest.raises(Conflict, match="somebody else"):
        await mine.write({"by": "me again"})
    assert await store(swarm).read() == {"by": "them"}
    swarm.close()


@virtual()
async def test_two_at_the_same_time_are_one_winner() -> None:
    """Both know the newest state and write side by side: exactly one of them succeeds."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"round": -1})
    theirs = store(swarm)
    for round_ in range(20):
        await mine.read()
        await theirs.read()
        outcomes = await asyncio.gather(
            mine.write({"round": round_, "by": 0}),
            theirs.write({"round": round_, "by": 1}),
            return_exceptions=True,
        )
        assert sorted(type(outcome) for outcome in outcomes if outcome) == [Conflict]
        winner = outcomes.index(None)
        assert await store(swarm).read() == {"round": round_, "by": winner}
    swarm.close()


@virtual()
async def test_an_equal_state_is_not_written_again() -> None:
    """The managers' log does not grow by what says nothing new."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"a": 1, "b": 2})
    before = version(swarm)
    await mine.write({"b": 2, "a": 1})
    assert version(swarm) == before
    swarm.close()


@pytest.mark.parametrize("first", [True, False], ids=["created", "updated"])
def test_after_a_lost_answer_the_next_read_tells(first: bool) -> None:
    """It was written: nothing more can be written blindly, and the read shows what is there."""

    async def run() -> None:
        swarm, mine = parts()
        await mine.read()
        if not first:
            await mine.write({"n": 0})
        engine(swarm).faults.lose_replies = 1
        with pytest.raises(Unreachable):
            await mine.write({"n": 1})
        with pytest.raises(Conflict):
            await mine.write({"n": 2})
        assert await mine.read() == {"n": 1}
        await mine.write({"n": 2})
        assert await store(swarm).read() == {"n": 2}
        swarm.close()

    run_virtual(run(), limit=60)


@virtual()
async def test_a_cancelled_write_leaves_it_open_as_well() -> None:
    """A deadline that ends a write in the middle: only a read tells whether it was written."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"n": 0})
    engine(swarm).faults.latency = 1.0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3.5):
            await mine.write({"n": 1})
    with pytest.raises(Conflict, match="read first"):
        await mine.write({"n": 2})
    assert await mine.read() == {"n": 1}
    swarm.close()


@virtual()
async def test_labels_that_are_not_ours_stay() -> None:
    """Whoever marks the config for other programs finds the mark again."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"n": 0})
    config = swarm.config(NAME)
    swarm.label_config(config.id, config.version, {**config.labels, "team": "ops"})
    await mine.read()
    await mine.write({"n": 1})
    assert swarm.config(NAME).labels["team"] == "ops"
    assert await store(swarm).read() == {"n": 1}
    swarm.close()


@virtual()
async def test_an_unreadable_state_is_replaced_knowingly_and_kept_aside() -> None:
    """Reading it is a fault; a write after that replaces it and keeps its labels elsewhere."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"n": 0})
    config = swarm.config(NAME)
    swarm.label_config(config.id, config.version, {f"{PREFIX}format": "1", "x": "y"})
    with pytest.raises(StateUnreadable, match=NAME):
        await mine.read()
    await mine.write({"n": 1})
    assert await store(swarm).read() == {"n": 1}
    assert swarm.config(f"{NAME}-unreadable").labels[f"{PREFIX}format"] == "1"
    swarm.close()


@virtual()
async def test_a_removed_config_is_a_conflict_and_then_made_anew() -> None:
    """A person removed it: the writer is told, reads that there is none, and creates one."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"n": 0})
    swarm.remove_config(NAME)
    with pytest.raises(Conflict, match="removed"):
        await mine.write({"n": 1})
    assert await mine.read() is None
    await mine.write({"n": 1})
    assert await store(swarm).read() == {"n": 1}
    swarm.close()


@virtual()
async def test_faults_of_the_engine_come_through_and_change_nothing() -> None:
    """Too large, forbidden, not a manager: each is told, and the state stays as it was."""
    swarm, mine = parts()
    await mine.read()
    await mine.write({"n": 0})
    with pytest.raises(StateTooLarge):
        await mine.write({"n": [str(number**9) for number in range(200_000)]})
    engine(swarm).faults.fail_next("update_config", Forbidden("no POST here"))
    with pytest.raises(Forbidden):
        await mine.write({"n": 1})
    assert await mine.read() == {"n": 0}
    with pytest.raises(NotAManager):
        await store(swarm, "w1").read()
    swarm.close()
