"""Network samples: rates of counters that are read more seldom than others."""

import asyncio
from pathlib import Path

import pytest

from monitor.model.usage import MetricKind, Network, Reading
from monitor.ports.errors import Unreachable
from tests.unit.usage import trees
from tests.unit.usage.fakes import ScriptedEngine
from tests.unit.usage.scene import PATH, Scene, play
from tests.unit.usage.trees import container

MEMORY = MetricKind.MEMORY
RECEIVE, TRANSMIT = MetricKind.NETWORK_RECEIVE, MetricKind.NETWORK_TRANSMIT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A v2 machine with one container; its processes cannot be seen."""
    trees.v2_container(trees.v2_root(tmp_path / "cgroup"), PATH)
    return tmp_path


def net_dev(received: int, sent: int) -> str:
    return f"eth0: {received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n"


def test_network_is_a_rate_over_the_window(tree: Path) -> None:
    """Read every 5 s, so a window of 15 s covers about that; a short one follows a rise."""
    trees.process(tree / "proc", 4242, f"0::/{PATH}\n", net_dev(0, 0))

    async def story(scene: Scene) -> None:
        assert scene.sample(RECEIVE) is None  # one reading tells no rate
        file = tree / "proc/4242/net/dev"
        received = 0
        for second in range(1, 41):
            received += 1000 if second <= 30 else 5000
            file.write_text(net_dev(received, second * 10))
            await asyncio.sleep(1)
            if second == 30:
                calm, out = scene.sample(RECEIVE), scene.sample(TRANSMIT)
        rising = scene.sample(RECEIVE)
        assert calm is not None
        assert out is not None
        assert rising is not None
        assert calm.value == pytest.approx(1000, rel=0.1)
        assert out.value == pytest.approx(10, rel=0.1)
        assert 15.0 <= calm.span <= 20.0
        assert calm.age == 0.0  # the next reading is not due yet
        assert rising.rising == pytest.approx(5000, rel=0.01)
        assert 2000 < rising.value < 4000

    play(tree, ScriptedEngine(container(pid=4242)), story)


def test_network_that_cannot_be_read_any_more_is_missing(tree: Path) -> None:
    """Neither the files nor the daemon tell: after the pause and 5 s there is no sample."""
    trees.process(tree / "proc", 4242, f"0::/{PATH}\n", net_dev(0, 0))

    async def story(scene: Scene) -> None:
        await asyncio.sleep(12)
        sample = scene.sample(RECEIVE)
        assert sample is not None
        assert (sample.value, sample.age) == (0.0, 0.0)
        scene.engine.fault = Unreachable("away")
        (tree / "proc/4242/net/dev").unlink()
        await asyncio.sleep(5)
        assert scene.sample(RECEIVE) is not None
        await asyncio.sleep(5)
        assert scene.sample(RECEIVE) is None
        assert scene.sample(MEMORY) is not None

    play(tree, ScriptedEngine(container(pid=4242)), story)


def test_a_task_on_the_hosts_network_has_no_network_sample(tree: Path) -> None:
    """The host's counters are not its own."""
    trees.process(tree / "proc", 4242, f"0::/{PATH}\n", net_dev(0, 0))
    (tree / "proc/1/net").mkdir(parents=True)
    (tree / "proc/1/net/dev").hardlink_to(tree / "proc/4242/net/dev")

    async def story(scene: Scene) -> None:
        await asyncio.sleep(30)
        assert scene.sample(RECEIVE) is scene.sample(TRANSMIT) is None
        assert scene.sample(MEMORY) is not None
        assert "stats" not in scene.engine.calls

    play(tree, ScriptedEngine(container(pid=4242)), story)


def test_network_from_the_stats_api_is_a_rate_too(tree: Path) -> None:
    """Asked every 15 s, it is present until 5 s after the next answer is due."""

    def read(container_id: str) -> Reading:
        seconds = asyncio.get_running_loop().time()
        network = Network(receive_bytes=int(100 * seconds), transmit_bytes=int(7 * seconds))
        return Reading(0.5 * seconds, memory_usage=1000, working_set=900, network=network)

    async def story(scene: Scene) -> None:
        await asyncio.sleep(40)
        for _ in range(30):
            await asyncio.sleep(1)
            sample = scene.sample(RECEIVE)
            assert sample is not None
            assert sample.value == pytest.approx(100, rel=0.01)
            assert sample.rising == pytest.approx(100, rel=0.01)
            assert 15 <= sample.span <= 31
        assert scene.sampler.from_files == 1

    engine = ScriptedEngine(container())
    engine.readings = read
    play(tree, engine, story)
