"""The shortest list of faults that still breaks the same promise."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulated.dst.live import live
from tests.simulated.dst.plan import Fault, Plan
from tests.simulated.dst.promises import violations

AFTER = 2.0
"""Seconds that a shortened plan goes on after the moment at which the promise was broken."""

Fails = Callable[[Sequence[Fault]], bool]


def breaks(plan: Plan, promise: int) -> bool:
    """Whether living the plan breaks this promise; a run that ends otherwise does not."""
    try:
        found = violations(live(plan).history)
    except Exception:
        return promise < 0  # -1: it is the error that is looked for
    return any(one.promise == promise for one in found)


def shrink(plan: Plan, promise: int, at: float, say: Callable[[str], None], most: int = 80) -> Plan:
    """First without what came after the moment at which it was broken, then ddmin.

    at: seconds since the fleet began. most: runs at the most.
    """
    runs = 0
    if promise > 0:  # what comes later is not needed to see it
        plan = replace(plan, minutes=min(plan.minutes, round((at + AFTER) / 60, 3)))

    def fails(faults: Sequence[Fault]) -> bool:
        nonlocal runs
        runs += 1
        return runs <= most and breaks(plan.having(faults), promise)

    before = [fault for fault in plan.faults if fault.at <= at]
    faults = before if len(before) < len(plan.faults) and fails(before) else list(plan.faults)
    found = ddmin(faults, fails)
    say(f"{len(plan.faults)} faults are {len(found)} after {min(runs, most)} runs")
    return plan.having(found)


def ddmin(faults: Sequence[Fault], fails: Fails) -> list[Fault]:
    """A list of which no single fault can be left out (Zeller and Hildebrandt, "Simplifying and
    isolating failure-inducing input", IEEE TSE 28(2), 2002), by complements alone."""
    kept, parts = list(faults), 2
    while kept:
        parts = min(parts, len(kept))
        size = -(-len(kept) // parts)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if parts >= len(kept):
                break
            parts = min(2 * parts, len(kept))
    return kept
