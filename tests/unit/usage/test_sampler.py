"""The sampler as a whole, on file trees and virtual time."""

import asyncio
from pathlib import Path

import pytest

from monitor.model.container import Health
from monitor.model.usage import MetricKind, Network, Reading
from monitor.ports.errors import Unreachable
from tests.unit.usage import trees
from tests.unit.usage.fakes import ScriptedEngine, event
from tests.unit.usage.scene import PATH, Scene, play
from tests.unit.usage.trees import A, B, container

CPU, MEMORY = MetricKind.CPU, MetricKind.MEMORY


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A v2 machine with one container; its processes cannot be seen."""
    trees.v2_container(trees.v2_root(tmp_path / "cgroup"), PATH)
    return tmp_path


def test_a_container_is_read_as_soon_as_it_is_known(tree: Path) -> None:
    """Its first reading does not wait for the next tick."""

    async def story(scene: Scene) -> None:
        usage = scene.sampler.tasks()["task1"]
        assert usage.reading is not None
        assert usage.read_at is not None
        assert usage.read_at.wall - usage.read_at.mono == pytest.approx(1_750_000_000.0)
        assert (scene.sampler.from_files, scene.sampler.from_stats) == (1, 0)

    play(tree, ScriptedEngine(container()), story)


def test_cpu_takes_two_readings_and_memory_one(tree: Path) -> None:
    """Right after the start there is a memory sample; a second later also one of CPU."""

    async def story(scene: Scene) -> None:
        memory = scene.sample(MEMORY)
        assert memory is not None
        assert (memory.value, memory.span) == (50000000, 0.0)
        assert scene.sample(CPU) is None
        await scene.load(0.5, 2)
        cpu = scene.sample(CPU)
        assert cpu is not None
        assert cpu.value == pytest.approx(0.5, abs=0.06)
        assert 0.9 < cpu.span < 2.1

    play(tree, ScriptedEngine(container()), story)


def test_windows_tell_rising_load_from_the_mean(tree: Path) -> None:
    """After five busy seconds the short window is full, the long one by a third."""

    async def story(scene: Scene) -> None:
        await scene.load(0.0, 30)
        await scene.load(0.9, 5, memory=10 << 20)
        cpu, memory = scene.sample(CPU), scene.sample(MEMORY)
        assert cpu is not None
        assert memory is not None
        assert cpu.rising == pytest.approx(0.9, abs=0.15)
        assert cpu.value == pytest.approx(0.3, abs=0.06)
        assert memory.rising is not None
        assert memory.rising > memory.value > 1 << 20
        assert 15.0 <= cpu.span <= 16.5
        assert 0.0 <= cpu.age <= 1.0

    play(tree, ScriptedEngine(container()), story)


def test_a_longer_window_keeps_more_history(tree: Path) -> None:
    """The ring grows to the longest window that any rule asks for."""

    async def story(scene: Scene) -> None:
        scene.sample(CPU, window=300.0)
        await asyncio.sleep(400)
        sample = scene.sample(CPU, window=300.0)
        assert sample is not None
        assert sample.span >= 300.0

    play(tree, ScriptedEngine(container()), story)


def test_an_old_reading_is_missing_not_zero(tree: Path) -> None:
    """Files that cannot be read any more leave no sample after five seconds."""

    async def story(scene: Scene) -> None:
        scene.engine.fault = Unreachable("away")
        await scene.load(0.5, 3)
        (scene.cgroup / PATH / "cpu.stat").write_text("garbage\n")
        await asyncio.sleep(4)
        assert scene.sample(CPU) is not None
        assert scene.sampler.success is False or scene.sampler.from_stats == 1
        await asyncio.sleep(8)
        assert scene.sample(CPU) is None
        assert scene.sample(MEMORY) is None

    play(tree, ScriptedEngine(container()), story)


def test_an_engine_that_is_away_does_not_stop_the_files(tree: Path) -> None:
    """What the kernel counts is true whether or not the Engine answers."""

    async def story(scene: Scene) -> None:
        scene.engine.fault = Unreachable("away")
        await scene.load(0.5, 100)
        cpu = scene.sample(CPU)
        assert cpu is not None
        assert cpu.value == pytest.approx(0.5, abs=0.06)

    play(tree, ScriptedEngine(container()), story)


def test_counters_that_start_anew_start_the_history_anew(tree: Path) -> None:
    """A restart that no event told of shows as a short history, never as negative usage."""

    async def story(scene: Scene) -> None:
        await scene.load(0.5, 20)
        (scene.cgroup / PATH / "cpu.stat").write_text("usage_usec 1000\n")
        await scene.load(0.5, 4)
        cpu = scene.sample(CPU)
        assert cpu is not None
        assert cpu.value == pytest.approx(0.5, abs=0.06)
        assert cpu.span < 5

    play(tree, ScriptedEngine(container()), story)


def test_no_memory_controller_means_no_memory_sample(tree: Path) -> None:
    """Unknown memory is missing; CPU is judged all the same."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(2)
        assert scene.sample(MEMORY) is None
        assert scene.sample(CPU) is not None

    for name in ("memory.current", "memory.stat", "memory.max", "memory.events"):
        (tree / "cgroup" / PATH / name).unlink()
    play(tree, ScriptedEngine(container()), story)


