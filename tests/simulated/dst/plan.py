"""A plan: everything that shall happen to a fleet, drawn from a seed before it begins.

A run draws nothing any more, so a plan without one of its faults is a plan as good as the whole:
that is what makes a failing one small, and what makes it the same again a year later.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.simulated.dst import ailing, bystanders
from tests.simulated.dst.kind import ANY, BESIDE
from tests.simulated.dst.kinds import KINDS, Kind

Args = Mapping[str, Any]

CHAOS_MINUTES = 10.0
FIRST_AT = 12.0
"""Seconds: the fleet starts before, and half of the seeds let it come to rest as well."""

BURST, LULL = (20.0, 50.0), (25.0, 70.0)
"""Seconds in which things happen one after the other, and between such times: cooldowns, windows
of stabilization and re-lists need time in which nothing new goes wrong."""

AILS_EVERY = (6.0, 40.0)
"""Seconds between two faults that are about services that ail."""

BESIDE_EVERY = (20.0, 120.0)
"""Seconds between two faults of the kinds that are drawn by themselves."""

PAUSES = (0.003, 0.2, 1.0, 3.0, 6.0, 9.0)
"""Seconds between two faults of a burst."""


@dataclass(frozen=True, slots=True)
class Fault:
    """at: seconds since the fleet began. lasts: seconds until it is undone, 0 for what is done
    once. args: plain JSON values; what they mean is told by the kind."""

    at: float
    kind: str
    lasts: float = 0.0
    args: Args = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """setting: what the world is like from the beginning."""

    seed: int
    minutes: float
    setting: Args
    faults: tuple[Fault, ...]

    def having(self, faults: Sequence[Fault]) -> "Plan":
        return replace(self, faults=tuple(faults))

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "setting": dict(self.setting),
            "faults": [
                {"at": one.at, "kind": one.kind, "lasts": one.lasts, "args": dict(one.args)}
                for one in self.faults
            ],
        }

    def write(self, path: Path, **more: Any) -> None:
        """One fault a line, so that a person can read it and take one out."""
        whole = self.as_json() | more
        faults = ",\n".join(f"    {json.dumps(one)}" for one in whole.pop("faults"))
        head = json.dumps(whole, indent=1)[:-2]
        path.write_text(f'{head},\n "faults": [\n{faults}\n ]\n}}\n')


def read_plan(path: Path) -> Plan:
    """Raises ValueError that says what is wrong with the file."""
    raw = json.loads(path.read_text())
    unknown = sorted({one["kind"] for one in raw["faults"]} - KINDS.keys())
    if unknown:
        raise ValueError(f"{path}: no such kind of fault: {', '.join(unknown)}")
    return Plan(
        raw["seed"],
        raw["minutes"],
        raw["setting"],
        tuple(Fault(o["at"], o["kind"], o["lasts"], o["args"]) for o in raw["faults"]),
    )


def draw(seed: int, minutes: float = CHAOS_MINUTES) -> Plan:
    chance = random.Random(seed)
    setting = {
        "reaction": chance.choice((0.02, 0.05, 0.05, 1.0)),
        "slow_rollouts": chance.random() < 0.5,
        "rests_first": chance.random() < 0.5,
        "ailing": ailing.drawn(seed),
        "bystanders": bystanders.drawn(seed),
    }
    faults = _faults(chance, minutes * 60)
    more = _of_ailing(seed, setting["ailing"], minutes * 60) + _beside(seed, minutes * 60)
    return Plan(seed, minutes, setting, tuple(sorted(faults + more, key=lambda one: one.at)))


def _of_ailing(seed: int, ailing: Sequence[str], end: float) -> list[Fault]:
    """What makes services ail, drawn by itself: without them the seed is what it is anyway."""
    chance = random.Random(f"{seed} what ails")
    kinds = [one for _, one in sorted(KINDS.items()) if one.needs in (*ailing, ANY)]
    found: list[Fault] = []
    at = chance.uniform(*AILS_EVERY)
    while ailing and at < end:
        kind = chance.choices(kinds, [one.weight for one in kinds])[0]
        found.append(_fault(chance, kind, at))
        at += chance.uniform(*AILS_EVERY)
    return found


def _beside(seed: int, end: float) -> list[Fault]:
    """What came later, drawn by itself: it changes nothing of what the seed drew before."""
    chance = random.Random(f"{seed} beside")
    kinds = [one for _, one in sorted(KINDS.items()) if one.needs == BESIDE]
    found: list[Fault] = []
    at = chance.uniform(*BESIDE_EVERY)
    while at < end:
        kind = chance.choices(kinds, [one.weight for one in kinds])[0]
        found.append(_fault(chance, kind, at))
        at += chance.uniform(*BESIDE_EVERY)
    return found


def _faults(chance: random.Random, end: float) -> list[Fault]:
    kinds, weights = _favourites(chance)
    found: list[Fault] = []
    at = FIRST_AT * chance.choice((0.1, 1.0, 3.0))
    while at < end:
        until = min(at + chance.uniform(*BURST), end)
        while at < until:
            kind = chance.choices(kinds, weights)[0]
            found.append(_fault(chance, kind, at))
            at += chance.choice(PAUSES) * chance.uniform(0.7, 1.3)
        at = until + chance.uniform(*LULL)
    return found


def _fault(chance: random.Random, kind: Kind, at: float) -> Fault:
    lasts = round(chance.uniform(*kind.lasts), 3) if kind.lasts else 0.0
    return Fault(round(at, 3), kind.name, lasts, kind.draw(chance))


def _favourites(chance: random.Random) -> tuple[list[Kind], list[float]]:
    """Each seed leaves out some kinds and has others more often: what all seeds have in equal
    measure hides what only one kind without another brings to light."""
    kinds = [KINDS[name] for name in sorted(KINDS) if not KINDS[name].needs]
    rarity = chance.choice((0.3, 0.6, 1.0))
    kept = [one for one in kinds if one.always or chance.random() < rarity]
    return kept, [one.weight * chance.choice((1.0, 1.0, 3.0)) for one in kept]
