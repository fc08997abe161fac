"""The replayed service: a fluid queue on replicas that start and stop."""

import pytest

from monitor.replay.ledger import Ledger
from monitor.replay.terms import Terms
from monitor.replay.world import START, World
from tests.unit.replay.scene import minutes


def world_of(*values: float, step: float = 10.0, **terms) -> tuple[World, Ledger, list]:
    ledger, levels = Ledger(1.0), []
    made = Terms(per_replica=1.0, good_until=1.0, **terms)
    world = World(
        minutes(*values, step=step),
        made,
        ledger,
        "web",
        lambda at, level: levels.append((at, level)),
    )
    return world, ledger, levels


def test_what_exceeds_capacity_waits_and_is_served_afterwards() -> None:
    """Load 3 on 2 replicas for 10 s leaves 10 replica seconds of work; load 1 lets them drain in
    10 more seconds, in which the replicas are as busy as can be."""
    world, ledger, levels = world_of(3, 1, 1, initial=2)
    world.advance(START + 10)
    assert world.backlog == pytest.approx(10)
    world.advance(START + 15)
    assert world.backlog == pytest.approx(5)
    world.advance(world.end)
    assert world.backlog == 0
    assert levels == [(START, 1.0), (pytest.approx(START + 20), 0.5)]
    score = ledger.score()
    assert score.longest_wait == pytest.approx(5)
    assert score.refused == 0


def test_a_full_queue_refuses_the_rest() -> None:
    """With 2 s of work that may wait, 4 of the 10 replica seconds too much wait, 6 are refused."""
    world, ledger, _ = world_of(3, 0, initial=2, queue=2.0)
    world.advance(world.end)
    score = ledger.score()
    assert score.refused == pytest.approx(100 * 6 / 30)
    assert score.longest_wait == pytest.approx(2)


def test_a_new_task_runs_after_its_start_up_time_and_goes_at_once() -> None:
    """Replicas count from the write on for the hours, and from their start on for the load."""
    world, _, levels = world_of(2, 2, 2, initial=2, start_time=4.0)
    world.scale(4)
    assert (world.wanted, world.running) == (4, 2)
    assert world.next_change() == START + 4
    assert len([task for task in world.view().tasks if task.state.label == "starting"]) == 2
    world.advance(START + 5)
    assert (world.running, world.level) == (4, 0.5)
    world.scale(1)
    assert (world.running, world.level) == (1, 1.0)
    assert [level for _, level in levels] == [1.0, 0.5, 1.0]


def test_tasks_that_do_not_run_yet_go_first() -> None:
    """A scale-down right after a scale-up takes no task that serves already."""
    world, _, _ = world_of(2, initial=2)
    world.scale(5)
    world.scale(2)
    assert [task.id for task in world.view().tasks] == ["1", "2"]
    assert world.running == 2
