"""Stored plans that catch deliberate bugs, and the table of them in docs/simulation-tests.md.

python -m tests.simulated.dst.caught            # prints the table
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.simulated.dst.bugs import BUGS, LISTED
from tests.simulated.dst.plan import Plan, read_plan
from tests.simulated.dst.promises import PROMISES

FOLDER = Path(__file__).parent / "caught"
HEAD = (
    "| bug | what the agent does | promise that is broken | seed | after | faults |\n"
    "|---|---|---|---:|---:|---:|"
)


def slug(name: str) -> str:
    """The name of a bug as that of its file."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


@dataclass(frozen=True, slots=True)
class Stored:
    """promise: which is broken, `at` seconds after the fleet began."""

    name: str
    plan: Plan
    promise: int
    at: float


def stored(folder: Path = FOLDER) -> Iterator[Stored]:
    """In the order of the bugs; those of which no plan is stored are left out."""
    for name in BUGS:
        path = folder / f"{slug(name)}.json"
        if path.exists():
            raw = json.loads(path.read_text())
            yield Stored(name, read_plan(path), raw["promise"], raw["at"])


def table(*, listed: bool) -> str:
    """As Markdown."""
    lines = [HEAD]
    for one in stored():
        if (one.name in LISTED) is listed:
            promise = f"{one.promise}: {PROMISES[one.promise][0]}" if one.promise else "recovery"
            lines.append(
                f"| {one.name} | {BUGS[one.name].sentence} | {promise} | {one.plan.seed} "
                f"| {one.at:.0f} s | {len(one.plan.faults)} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(listed=True), table(listed=False), sep="\n\n")
