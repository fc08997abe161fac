"""The command that finds a seed which catches a deliberate bug, and the shortest plan that does.

python -m tests.simulated.dst.catch "no re-list" --seeds 0-999
python -m tests.simulated.dst.catch --all --into tests/simulated/dst/caught
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from monitor.simulate.loop import START
from tests.simulated.dst import live
from tests.simulated.dst.bugs import BUGS
from tests.simulated.dst.caught import FOLDER, slug
from tests.simulated.dst.judging import Violation
from tests.simulated.dst.plan import CHAOS_MINUTES, Fault, Plan, draw
from tests.simulated.dst.promises import RECOVERY
from tests.simulated.dst.run import one
from tests.simulated.dst.shrink import ddmin

SETTLES = 20.0
"""Seconds before the first fault of a plan that is made shorter."""

MOST_RUNS = 9
RESTS = live.RESTS_WITHIN


@dataclass(frozen=True, slots=True)
class Caught:
    """tried: seeds until one caught it."""

    plan: Plan
    first: Violation
    tried: int


def lived(name: str | None, plan: Plan, *, rests: bool = False) -> list[Violation]:
    """What the plan breaks with the bug, or without any, by time. rests: whether it has time in the
    end to recover; else recovery is not judged, and half of the time is saved."""
    bug = BUGS[name].planted() if name else nullcontext()
    with bug, patch.object(live, "RESTS_WITHIN", RESTS if rests else 10.0):
        found = one(plan).violations
    return [each for each in found if each.promise > 0 or (rests and each.promise == RECOVERY)]


def promising(seeds: range, minutes: float, kinds: Sequence[str]) -> list[Plan]:
    """The plans of these seeds, those with most faults of these kinds first."""
    plans = [draw(seed, minutes) for seed in seeds]
    if kinds:
        plans.sort(key=lambda plan: -sum(fault.kind in kinds for fault in plan.faults))
    return plans


def until_caught(name: str, plans: Sequence[Plan]) -> Caught | None:
    for tried, plan in enumerate(plans, 1):
        found = lived(name, plan) or (tried % 8 == 0 and lived(name, plan, rests=True))
        if found and not lived(None, plan):
            return Caught(plan, found[0], tried)
    return None


def shorten(name: str, caught: Caught) -> Caught:
    """Without faults that do not matter, without the time before the first and after the end."""
    promise, runs = caught.first.promise, 0
    best = caught

    def fails(plan: Plan) -> bool:
        nonlocal runs, best
        runs += 1
        if runs > MOST_RUNS:
            return False
        found = [each for each in lived(name, plan, rests=not promise) if each.promise == promise]
        if found:
            best = replace(best, plan=plan, first=found[0])
        return bool(found)

    def ending(plan: Plan, at: float) -> Plan:
        minutes = max(round((at - START + 2.0) / 60, 2), 0.3)
        kept = [fault for fault in plan.faults if fault.at <= at - START]
        return replace(plan, minutes=min(minutes, plan.minutes)).having(kept)

    if promise:
        fails(ending(best.plan, best.first.at))

    def without(faults: Sequence[Fault]) -> bool:
        return fails(best.plan.having(faults))

    fails(replace(best.plan, minutes=0.5).having([]))  # some bugs need no fault at all
    ddmin(best.plan.faults, without)
    if best.plan.faults and (early := best.plan.faults[0].at - SETTLES) > 0:
        moved = [replace(fault, at=round(fault.at - early, 3)) for fault in best.plan.faults]
        minutes = round(best.plan.minutes - early / 60, 2)
        fails(replace(best.plan, minutes=minutes).having(moved))
    if promise:
        fails(ending(best.plan, best.first.at))
    return best


def catch(name: str, plans: Sequence[Plan], folder: Path | None) -> str:
    """What became of it, in a few lines; stores the shortest plan."""
    began = time.monotonic()
    caught = until_caught(name, plans)
    if caught is None:
        return f"{name}: NOT caught by {len(plans)} seeds, {time.monotonic() - began:.0f} s"
    seed, found = caught.plan.seed, caught.first
    text = f"{name}: seed {seed}, the {caught.tried}. that was tried, {found}"
    if folder is not None:
        small = shorten(name, caught)
        folder.mkdir(parents=True, exist_ok=True)
        small.plan.write(
            folder / f"{slug(name)}.json",
            bug=name,
            promise=small.first.promise,
            at=round(small.first.at - START, 1),
            why=small.first.text,
        )
        text += f"\n    {len(small.plan.faults)} faults, {small.plan.minutes:g} minutes"
        text += f": {small.first}"
    return f"{text}\n    {time.monotonic() - began:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description="Deliberate bugs, and what catches them.")
    parser.add_argument("names", nargs="*", metavar="BUG", help=", ".join(BUGS))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seeds", default="0-999", help="say 0-99")
    parser.add_argument("--minutes", type=float, default=CHAOS_MINUTES)
    parser.add_argument("--into", type=Path, help=f"say {FOLDER}")
    parser.add_argument(
        "--prefer", nargs="+", default=(), metavar="KIND", help="faults to try first"
    )
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    plans = promising(seeds, options.minutes, options.prefer)
    names = list(BUGS) if options.all else options.names
    escaped = 0
    for name in names:
        text = catch(name, plans, options.into)
        print(text, flush=True)
        escaped += "NOT caught" in text
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
