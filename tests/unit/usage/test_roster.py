"""Which containers are followed, whatever order news comes in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from monitor.model.container import Health
from monitor.ports.engine import Engine
from monitor.ports.errors import Unreachable
from monitor.simulate.clock import VirtualClock
from monitor.simulate.loop import run_virtual
from monitor.usage.roster import Roster
from monitor.usage.tracks import Tracks
from tests.unit.usage.fakes import ScriptedEngine, event
from tests.unit.usage.trees import A, B, container


class Scene:
    """A roster that follows an engine, on virtual time."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self.engine = engine
        clock = VirtualClock()
        self.tracks = Tracks(clock, 1.0, 60.0, 300.0)
        self.roster = Roster(cast("Engine", engine), clock, self.tracks, lambda: None, 30.0)

    @property
    def followed(self) -> set[str]:
        return {track.container.id for track in self.tracks}

    def health(self, container_id: str) -> Health:
        return next(t.container.health for t in self.tracks if t.container.id == container_id)


def play(engine: ScriptedEngine, story: Callable[[Scene], Awaitable[Any]]) -> Scene:
    async def main() -> Scene:
        scene = Scene(engine)
        run = asyncio.create_task(scene.roster.run())
        await story(scene)
        run.cancel()
        return scene

    return run_virtual(main(), limit=600)


def test_the_list_comes_first() -> None:
    """What runs at the start is followed, without any event."""
    one = container(A)
    scene = play(ScriptedEngine(one), lambda _: asyncio.sleep(0.1))
    assert scene.followed == {A}
    assert scene.roster.repaired == 0


def test_a_start_is_inspected() -> None:
    """A hint names the container; the inspection says what it is."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.present[B] = container(B, "task2")
        scene.roster.hint(event("start", scene.engine.present[B]))
        await asyncio.sleep(0.1)

    scene = play(ScriptedEngine(container(A)), story)
    assert scene.followed == {A, B}
    assert scene.engine.calls == ["containers", "container"]


def test_a_death_ends_it_at_once() -> None:
    """No question is asked when a container dies."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.roster.hint(event("die", container(A)))
        assert scene.followed == set()

    play(ScriptedEngine(container(A)), story)


def test_what_belongs_to_no_task_is_ignored() -> None:
    """Events of other containers, and of other kinds of objects, start nothing."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.roster.hint(event("start", container(B, task_id="")))
        scene.roster.hint(event("start", container(B, "task2"), type_="network"))
        scene.roster.hint(event("exec_start: sh -c true", container(A)))
        await asyncio.sleep(1)

    scene = play(ScriptedEngine(container(A)), story)
    assert scene.engine.calls == ["containers"]


def test_health_comes_with_the_event() -> None:
    """`health_status: unhealthy` is taken as it is, without an inspection."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.roster.hint(event("health_status: unhealthy", container(A)))
        await asyncio.sleep(0.1)

    scene = play(ScriptedEngine(container(A)), story)
    assert scene.health(A) is Health.UNHEALTHY
    assert scene.engine.calls == ["containers"]


def test_a_death_while_it_is_inspected_counts_more_than_the_answer() -> None:
    """The answer says `running`, but it is older than the event."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.delay = 1.0
        scene.engine.present[B] = container(B, "task2")
        scene.roster.hint(event("start", container(B, "task2")))
        await asyncio.sleep(0.5)
        del scene.engine.present[B]
        scene.roster.hint(event("die", container(B, "task2")))
        await asyncio.sleep(5)

    assert play(ScriptedEngine(container(A)), story).followed == {A}


def test_news_while_the_list_is_on_its_way_count_more_than_the_list() -> None:
    """One that died meanwhile does not come back, one that started meanwhile does not go."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.delay = 1.0
        scene.roster.resync()
        await asyncio.sleep(0.5)
        del scene.engine.present[A]
        scene.engine.present[B] = container(B, "task2")
        scene.roster.hint(event("die", container(A)))
        scene.roster.hint(event("start", container(B, "task2")))
        await asyncio.sleep(0.6)
        assert scene.followed == set()
        await asyncio.sleep(1)
        assert scene.followed == {B}

    play(ScriptedEngine(container(A)), story)


def test_health_told_while_the_list_is_on_its_way_stays() -> None:
    """The list's older health does not overwrite the event's."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.delay = 1.0
        scene.roster.resync()
        await asyncio.sleep(0.5)
        scene.roster.hint(event("health_status: healthy", container(A)))
        await asyncio.sleep(1)
        assert scene.health(A) is Health.HEALTHY

    play(ScriptedEngine(container(A, health=Health.STARTING)), story)


def test_lost_events_are_repaired_by_the_periodic_list() -> None:
    """Within 30 s a lost start, a lost death and a lost health are right again, and counted."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.present = {B: container(B, "task2")}
        await asyncio.sleep(30)
        assert scene.followed == {B}
        assert scene.roster.repaired == 2
        scene.engine.present[B] = replace(scene.engine.present[B], health=Health.UNHEALTHY)
        await asyncio.sleep(30)
        assert scene.roster.repaired == 3
        assert scene.health(B) is Health.UNHEALTHY

    play(ScriptedEngine(container(A)), story)


def test_a_resync_is_no_drift() -> None:
    """After a break of the event stream differences are expected."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.present = {B: container(B, "task2")}
        scene.roster.resync()
        await asyncio.sleep(1)
        assert scene.followed == {B}
        assert scene.roster.repaired == 0

    play(ScriptedEngine(container(A)), story)


def test_a_resync_during_a_list_lists_again() -> None:
    """The list on its way may be older than what was lost."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.delay = 1.0
        scene.roster.resync()
        await asyncio.sleep(0.5)
        scene.roster.resync()
        await asyncio.sleep(3)
        assert scene.engine.calls == ["containers"] * 3

    play(ScriptedEngine(container(A)), story)


def test_an_engine_that_is_away_is_asked_ever_more_rarely() -> None:
    """What is followed stays; the questions back off to one in 30 s; then all is right again."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.fault = Unreachable("the engine is away")
        scene.engine.calls.clear()
        scene.roster.resync()
        await asyncio.sleep(300)
        assert 8 <= len(scene.engine.calls) <= 25
        assert scene.followed == {A}
        assert (scene.roster.success, scene.roster.problem) == (False, "the engine is away")
        scene.engine.fault = None
        scene.engine.present[B] = container(B, "task2")
        scene.roster.resync()
        await asyncio.sleep(0.1)
        assert scene.followed == {A, B}
        assert (scene.roster.success, scene.roster.problem) == (True, "")

    play(ScriptedEngine(container(A)), story)


def test_a_failed_inspection_is_made_up_for_by_a_list() -> None:
    """A started container is not forgotten because one answer was lost."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.present[B] = container(B, "task2")
        scene.engine.fault = Unreachable("cut off")
        scene.roster.hint(event("start", container(B, "task2")))
        await asyncio.sleep(0.01)
        scene.engine.fault = None
        await asyncio.sleep(1)
        assert scene.followed == {A, B}
        assert scene.roster.repaired == 0

    play(ScriptedEngine(container(A)), story)


def test_a_container_started_anew_unnoticed_begins_anew() -> None:
    """Another start time under the same id is another run: its history goes."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        first = next(iter(scene.tracks))
        scene.engine.present[A] = replace(scene.engine.present[A], started_at=50.0)
        scene.roster.resync()
        await asyncio.sleep(1)
        assert next(iter(scene.tracks)) is not first

    play(ScriptedEngine(container(A)), story)