def test_events_reach_the_tasks(tree: Path) -> None:
    """Health and out-of-memory counts show at once, and as changes."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(3)
        seen = scene.sampler.generation
        assert scene.sampler.changed(seen) == {}
        scene.sampler.hint(event("health_status: unhealthy", container()))
        scene.sampler.hint(event("oom", container()))
        usage = scene.sampler.changed(seen)["task1"]
        assert (usage.container.health, usage.oom_events) == (Health.UNHEALTHY, 1)

    play(tree, ScriptedEngine(container()), story)


def test_a_kill_for_memory_that_is_counted_is_told_once(tree: Path) -> None:
    """What the counter held before the agent began is no news, nor is a counter that stands."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(12)
        assert scene.killed == []
        events = scene.cgroup / PATH / "memory.events"
        events.write_text("max 17\noom 4\noom_kill 3\n")
        await asyncio.sleep(12)
        assert scene.killed == ["task1"]
        events.unlink()
        await asyncio.sleep(12)
        events.write_text("max 17\noom 9\noom_kill 9\n")
        await asyncio.sleep(12)
        assert scene.killed == ["task1"]

    play(tree, ScriptedEngine(container()), story)


def test_unchanged_readings_are_no_changes(tree: Path) -> None:
    """An idle container is read each second, but nothing has to be rendered anew."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(2)
        seen, before = scene.sampler.generation, scene.sampler.tasks()["task1"]
        await asyncio.sleep(2)
        after = scene.sampler.tasks()["task1"]
        assert after.read_at != before.read_at
        assert scene.sampler.changed(seen + 1) == {}
        await scene.load(0.5, 1)
        assert set(scene.sampler.changed(seen + 1)) == {"task1"}

    play(tree, ScriptedEngine(container()), story)


def test_an_out_of_memory_count_outlives_its_task_for_a_while(tree: Path) -> None:
    """The event comes right before the end; a scrape afterwards must still see it."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(1)
        scene.engine.present.clear()
        scene.sampler.hint(event("oom", container()))
        scene.sampler.hint(event("die", container()))
        await asyncio.sleep(60)
        usage = scene.sampler.tasks()["task1"]
        assert (usage.oom_events, usage.reading, usage.container.running) == (1, None, False)
        assert scene.sample(MEMORY) is None
        await asyncio.sleep(300)
        assert scene.sampler.tasks() == {}

    play(tree, ScriptedEngine(container()), story)


def test_network_is_read_where_processes_are_seen(tree: Path) -> None:
    """With the host's /proc the daemon is never asked for statistics."""
    trees.process(tree / "proc", 4242, f"0::/{PATH}\n")

    async def story(scene: Scene) -> None:
        await asyncio.sleep(20)
        reading = scene.sampler.tasks()["task1"].reading
        assert reading is not None
        assert reading.network is not None
        assert reading.network.receive_bytes == 123457789
        assert "stats" not in scene.engine.calls

    play(tree, ScriptedEngine(container(pid=4242)), story)


def from_stats(container_id: str) -> Reading:
    """Half a core all the time, and some traffic."""
    seconds = asyncio.get_running_loop().time()
    network = Network(receive_bytes=77)
    return Reading(0.5 * seconds, memory_usage=1000, working_set=900, network=network)


