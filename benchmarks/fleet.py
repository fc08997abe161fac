"""What it takes to be the agent that acts, and how soon it knows of what happens elsewhere.

First the time from `die` on a worker to the actor's knowledge, on a real Swarm of 3 managers and 2
workers with the stack deployed: needs root and what tests/real needs. Then the CPU and memory of
an actor with 5, 50 and 500 other agents of 20 tasks each, with a rule for the CPU use of each 20
tasks, so that all samples are judged each second. Those agents are in another process; the
Swarm is a simulated one in the actor's process. What it takes by itself, and an agent without
streams takes, is measured in the same way and shown beside it. Not in it: reading the answers of
a real Engine, and scrapes. As root, both processes go before others of the machine (nice -15),
which would else be measured, too; "ready but without a processor" tells how far that helped.

    python -m benchmarks.fleet [--part events|load] [--events 100] [--nodes 5 50 500]
        [--tasks 20] [--seconds 30] [--warm-up 20] [--only swarm|alone|streams] [--profile]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import fleet_events
from benchmarks.fleet_actor import Mode, Options, Step
from benchmarks.priority import prefer

ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
Found = dict[str, Any]


@contextmanager
def child(module: str, argument: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", str(argument)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        prefer(process.pid)
        yield process
    finally:
        process.kill()
        process.wait()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    while line := process.stdout.readline():
        if line.startswith("{") or line == "listening\n":
            return line
    raise SystemExit(f"{process.args} ended by itself")


def step_of(process: subprocess.Popen[str], step: Step) -> Found:
    said: Found = json.loads(line_of(process))
    if said["step"] != step:
        raise SystemExit(f"{said} came where {step} was due")
    return said


def cpu_of(process: subprocess.Popen[str]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(process: subprocess.Popen[str]) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def run(options: Options) -> Found:
    """What the actor measured of itself, and what making the others' reports took apart."""
    file = Path(options.folder) / "options.json"
    file.write_text(json.dumps(dataclasses.asdict(options)))
    with child("fleet_actor", file) as actor:
        step_of(actor, Step.PLANNED)
        if options.mode is not Mode.STREAMS:
            step_of(actor, Step.BEGUN)
            return step_of(actor, Step.ENDED)
        with child("fleet_agents", options.plan) as agents:
            line_of(agents)
            step_of(actor, Step.BEGUN)
            before = cpu_of(agents)
            found = step_of(actor, Step.ENDED)
            found["others_cpu"] = (cpu_of(agents) - before) / options.seconds
            found["others_memory"] = memory_of(agents)
            return found


ROWS = (
    ("CPU, share of a processor", "cpu", "{:.3f}"),
    ("  of it collecting garbage", "gc", "{:.3f}"),
    ("  longest collection, ms", "gc_longest", "{:.1f}"),
    ("memory, MiB resident", "memory", "{:.1f}"),
    ("messages received per second", "frames", "{:.0f}"),
    ("bytes received per second", "bytes", "{:,.0f}"),
    ("rules evaluated per second", "decisions", "{:.1f}"),
    ("samples behind the newest decisions", "samples", "{:,}"),
    ("event loop late, p50 ms", "late_p50", "{:.1f}"),
    ("event loop late, p99 ms", "late_p99", "{:.1f}"),
    ("event loop late, max ms", "late_max", "{:.1f}"),
    ("ready but without a processor, share", "kept_waiting", "{:.3f}"),
    ("the other agents' process: CPU", "others_cpu", "{:.3f}"),
    ("the other agents' process: MiB", "others_memory", "{:.1f}"),
)


def load(arguments: argparse.Namespace) -> None:
    modes = [Mode(arguments.only)] if arguments.only else list(Mode)
    results: dict[tuple[int, Mode], Found] = {}
    for nodes in arguments.nodes:
        for mode in modes:
            with tempfile.TemporaryDirectory() as folder:
                results[nodes, mode] = run(
                    Options(
                        mode,
                        nodes,
                        arguments.tasks,
                        arguments.seconds,
                        arguments.warm_up,
                        folder,
                        arguments.profile,
                    )
                )
        show(nodes, arguments.tasks, {mode: results[nodes, mode] for mode in modes})
    if len(modes) == len(Mode):
        ratios(arguments.nodes, results)


def show(nodes: int, tasks: int, found: dict[Mode, Found]) -> None:
    print(f"\n{nodes} other agents of {tasks} tasks, {nodes} services with a rule "
          f"(load of the machine {os.getloadavg()[0]:.1f})")  # fmt: skip
    print(f"{'':<38}" + "".join(f"{mode:>12}" for mode in found))
    for title, name, shape in ROWS:
        factor = 1e3 if title.endswith(" ms") else 1
        cells = [shape.format(one[name] * factor) if name in one else "" for one in found.values()]
        if any(cells):
            print(f"{title:<38}" + "".join(f"{cell:>12}" for cell in cells))
    streams = found.get(Mode.STREAMS)
    if streams is not None:
        again, garbage = streams["reconnects"], streams["malformed"]
        print(f"newest decisions: {streams['reasons']}")
        print(f"streams opened again: {again:.2f}/s, messages without sense: {garbage:.2f}/s")
    sys.stdout.flush()


def ratios(sizes: list[int], results: dict[tuple[int, Mode], Found]) -> None:
    print("\nThe agent's own share: all with streams, less the simulated Swarm alone")
    print(f"{'agents':>8}{'CPU':>10}{'MiB':>10}{'CPU ms per agent and s':>26}{'ratios':>18}")
    before: tuple[int, float, float] | None = None
    for nodes in sizes:
        whole, swarm = results[nodes, Mode.STREAMS], results[nodes, Mode.SWARM]
        cpu, memory = whole["cpu"] - swarm["cpu"], whole["memory"] - swarm["memory"]
        words = ""
        if before is not None:
            words = (
                f"x{nodes / before[0]:g}: CPU x{cpu / before[1]:.1f}, MiB x{memory / before[2]:.1f}"
            )
        print(f"{nodes:>8}{cpu:>10.3f}{memory:>10.1f}{1e3 * cpu / nodes:>26.3f}   {words}")
        before = nodes, cpu, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", choices=("events", "load"), help="one part alone")
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--nodes", type=int, nargs="+", default=[5, 50, 500])
    parser.add_argument("--tasks", type=int, default=20, help="of each node")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before it")
    parser.add_argument("--only", choices=list(Mode), help="one kind of actor alone")
    parser.add_argument("--profile", action="store_true", help="where the actor spends it")
    arguments = parser.parse_args()
    if arguments.part != "load":
        fleet_events.measure(arguments.events)
    if arguments.part != "events":
        load(arguments)


if __name__ == "__main__":
    main()
