"""The journal stays within its age and its size, whatever the wall clock does."""

import random
import sqlite3
from pathlib import Path

import pytest

from monitor.model.now import Now
from monitor.store.journal import Journal
from monitor.store.journal_bounds import DAY, STEP_ROWS, JournalLimits
from monitor.store.journal_keeper import Keeper, Work
from monitor.store.journal_time import GAP
from tests.unit.build import decision

WEEK = JournalLimits()
YEAR = 365 * DAY


class Clocks:
    """Both clocks, moved by hand."""

    def __init__(self, mono: float = 1_000.0, wall: float = 1_700_000_000.0) -> None:
        self.mono, self.wall = mono, wall

    def __call__(self) -> Now:
        return Now(self.mono, self.wall)

    def pass_by(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds


class Run:
    """One run of a keeper, without its thread: each call is one batch."""

    def __init__(self, path: Path, clocks: Clocks, limits: JournalLimits = WEEK) -> None:
        self.clocks = clocks
        self.keeper = Keeper(path, limits, clocks)
        self.keeper.do(())
        self._number = 0

    def note(self, *paddings: str) -> None:
        self.keeper.do([self._work(padding) for padding in paddings or ("",)])

    def _work(self, padding: str) -> Work:
        self._number += 1
        one = decision(id=str(self._number), sentence=padding, time=self.clocks())
        return Work(lambda file, now: file.put(one, False, None, now), writes=True)

    def prune(self) -> int:
        """Prunes to the end; how many steps that took."""
        steps = 1
        while self.keeper.do(()):
            steps += 1
        return steps

    @property
    def numbers(self) -> list[int]:
        work = Work(lambda file, _: file.db.execute("SELECT seq FROM decision").fetchall())
        self.keeper.do([work])
        return [seq for (seq,) in work.answer.result()]

    def close(self) -> None:
        self.keeper.close()


def noise(seed: int) -> list[str]:
    """Ten texts of 4,000 characters that take 2,000 bytes each at the least."""
    chance = random.Random(seed)
    return [chance.randbytes(2_000).hex() for _ in range(10)]


def test_what_is_older_than_the_age_goes(tmp_path: Path):
    """Seven days by default: a second less stays, a second more goes."""
    run = Run(tmp_path / "journal.db", Clocks())
    run.note()
    run.clocks.pass_by(DAY)
    run.note()
    run.clocks.pass_by(6 * DAY - 1)
    run.prune()
    assert run.numbers == [1, 2]
    run.clocks.pass_by(2)
    run.prune()
    assert run.numbers == [2]
    run.close()


def test_much_that_is_old_goes_in_steps(tmp_path: Path):
    """No step deletes more than a few rows, so that nothing waits long behind it."""
    run = Run(tmp_path / "journal.db", Clocks())
    for _ in range(3 * STEP_ROWS):
        run.note()
    run.clocks.pass_by(8 * DAY)
    run.keeper.do(())
    assert len(run.numbers) < 3 * STEP_ROWS
    assert len(run.numbers) >= STEP_ROWS
    run.prune()
    assert run.numbers == []
    run.close()


@pytest.mark.parametrize("jump", [-YEAR, -3_600.0, 3_600.0, YEAR])
def test_a_jump_of_the_wall_clock_while_it_runs_changes_nothing(tmp_path: Path, jump: float):
    """Neither is what is young deleted, nor what is old kept beyond its seven days."""
    run = Run(tmp_path / "journal.db", Clocks())
    run.note()
    run.clocks.wall += jump
    run.note()
    run.clocks.pass_by(DAY)
    run.clocks.wall -= jump
    run.note()
    run.prune()
    assert run.numbers == [1, 2, 3]
    run.clocks.pass_by(6 * DAY + 1)
    run.prune()
    assert run.numbers == [3]
    run.close()


@pytest.mark.parametrize("jump", [-YEAR, YEAR])
def test_a_start_with_a_wrong_wall_clock_keeps_the_history(tmp_path: Path, jump: float):
    """A node that boots with a clock years off loses a day's age at most, and recovers from it."""
    path, clocks = tmp_path / "journal.db", Clocks()
    run = Run(path, clocks)
    run.note()
    run.close()
    run = Run(path, Clocks(5.0, clocks.wall + jump))
    run.note()
    run.close()
    run = Run(path, Clocks(5.0, clocks.wall + 60.0))
    run.prune()
    assert run.numbers == [1, 2]
    run.clocks.pass_by(7 * DAY + 1)
    run.prune()
    assert run.numbers == []
    run.close()


def test_time_between_runs_counts_up_to_a_day(tmp_path: Path):
    """History grows old also while no agent runs, or restarts would keep it for ever."""
    path, clocks = tmp_path / "journal.db", Clocks()
    run = Run(path, clocks)
    run.note()
    run.close()
    for start in range(1, 8):
        run = Run(path, Clocks(0.0, clocks.wall + start * GAP))
        run.prune()
        assert run.numbers == [1]
        run.close()
    run = Run(path, Clocks(0.0, clocks.wall + 7 * GAP + 2))
    run.prune()
    assert run.numbers == []
    run.close()


def test_a_run_without_decisions_counts_too(tmp_path: Path):
    """Days of calm are saved in the file: a kill at their end does not make history young again."""
    path = tmp_path / "journal.db"
    run = Run(path, Clocks())
    run.note()
    for _ in range(8 * 24):
        run.clocks.pass_by(3_600.0)
        assert run.keeper.why == ""
        run.keeper.do(())
    killed = run
    run = Run(path, Clocks(0.0, killed.clocks.wall))
    assert run.numbers == []
    run.close()
    killed.close()


def test_the_files_stay_within_the_size(tmp_path: Path):
    """At several times what fits, file and log never pass the bound, and the newest stay."""
    path, limits = tmp_path / "journal.db", JournalLimits(max_bytes=1_000_000)
    run = Run(path, Clocks(), limits)
    largest = 0
    for batch in range(120):
        run.note(*noise(batch))
        largest = max(largest, sum(one.stat().st_size for one in tmp_path.glob("journal.db*")))
    shm = 32_768
    assert 500_000 < largest <= limits.max_bytes + shm
    run.prune()
    assert run.numbers[-1] == 1_200
    assert len(run.numbers) == run.numbers[-1] - run.numbers[0] + 1
    assert 50 < len(run.numbers) < 500
    run.close()


def test_a_smaller_size_shrinks_what_is_there(tmp_path: Path):
    """A bound that was lowered holds soon after the start: the file gives its space back."""
    path = tmp_path / "journal.db"
    run = Run(path, Clocks())
    for batch in range(80):
        run.note(*noise(batch))
    run.close()
    before = path.stat().st_size
    run = Run(path, run.clocks, JournalLimits(max_bytes=1_000_000))
    # Each step gives back many pages, else it would take one per page: several hundred.
    assert 3 < run.prune() < 100
    run.close()
    assert before > 1_600_000
    assert path.stat().st_size <= 1_000_000
    run = Run(path, run.clocks)
    assert run.numbers[-1] == 800
    run.close()


def test_a_reader_that_never_ends_does_not_let_the_log_grow_for_ever(tmp_path: Path):
    """The bound holds, the reason is said, and once the reader is gone what is owed is written."""
    path, limits = tmp_path / "journal.db", JournalLimits(max_bytes=1_000_000)
    run = Run(path, Clocks(), limits)
    run.note()
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM decision").fetchone()
    batch = 0
    while not run.keeper.why and batch < 250:
        batch += 1
        run.note(*noise(batch))
    assert "another program reads it" in run.keeper.why
    total = sum(one.stat().st_size for one in tmp_path.glob("journal.db*"))
    assert total < 1.3 * limits.max_bytes
    reader.close()
    run.clocks.pass_by(61)
    run.keeper.do(())
    assert (run.keeper.why, run.keeper.dropped, run.keeper.owed) == ("", 0, 0)
    assert run.numbers[-1] == 10 * batch + 1
    run.close()


@pytest.mark.parametrize(("age", "size"), [(0, 10**8), (-1, 10**8), (DAY, 999_999)])
def test_bounds_without_sense_are_refused(age: float, size: int):
    """Settings that would keep nothing get an error that says what to write."""
    with pytest.raises(ValueError, match=r"604800|1000000"):
        JournalLimits(age, size)


async def test_bounds_are_kept_by_the_running_journal(tmp_path: Path):
    """The thread prunes by itself, without any work given to it."""
    clocks = Clocks()
    kept = await Journal.open(tmp_path / "journal.db", JournalLimits(max_age=60.0), now=clocks)
    await kept.intend(decision())
    assert len(await kept.newest(9)) == 1
    clocks.pass_by(61.0)
    for _ in range(100):
        if not await kept.newest(9):
            break
    else:
        raise AssertionError("it was never pruned")
    await kept.close()
