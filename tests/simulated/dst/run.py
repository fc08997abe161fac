"""The command: lives many seeds, or one plan again, and tells what became of the promises.

python -m tests.simulated.dst --seeds 0-199 --minutes 10 --workers 2
python -m tests.simulated.dst --seed 17
python -m tests.simulated.dst --plan FILE
"""

import argparse
import gc
import os
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from monitor.simulate.loop import START
from tests.simulated.dst.judging import Violation
from tests.simulated.dst.live import live
from tests.simulated.dst.plan import CHAOS_MINUTES, Plan, draw, read_plan
from tests.simulated.dst.promises import judge
from tests.simulated.dst.shrink import shrink
from tests.simulated.dst.tally import Tally

COMMAND = "scripts/dst"
BROKE_DOWN = -1
"""In place of a promise: the run itself ended with an error."""


@dataclass
class Result:
    plan: Plan
    violations: list[Violation]
    tally: Tally = field(default_factory=Tally)
    digest: str = ""
    error: str = ""


def one(plan: Plan, *, digest: bool = False) -> Result:
    """Lives a plan and judges it; never raises for what happened in it."""
    result = Result(plan, [])
    try:
        lived = live(plan)
    except Exception as error:
        result.error = traceback.format_exc()
        result.violations = [
            Violation(BROKE_DOWN, float("inf"), f"{type(error).__name__}: {error}")
        ]
        return result
    verdicts = judge(lived.history)
    result.tally.count(lived, verdicts)
    found = [violation for verdict in verdicts for violation in verdict.violations]
    result.violations = sorted(found, key=lambda violation: violation.at)
    if digest:
        result.digest = lived.history.digest()
    return result


def _seed(args: tuple[int, float]) -> Result:
    gc.collect()  # what is left of the seed before, or thousands of them fill the memory
    return one(draw(*args))


def results(seeds: range, minutes: float, workers: int) -> Iterator[Result]:
    """In the order of the seeds."""
    work = [(seed, minutes) for seed in seeds]
    if workers == 1:
        gc.freeze()
        yield from map(_seed, work)
        return
    with ProcessPoolExecutor(workers, initializer=gc.freeze) as pool:
        yield from pool.map(_seed, work)


def tell(result: Result, folder: Path | None, *, smaller: bool) -> None:
    """What was broken, the shortest list of faults found, and the command that shows it again."""
    first = result.violations[0]
    plan = result.plan
    print(f"\nseed {plan.seed}: {str(first).splitlines()[0]}", flush=True)
    for violation in result.violations[1:5]:
        print(f"    and {violation}")
    print(result.error, end="")
    print(f"    again: {COMMAND} --seed {plan.seed} --minutes {plan.minutes:g}")
    if not smaller:
        return
    small = shrink(
        plan, first.promise, first.at - START, lambda text: print(f"    {text}", flush=True)
    )
    for fault in small.faults:
        lasts = f" for {fault.lasts:g} s" if fault.lasts else ""
        print(f"      {fault.at:8.3f} s  {fault.kind} {dict(fault.args)}{lasts}")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"seed-{plan.seed}-promise-{first.promise}.json"
        small.write(path, promise=first.promise, why=first.text)
        print(f"    shortest: {COMMAND} --plan {path}")


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    began = time.monotonic()
    if options.plan is not None:
        found = [one(read_plan(options.plan), digest=True)]
    elif options.seed is not None:
        found = [one(draw(options.seed, options.minutes), digest=True)]
    else:
        return _many(options, began)
    (result,) = found
    for violation in result.violations:
        print(violation)
    print(result.error, end="")
    print(result.tally.table())
    print(f"history {result.digest}, {time.monotonic() - began:.1f} s")
    if result.violations and options.plan is None and not options.keep:
        tell(result, options.into, smaller=True)
    return 1 if result.violations else 0


def _many(options: argparse.Namespace, began: float) -> int:
    tally, failed, lived, whole = Tally(), 0, 0, True
    try:
        for result in results(options.seeds, options.minutes, options.workers):
            tally.add(result.tally)
            lived += 1
            if result.violations:
                failed += 1
                tell(result, options.into, smaller=failed <= options.shrink)
            if lived % 20 == 0:
                took = time.monotonic() - began
                print(f"{lived} of {len(options.seeds)} seeds, {failed} failed, {took:.0f} s")
            sys.stdout.flush()
    except KeyboardInterrupt:
        whole = False
        print("broken off; this is what was lived until then:")
    print(tally.table())
    print(f"{time.monotonic() - began:.0f} s; {failed} of {len(options.seeds)} seeds failed")
    vacuous = tally.vacuous if len(options.seeds) >= 50 else []
    if vacuous:
        print(f"promises that never had to hold: {vacuous}")
    return 0 if whole and not failed and not vacuous else 1


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Whole fleets on virtual time.")
    parser.add_argument("--seeds", type=_range, default=_range("0-199"), help="say 0-199")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--plan", type=Path, help="a stored plan")
    parser.add_argument(
        "--minutes", type=float, default=CHAOS_MINUTES, help="virtual, of each seed"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shrink", type=int, default=3, help="how many failing seeds are shrunk")
    parser.add_argument("--keep", action="store_true", help="with --seed: do not shrink")
    parser.add_argument("--into", type=Path, default=Path("build/dst"), help="for shrunk plans")
    return parser.parse_args(arguments)
