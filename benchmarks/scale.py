"""What one agent takes on a Swarm of 500 nodes, 1,000 services and 10,000 tasks.

Two processes, as they are shipped: `simulate`, which serves a simulated Swarm behind the Engine
API, and `run`, the agent, which knows nothing of that. Twice: at rest, where only loads change, and
with churn: tasks that die, a deploy every ten seconds, nodes that are lost and come back. Every
service has a scale rule, every tenth a restart rule beside it. The agent is scraped every 15 s, as
Prometheus does it by default, in turn as it asks (OpenMetrics, gzip) and plain.

CPU time and memory are each process's own, from /proc. How late the event loop is, is the agent's
own histogram. On a machine that is busy with other things CPU times hold, durations do not: "ready
without a processor" tells how long the agent had to wait for one. As root, both processes go before
others of the machine (nice -15).

    python -m benchmarks.scale [--nodes 500] [--services 1000] [--tasks 10000] [--minutes 2]
        [--only rest|churn] [--keep DIR]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scale_scenario
from benchmarks.priority import prefer
from benchmarks.scale_processes import Agent, Simulated, Usage

SCRAPE_EVERY = 15.0
SHOW_EVERY = 15.0
SETTLES = 60.0  # seconds that all tasks get to run
MB = 1e6
KINDS = ("rest", "churn")


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds, bytes; `used`: while it was measured; `start`: until it was ready."""

    ready: float
    start: Usage
    used: Usage
    first_scrape: float
    scrapes: Sequence[float]
    body: int
    delays: Sequence[tuple[float, float]]  # upper bound, how many up to it
    worst: float
    resident: int
    peak: int
    simulator: float
    simulator_memory: int
    counted: dict[str, float]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def quantile(buckets: Sequence[tuple[float, float]], share: float) -> float:
    """As Prometheus' histogram_quantile has it: evenly spread within a bucket."""
    total = buckets[-1][1]
    rank, below, low = share * total, 0.0, 0.0
    for bound, held in buckets:
        if held >= rank and held > below:
            return (
                low
                if bound == float("inf")
                else low + (bound - low) * (rank - below) / (held - below)
            )
        below, low = held, bound if bound != float("inf") else low
    return low


def measure(folder: Path, options: argparse.Namespace, kind: str) -> Found:
    seconds = options.minutes * 60
    churn = seconds + 2 * SETTLES if kind == "churn" else 0.0
    file, rules = scale_scenario.write(
        folder, options.nodes, options.services, options.tasks, churn=churn
    )
    with Simulated(folder / "swarm.sock", file, options.nodes) as swarm:
        say(f"{kind}: waiting until {options.tasks:,} tasks run")
        swarm.wait_running(options.tasks, share=0.97 if churn else 1.0, timeout=3 * SETTLES)
        say(f"{kind}: starting the agent")
        with Agent(swarm.socket, rules, folder / "agent.log") as agent:
            ready = agent.wait_ready(timeout=120.0)
            say(f"{kind}: ready after {ready:.2f} s; measuring for {seconds:.0f} s")
            return _measure(swarm, agent, ready, seconds, kind)