def test_only_the_network_comes_from_the_stats_api_where_processes_are_not_seen(
    tree: Path,
) -> None:
    """Every 15 s, because the daemon pays for each question; all else stays with the files."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(31)
        reading = scene.sampler.tasks()["task1"].reading
        assert reading is not None
        assert reading.network == Network(receive_bytes=77)
        assert reading.memory_usage == 52428800
        assert scene.engine.calls.count("stats") == 3

    engine = ScriptedEngine(container())
    engine.readings = from_stats
    play(tree, engine, story)


def test_without_files_the_stats_api_is_asked_side_by_side(tmp_path: Path) -> None:
    """Thirty containers whose answers take a second each still give samples in time."""
    ids = [f"{number:064x}" for number in range(30)]
    engine = ScriptedEngine(*(container(id_, f"task{id_}") for id_ in ids))
    engine.readings = from_stats
    engine.delay = 1.0

    async def story(scene: Scene) -> None:
        await asyncio.sleep(60)
        now = asyncio.get_running_loop().time()
        samples = scene.sampler.samples([f"task{id_}" for id_ in ids], CPU, 15.0, 5.0, now)
        assert len(samples) == 30
        assert all(s.value == pytest.approx(0.5) and s.span >= 15 for s in samples.values())
        assert scene.sampler.from_stats == 30
        assert 1 < engine.most_at_once <= 17
        assert engine.calls.count("stats") <= 30 * 13

    play(tmp_path, engine, story)


def test_a_hung_engine_makes_stats_stale(tmp_path: Path) -> None:
    """Answers that do not come leave no samples, and the failures are counted."""
    engine = ScriptedEngine(container())
    engine.readings = from_stats

    async def story(scene: Scene) -> None:
        await asyncio.sleep(20)
        assert scene.sample(CPU) is not None
        engine.fault = Unreachable("away")
        await asyncio.sleep(16)
        assert scene.sample(CPU) is None
        assert scene.sampler.stats.failures > 0
        assert scene.sampler.stats.success is False

    play(tmp_path, engine, story)


def test_files_that_come_into_reach_are_taken(tmp_path: Path) -> None:
    """A mount made later ends the questions to the daemon within a minute or so."""
    engine = ScriptedEngine(container())
    engine.readings = from_stats

    async def story(scene: Scene) -> None:
        await asyncio.sleep(20)
        assert scene.sampler.from_stats == 1
        trees.v2_container(trees.v2_root(tmp_path / "cgroup"), PATH)
        trees.process(tmp_path / "proc", 4242, f"0::/{PATH}\n")
        await asyncio.sleep(61)
        assert scene.sampler.from_files == 1

    play(tmp_path, engine, story)


def test_a_container_in_an_odd_place_is_searched_for(tmp_path: Path) -> None:
    """A daemon's own cgroup parent is found within the first tick, without the daemon's help."""
    trees.v2_container(trees.v2_root(tmp_path / "cgroup"), f"lab.m1/{A}")

    async def story(scene: Scene) -> None:
        assert scene.sampler.from_files == 1
        trees.v2_container(scene.cgroup, f"lab.m1/{B}")
        scene.engine.present[B] = container(B, "task2")
        scene.sampler.hint(event("start", container(B, "task2")))
        await asyncio.sleep(0.1)
        assert scene.sampler.from_files == 2

    play(tmp_path, ScriptedEngine(container()), story)


def test_slow_values_of_many_containers_are_spread_over_the_passes(tree: Path) -> None:
    """No pass reads all limits at once; after five passes each was read."""
    ids = [f"{number:064x}" for number in range(20)]
    for id_ in ids:
        trees.v2_container(tree / "cgroup", f"docker/{id_}")

    async def story(scene: Scene) -> None:
        await asyncio.sleep(2)
        for id_ in ids:
            (scene.cgroup / f"docker/{id_}/pids.current").write_text("9\n")
        counts = []
        for _ in range(5):
            await asyncio.sleep(1)
            readings = [usage.reading for usage in scene.sampler.tasks().values()]
            counts.append(sum(r is not None and r.pids == 9 for r in readings))
        assert counts == [4, 8, 12, 16, 20]

    play(tree, ScriptedEngine(*(container(id_, f"task{id_}") for id_ in ids)), story)


def test_ticks_keep_to_the_grid(tree: Path) -> None:
    """One pass a second, no drift."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(100)
        assert 100 <= scene.sampler.passes <= 102
        assert scene.sampler.missed == 0

    play(tree, ScriptedEngine(container()), story)


def test_nothing_stays_open_after_the_end(tree: Path) -> None:
    """A stopped sampler holds no descriptor."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    play(tree, ScriptedEngine(container()), lambda _: asyncio.sleep(3))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_cgroup_without_processes_ends_its_task(tree: Path) -> None:
    """A daemon that is gone leaves the cgroups of dead containers behind."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(2)
        scene.engine.fault = Unreachable("away")
        (scene.cgroup / PATH / "pids.current").write_text("0\n")
        await asyncio.sleep(6)
        assert scene.sampler.tasks() == {}

    play(tree, ScriptedEngine(container()), story)
