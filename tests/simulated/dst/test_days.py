"""Whatever happens to a whole fleet, the twelve promises hold: a handful of seeds, and what is
stored of those that once broke one. `scripts/dst` lives hundreds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulated.dst.plan import draw, read_plan
from tests.simulated.dst.promises import PROMISES
from tests.simulated.dst.run import one
from tests.simulated.dst.tally import Tally

SEEDS = (0, 1, 2)
MINUTES = 10.0
STORED = sorted((Path(__file__).parent / "regressions").glob("*.json"))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_promises_hold(seed: int) -> None:
    """Ten virtual minutes of faults break no promise, and most promises had to hold at all."""
    result = one(draw(seed, MINUTES))
    assert not result.error
    assert not result.violations, result.violations[:5]
    assert set(PROMISES) - set(result.tally.vacuous) >= {1, 2, 3, 4, 5, 6, 7, 9, 10, 11}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_what_once_broke_a_promise_does_not(path: Path) -> None:
    """Faults and seed of a run that broke a promise, as they were stored then."""
    result = one(read_plan(path))
    assert not result.violations, result.violations[:5]


def test_the_same_seed_is_the_same_run() -> None:
    """Two processes write the very same history of a seed, whatever the hashes of strings are;
    another seed writes another one."""
    first, again, other = (told(*case) for case in (("1", 4), ("2", 4), ("1", 5)))
    assert first == again
    assert first != other


def told(hashes: str, seed: int) -> str:
    """The digest that the command prints."""
    command = [sys.executable, "-m", "tests.simulated.dst", "--keep"]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--minutes", "3"],
        env={**os.environ, "PYTHONHASHSEED": hashes},
        capture_output=True,
        text=True,
    )
    return next(line for line in done.stdout.splitlines() if line.startswith("history "))[:72]


def test_a_plan_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    """Stored and read, a plan is equal to what was drawn."""
    plan = draw(7)
    plan.write(tmp_path / "plan.json", why="a sentence")
    assert read_plan(tmp_path / "plan.json") == plan


def test_the_table_names_every_promise() -> None:
    """The table has a line for each promise, with what it was strained by."""
    table = Tally().table()
    assert all(text in table for text, _ in PROMISES.values())