def _measure(swarm: Simulated, agent: Agent, ready: float, seconds: float, kind: str) -> Found:
    start, swarm_before = agent.usage(), swarm.usage()
    agent.until_acting(timeout=20.0)
    first, _ = agent.scrape(plain=False)
    before = agent.numbers()
    scrapes: list[float] = []
    body, worst, began = 0, 0.0, time.monotonic()
    shown = began
    while (left := began + seconds - time.monotonic()) > 0:
        time.sleep(min(SCRAPE_EVERY, left))
        took, size = agent.scrape(plain=len(scrapes) % 2 == 1)
        scrapes.append(took)
        body = max(body, size)
        worst = max(worst, agent.number("swarm_agent_event_loop_lag_seconds"))
        if time.monotonic() - shown >= SHOW_EVERY - 1:
            shown = time.monotonic()
            cores = agent.usage().since(start).cores
            say(
                f"{kind}: {shown - began:4.0f} s, scrape {1e3 * took:.0f} ms, {cores:.3f} cores, "
                f"{agent.resident / MB:.0f} MB, loop late by up to {1e3 * worst:.0f} ms"
            )
    used, after = agent.usage().since(start), agent.numbers()
    counted = {name: after[name] - before.get(name, 0.0) for name in after}
    return Found(
        ready=ready,
        start=start,
        used=used,
        first_scrape=first,
        scrapes=scrapes,
        body=body,
        delays=agent.delays(counted),
        worst=worst,
        resident=agent.resident,
        peak=agent.peak,
        simulator=swarm.usage().since(swarm_before).cores,
        simulator_memory=swarm.resident,
        counted=counted,
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `goal` None: nothing is asked of it."""

    name: str
    value: float
    shape: str
    goal: float | None = None

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "met" if self.value < self.goal else "MISSED"


def figures(found: Found) -> list[Figure]:
    minutes = found.used.elapsed / 60
    rates = {name: count / found.used.elapsed for name, count in found.counted.items()}
    lists = found.counted.get("swarm_agent_resync_total", 0.0)
    return [
        Figure("start to ready, s", found.ready, "{:.2f}", 10),
        Figure("  CPU time of it, s", found.start.cpu, "{:.2f}"),
        Figure("scrape, slowest, ms", 1e3 * max(found.scrapes), "{:.0f}", 300),
        Figure("  the first one, all rendered, ms", 1e3 * found.first_scrape, "{:.0f}"),
        Figure("  median, ms", 1e3 * sorted(found.scrapes)[len(found.scrapes) // 2], "{:.0f}"),
        Figure("  plain text, MB", found.body / MB, "{:.1f}"),
        Figure("event loop late, p99, ms", 1e3 * quantile(found.delays, 0.99), "{:.1f}", 20),
        Figure("  p50, ms", 1e3 * quantile(found.delays, 0.5), "{:.1f}"),
        Figure("  worst, ms", 1e3 * found.worst, "{:.0f}"),
        Figure("memory resident, MB", found.resident / MB, "{:.0f}", 150),
        Figure("  peak, start included, MB", found.peak / MB, "{:.0f}", 150),
        Figure("CPU, cores", found.used.cores, "{:.3f}", 0.2),
        Figure("  CPU seconds per minute", found.used.cpu / minutes, "{:.1f}"),
        Figure("  of it in the kernel", found.used.kernel / minutes, "{:.1f}"),
        Figure("  ready without a processor, share", found.used.waiting_share, "{:.3f}"),
        Figure("lists of everything", lists, "{:.0f}"),
        Figure("rules evaluated per second", rates["evaluations"], "{:.0f}"),
        Figure("requests to the Engine per second", rates["requests"], "{:.1f}"),
        Figure("events per second", rates["events"], "{:.1f}"),
        Figure("the simulator: CPU, cores", found.simulator, "{:.3f}"),
        Figure("the simulator: memory, MB", found.simulator_memory / MB, "{:.0f}"),
    ]


def report(options: argparse.Namespace, found: dict[str, Found]) -> bool:
    print(
        f"{options.nodes:,} nodes, {options.services:,} services, {options.tasks:,} tasks; "
        f"{options.minutes:g} minutes each; {os.cpu_count()} processors, load of the machine "
        f"{os.getloadavg()[0]:.1f}"
    )
    tables = {kind: figures(one) for kind, one in found.items()}
    print(f"{'':<36}{'goal':>8}" + "".join(f"{kind:>18}" for kind in tables))
    missed = False
    for row in zip(*tables.values(), strict=True):
        goal = f"< {row[0].goal:g}" if row[0].goal is not None else ""
        cells = [f"{one.shape.format(one.value)} {one.verdict:<6}" for one in row]
        missed |= any(one.verdict == "MISSED" for one in row)
        print(f"{row[0].name:<36}{goal:>8}" + "".join(f"{cell:>18}" for cell in cells))
    return not missed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--only", choices=KINDS, help="one of the two alone")
    parser.add_argument("--keep", type=Path, help="a folder for the files and the agent's log")
    options = parser.parse_args()
    prefer(os.getpid(), alone=True)  # it is the one who scrapes
    found: dict[str, Found] = {}
    for kind in (options.only,) if options.only else KINDS:
        with tempfile.TemporaryDirectory(prefix="scale") as folder:
            place = Path(folder) if options.keep is None else options.keep / kind
            place.mkdir(parents=True, exist_ok=True)
            found[kind] = measure(place, options, kind)
    if not report(options, found):
        sys.exit("a goal was missed")


if __name__ == "__main__":
    main()
