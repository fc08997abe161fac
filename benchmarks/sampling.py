"""What it costs to sample 30 containers: from cgroup files, and from the stats API.

Starts a Swarm of one real engine (root; see tests/real/lab), runs 30 idle tasks on it, and
measures passes over cgroup files, then rounds of the stats API, one a second where it is that
fast. CPU time is this process's own, and that of dockerd, containerd and all shims, less what
those use when nobody asks anything.

    python -m benchmarks.sampling [--containers 30] [--seconds 30]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from monitor.agent.clock import SystemClock
from monitor.engine.client import DockerEngine
from monitor.usage.sampler import Sampler
from monitor.usage.stats_api import StatsPoller
from monitor.usage.tracks import Tracks
from tests.real.lab import Swarm, missing_requirements

DAEMON = ("dockerd", "containerd", "docker-init")
TICK = 1.0  # seconds from pass to pass
# Every shim frees memory each 30 s (containerd runtime/v2/shim/shim.go), which takes 30 of them
# some 0.3 s of CPU time: a measurement of another length holds that once too often or not at all.
CHORES = 30.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Per pass: our CPU time, the daemon's beyond idling, and how long it took; milliseconds."""

    ours: float
    daemons: float
    duration: float
    longest: float
    worst_cpu: float
    rest: float  # cores that the daemon used before and after


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def daemon_cpu(node_init: int) -> float:
    """CPU seconds so far of dockerd, containerd and the shims below a node's first process.

    From schedstat, in nanoseconds: the ticks of /proc/PID/stat are too coarse for 30 shims that
    use a millisecond each.
    """
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(after_name[1]), []).append(int(path.parent.name))
    total, queue = 0, [node_init]
    while queue:
        pid = queue.pop()
        queue += parents.get(pid, [])
        try:
            if not Path(f"/proc/{pid}/comm").read_text().startswith(DAEMON):
                continue
            for thread in Path(f"/proc/{pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


async def measure(
    name: str, init: int, seconds: float, one_pass: Callable[[], Awaitable[object]]
) -> Cost:
    """Passes for `seconds`, one a second or one after the other, with a rest before and after.

    What the daemon uses in the rests is taken off, so that neither its own chores nor a busy
    machine count as the pass's.
    """
    await one_pass()  # opens files and connections
    ours, durations = [], []
    rest_before = await resting(init, seconds)
    daemon, began = daemon_cpu(init), time.perf_counter()
    while (start := time.perf_counter()) < began + seconds:
        cpu = time.process_time()
        await one_pass()
        ours.append(1000 * (time.process_time() - cpu))
        durations.append(1000 * (time.perf_counter() - start))
        if len(durations) % 5 == 0:
            say(f"  {name}: pass {len(durations)}, {durations[-1]:.2f} ms")
        await asyncio.sleep(max(0.0, TICK - (time.perf_counter() - start)))
    used, elapsed = daemon_cpu(init) - daemon, time.perf_counter() - began
    rest = (rest_before + await resting(init, seconds)) / 2
    return Cost(
        ours=statistics.mean(ours),
        daemons=1000 * (used - rest * elapsed) / len(durations),
        duration=statistics.mean(durations),
        longest=max(durations),
        worst_cpu=max(ours),
        rest=rest,
    )


async def resting(init: int, seconds: float) -> float:
    """The daemon's cores while nobody asks anything."""
    say(f"  resting for {seconds:.0f} s")
    before = daemon_cpu(init)
    await asyncio.sleep(seconds)
    return (daemon_cpu(init) - before) / seconds


async def compare(swarm: Swarm, containers: int, seconds: float) -> tuple[Cost, Cost]:
    node = swarm.manager
    clock = SystemClock()
    async with DockerEngine(node.url) as engine:
        sampler = Sampler(engine, clock, node.proc)
        roster = asyncio.create_task(sampler.roster.run())
        while sampler.from_files < containers:
            await asyncio.sleep(0.1)
            await sampler.sample()
        roster.cancel()
        await asyncio.gather(roster, return_exceptions=True)
        say("cgroup files")
        files = await measure("files", node.init_pid, seconds, sampler.sample)

        tracks = Tracks(clock, TICK, 60.0, 0.0)
        for container in await engine.containers():
            tracks.adopt(container)
        for track in tracks:
            track.place_at = 1.0  # no files: so the stats API is to be asked
        poller = StatsPoller(engine, clock, tracks, interval=0.0, network_interval=0.0)
        say("stats API")
        stats = await measure("stats", node.init_pid, seconds, poller.ask_due)
        if poller.failures or poller.readings % containers:
            raise SystemExit(f"{poller.failures} answers failed, {poller.readings} came")
    return files, stats


def report(containers: int, version: str, files: Cost, stats: Cost) -> None:
    print(f"{containers} containers, Engine {version}, one pass a second; milliseconds per pass")
    print(f"{'':12}{'our CPU':>10}{'daemon CPU':>12}{'both':>10}{'duration':>10}{'longest':>10}")
    for name, cost in (("cgroup files", files), ("stats API", stats)):
        print(
            f"{name:12}{cost.ours:10.2f}{cost.daemons:12.2f}{cost.ours + cost.daemons:10.2f}"
            f"{cost.duration:10.2f}{cost.longest:10.2f}"
        )
    # Files ask the daemon nothing: what is measured of it then is noise, on either side of 0.
    both_files = files.ours + max(files.daemons, 0.0)
    both_stats = stats.ours + max(stats.daemons, 0.0)
    rests = ", ".join(f"{100 * cost.rest:.2f}" for cost in (files, stats))
    print(f"the daemon at rest: {rests} % of a core (taken off above)")
    print(
        f"the stats API costs {both_stats / both_files:.0f} times the CPU time of the files "
        f"({stats.ours / files.ours:.0f} times ours) and takes "
        f"{stats.duration / files.duration:.0f} times as long"
    )
    print(f"most CPU time of one pass over files: {files.worst_cpu:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--containers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=CHORES, help="of each measurement")
    options = parser.parse_args()
    if missing := missing_requirements():
        raise SystemExit(f"this needs a real engine: {'; '.join(missing)}")
    say("starting a Swarm of one engine")
    with Swarm.start(1, 0) as swarm:
        say(f"starting {options.containers} tasks")
        swarm.create_service("sampled", f"--replicas={options.containers}")
        swarm.wait_running("sampled", options.containers, timeout=180)
        version = swarm.manager.api("GET", "/version")["Version"]
        time.sleep(5)  # the engine settles
        costs = asyncio.run(compare(swarm, options.containers, options.seconds))
        report(options.containers, version, *costs)


if __name__ == "__main__":
    main()
