"""Nothing depends on the order of a set: hashes of strings differ from process to process."""

import asyncio
import hashlib
import os
import random
import subprocess
import sys

from monitor.simulate.loop import run_virtual
from tests.simulated.mirrored import mirrored
from tests.simulated.test_mirror_truth import act
from tests.simulated.virtual import small_swarm


async def story() -> str:
    """The digest of every call a mirror made during a stormy while."""
    chance = random.Random(3)
    swarm = small_swarm(workers=4, seed=3)
    async with mirrored(swarm) as watched:
        watched.engine.bus.faults.drop = watched.engine.bus.faults.reorder = 0.3
        for _ in range(100):
            act(chance, swarm, [f"s{number}" for number in range(30)])
            await asyncio.sleep(chance.choice([0.0, 0.01, 0.3, 2.0]))
        calls = repr([(call.mono, call.method, call.key) for call in watched.engine.log])
    return hashlib.sha256(calls.encode()).hexdigest()


def test_equal_seeds_give_equal_calls_whatever_the_hashes() -> None:
    """The same story in two processes makes the very same calls at the same times."""
    digests = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulated.test_determinism"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for seed in ("1", "2")
    ]
    assert digests[0] == digests[1]


if __name__ == "__main__":
    print(run_virtual(story()))
