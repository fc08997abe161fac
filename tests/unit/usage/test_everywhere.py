"""Local and reported usage as one source, and what a node reports of itself."""

import asyncio
from pathlib import Path

import pytest

from monitor.model.now import Now
from monitor.model.usage import MetricKind, Network, Reading, Sample
from monitor.usage.everywhere import EverywhereUsage
from monitor.usage.remote import RemoteUsage
from monitor.usage.report import report
from tests.unit.usage import trees
from tests.unit.usage.fakes import ScriptedEngine
from tests.unit.usage.far_node import StoppedClock, play, usage_of
from tests.unit.usage.scene import PATH, Scene
from tests.unit.usage.scene import play as play_scene
from tests.unit.usage.trees import A, B, container

AHEAD = 123456.0  # by which the receiver's clock is ahead of the sender's


class Asked:
    """A `UsageSource` that has samples of `known` and notes what it was asked for."""

    def __init__(self, value: float, *known: str) -> None:
        self.value = value
        self.known = known
        self.asked: list[list[str]] = []

    def samples(self, task_ids, kind, window, rising_window, now):
        wanted = list(task_ids)
        self.asked.append(wanted)
        return {id_: Sample(self.value, 0.0) for id_ in wanted if id_ in self.known}


def test_the_local_sampler_is_asked_first() -> None:
    """The reports are asked only for what has no local sample; unknown tasks have none."""
    local, remote = Asked(1.0, "a", "b"), Asked(2.0, "b", "c")
    usage = EverywhereUsage(local, remote)
    got = usage.samples(iter(["a", "b", "c", "d"]), MetricKind.CPU, 15.0, 5.0, 0.0)
    assert {id_: sample.value for id_, sample in got.items()} == {"a": 1.0, "b": 1.0, "c": 2.0}
    assert remote.asked == [["c", "d"]]
    assert usage.samples(["a"], MetricKind.CPU, 15.0, 5.0, 0.0) == {"a": Sample(1.0, 0.0)}
    assert len(remote.asked) == 1


def test_reported_tasks_come_from_the_reports() -> None:
    """The real source of reports behind it answers for its tasks."""
    remote = usage_of()
    end = play(remote, 0, 10)
    got = EverywhereUsage(Asked(1.0), remote).samples(["task1"], MetricKind.CPU, 15, 5, end)
    assert got["task1"].value == pytest.approx(0.5)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    trees.v2_container(trees.v2_root(tmp_path / "cgroup"), PATH)
    return tmp_path


def _now() -> float:
    return asyncio.get_running_loop().time()


def test_a_report_gives_the_samples_that_the_sampler_itself_gives(tree: Path) -> None:
    """CPU, memory: the same values, windows and ages on a clock that is far ahead."""

    async def story(scene: Scene) -> None:
        remote = RemoteUsage(StoppedClock(), node_of_task={"task1": "far"}.get)
        for second in range(20):
            await scene.load(0.2 if second < 12 else 0.9, 1, memory=second << 20)
            sent = report(scene.sampler, Now(_now(), 0.0))
            assert remote.take("far", sent, _now() + AHEAD) == 0
        for kind in (MetricKind.CPU, MetricKind.MEMORY):
            mine = scene.sample(kind)
            theirs = remote.samples(["task1"], kind, 15.0, 5.0, _now() + AHEAD)["task1"]
            assert mine is not None
            assert theirs.value == pytest.approx(mine.value, rel=0.01)
            assert theirs.rising == pytest.approx(mine.rising, rel=0.01)
            assert theirs.age == pytest.approx(mine.age, abs=1e-6)

    play_scene(tree, ScriptedEngine(container()), story)


def test_a_report_tells_running_tasks_that_have_a_reading(tree: Path) -> None:
    """No task before its first reading, none after its end."""

    async def story(scene: Scene) -> None:
        sent = report(scene.sampler, Now(_now(), 77.0))
        assert (sent.sent_at, sent.wall) == (_now(), 77.0)
        (item,) = sent.readings
        assert (item.task_id, item.pause) == ("task1", 0.0)
        assert item.reading.memory_usage == 52428800
        assert item.network_at is None
        scene.sampler._tracks.count_oom("task1")
        scene.sampler._tracks.end(A)
        assert "task1" in scene.sampler.tasks()
        assert report(scene.sampler, Now(_now(), 77.0)).readings == ()

    other = container(id=B, task_id="task2", pid=0)
    play_scene(tree, ScriptedEngine(container(), other), story)


def test_network_that_is_read_seldom_is_reported_with_its_own_time(tree: Path) -> None:
    """Rates and ages of the reports are the sampler's own, at every second between readings."""
    trees.process(tree / "proc", 4242, f"0::/{PATH}\n", "eth0: 0 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n")

    async def story(scene: Scene) -> None:
        remote = RemoteUsage(StoppedClock(), node_of_task={"task1": "far"}.get)
        for second in range(1, 41):
            (tree / "proc/4242/net/dev").write_text(
                f"eth0: {second * 1000} 1 0 0 0 0 0 0 {second * 10} 1 0 0 0 0 0 0\n"
            )
            await asyncio.sleep(1)
            remote.take("far", report(scene.sampler, Now(_now(), 0.0)), _now() + AHEAD)
            if second < 20:
                continue
            for kind in (MetricKind.NETWORK_RECEIVE, MetricKind.NETWORK_TRANSMIT):
                mine = scene.sample(kind)
                theirs = remote.samples(["task1"], kind, 15.0, 5.0, _now() + AHEAD)["task1"]
                assert mine is not None
                assert theirs.value == pytest.approx(mine.value, rel=0.01)
                assert theirs.rising == pytest.approx(mine.rising, rel=0.01)
                assert theirs.span == pytest.approx(mine.span)
                assert theirs.age == pytest.approx(mine.age, abs=1e-6)

    play_scene(tree, ScriptedEngine(container(pid=4242)), story)


def test_readings_of_the_stats_api_are_the_present_until_the_next(tmp_path: Path) -> None:
    """Where there are no files a report tells the pause, so that nothing is stale in between."""
    trees.v2_root(tmp_path / "cgroup")
    engine = ScriptedEngine(container())

    async def story(scene: Scene) -> None:
        begin = _now()

        def counters(_: str) -> Reading:
            used = 0.25 * (_now() - begin)
            network = Network(int(4000 * (_now() - begin)))
            return Reading(used, 2 << 20, 1 << 20, network=network)

        engine.readings = counters
        remote = RemoteUsage(StoppedClock(), node_of_task={"task1": "far"}.get)
        for second in range(60):
            await asyncio.sleep(1)
            remote.take("far", report(scene.sampler, Now(_now(), 0.0)), _now() + AHEAD)
            if second < 30:
                continue
            for kind, true in ((MetricKind.CPU, 0.25), (MetricKind.NETWORK_RECEIVE, 4000)):
                theirs = remote.samples(["task1"], kind, 15.0, 5.0, _now() + AHEAD)["task1"]
                assert theirs.value == pytest.approx(true, rel=0.01)
                assert theirs.age <= 1.0

    play_scene(tmp_path, engine, story)
