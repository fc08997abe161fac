"""Bad days of the journal's disk: the agent goes on, says why nothing is kept, and recovers."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.model.action import ScaleTo
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.store.journal import Journal
from monitor.store.journal_keeper import OWED, Keeper, Work
from monitor.store.journal_row import ENDED
from monitor.store.journal_schema import KEPT_ASIDE, MIGRATIONS, migrate
from monitor.store.journal_thread import JournalThread, system_now
from tests.unit.build import decision

APPLIED = Outcome(OutcomeKind.APPLIED)
SOON = 0.05
ROOT = Path(__file__).parents[3]


def acting(number: int):
    return decision(ScaleTo(number), id=str(number), desired=number)


def aside(path: Path) -> list[Path]:
    return [
        found
        for found in path.parent.glob(f"{path.name}.corrupt-*")
        if not found.name.endswith(("-wal", "-shm"))
    ]


async def until(holds, what: str) -> None:
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never: {what}")


async def numbers(journal: Journal) -> list[int | None]:
    return [one.desired for one, _ in await journal.newest(10_000)]


def child(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + program, *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


_PRELUDE = """
import asyncio, os, resource, sys
from pathlib import Path
from monitor.model.action import ScaleTo
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.store.journal import Journal
from tests.unit.build import decision
path = Path(sys.argv[1])
def acting(number):
    return decision(ScaleTo(number), id=str(number), desired=number)
"""

_WRITE_FOR_EVER = """
async def main():
    journal = await Journal.open(path)
    number = 0
    while True:
        number += 1
        await journal.intend(acting(number))
        print(number, flush=True)
        journal.outcome(acting(number), Outcome(OutcomeKind.APPLIED))
asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 20, 150])
async def test_a_kill_in_the_middle_of_writes_loses_no_intent(tmp_path: Path, lines: int):
    """What `intend` returned for is there after SIGKILL, in order; at most its end is unknown."""
    path = tmp_path / "journal.db"
    process = child(_WRITE_FOR_EVER, str(path))
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    last = int(rest.splitlines()[-1]) if rest.endswith("\n") else lines
    journal = await Journal.open(path)
    found = await journal.newest(10_000)
    await journal.close()
    kept = [one.desired for one, _ in found]
    assert kept == list(range(len(kept), 0, -1))
    assert last <= len(kept) <= last + 2
    assert {str(outcome) for _, outcome in found} <= {str(APPLIED), str(ENDED)}
    unknown = sum(outcome == ENDED for _, outcome in found)
    assert unknown <= 2
    assert (journal.why, aside(path)) == ("it was closed", [])


@pytest.mark.parametrize("damage", ["no database", "cut off", "holes"])
async def test_a_broken_file_is_put_aside_and_a_new_one_begun(tmp_path: Path, damage: str):
    """Nothing is deleted, nothing stops, and one log line says loudly what happened."""
    path = tmp_path / "journal.db"
    before = await Journal.open(path)
    for number in range(1, 400):
        before.note(acting(number))
    await before.close()
    whole = path.read_bytes()
    broken = {
        "no database": b"not a database at all, but long enough to be one" * 100,
        "cut off": whole[:9_000],
        "holes": whole[:4_096] + b"\xff" * (len(whole) - 4_096),
    }[damage]
    path.write_bytes(broken)
    with capture_logs() as logs:
        after = await Journal.open(path, retry=SOON)
        await after.newest(10_000)
        await after.intend(acting(1))
        await until(lambda: not after.owed, "what was owed is written")
        assert await numbers(after) == [1]
        assert (after.state, after.dropped) == ("open", 0)
        await after.close()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "journal_begun_anew"
    ]
    (kept,) = aside(path)
    assert kept.read_bytes()[:24] == broken[:24]


async def test_a_file_of_a_newer_version_is_put_aside(tmp_path: Path):
    """An older agent does not write into what it does not know, and says which version it found."""
    path = tmp_path / "journal.db"
    before = await Journal.open(path)
    await before.intend(acting(1))
    await before.close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with capture_logs() as logs:
        after = await Journal.open(path)
        assert (await numbers(after), after.state) == ([], "open")
        await after.close()
    (line,) = logs
    assert f"version {len(MIGRATIONS) + 1} of its schema" in line["why"]
    db = sqlite3.connect(aside(path)[0])
    assert db.execute("SELECT count(*) FROM decision").fetchone() == (1,)
    db.close()


async def test_two_broken_files_are_kept_at_most(tmp_path: Path):
    """A disk that breaks files again and again is not filled by them; the newest two stay."""
    path = tmp_path / "journal.db"
    for number in range(5):
        path.write_bytes(b"broken %d" % number * 100)
        journal = await Journal.open(path)
        assert journal.state == "open"
        await journal.close()
    kept = sorted(found.read_bytes()[:8] for found in aside(path))
    assert kept == [b"broken 3", b"broken 4"]
    assert len(kept) == KEPT_ASIDE


async def test_another_programs_database_is_left_alone(tmp_path: Path):
    """A path given by mistake costs the journal, not somebody's data."""
    path = tmp_path / "grafana.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE dashboards (id)")
    db.commit()
    db.close()
    whole = path.read_bytes()
    journal = await Journal.open(path)
    assert journal.state == "degraded"
    assert "another program's database" in journal.why
    await journal.intend(acting(1))
    await journal.close()
    assert (path.read_bytes(), aside(path)) == (whole, [])


def test_an_older_schema_is_brought_forward(tmp_path: Path):
    """Rows of an earlier version stay; a step that fails leaves the file as it was."""
    db = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    migrate(db, ("CREATE TABLE one (a); INSERT INTO one VALUES (1)",))
    steps = ("never run again", "ALTER TABLE one ADD COLUMN b DEFAULT 7")
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, (*steps, "no SQL"))
    assert db.execute("SELECT * FROM one").fetchall() == [(1,)]
    migrate(db, steps)
    assert db.execute("SELECT * FROM one").fetchall() == [(1, 7)]
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    db.close()


async def test_where_no_folder_can_be_the_agent_goes_on(tmp_path: Path):
    """Intents return, `why` names the path, what is owed is bounded, one line is logged."""
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "journal.db"
    with capture_logs() as logs:
        journal = await Journal.open(path, retry=SOON)
        assert journal.state == "degraded"
        assert str(path) in journal.why
        for number in range(OWED + 50):
            await journal.intend(acting(number))
        assert await journal.newest(9) == []
        assert await journal.by_service(9) == {}
        assert (journal.owed, journal.dropped) == (OWED, 50)
        assert [line["event"] for line in logs] == ["journal_not_written"]
        (tmp_path / "file").unlink()
        await until(lambda: journal.state == "open", "open again")
        await until(lambda: not journal.owed, "what was owed is written")
        assert await numbers(journal) == list(range(OWED + 49, 49, -1))
        assert (journal.why, journal.dropped) == ("", 50)
        await journal.close()


_READ_ONLY = """
async def main():
    os.seteuid(65534)
    journal = await Journal.open(path)
    await journal.intend(acting(1))
    print(journal.state, journal.owed, journal.dropped, journal.why, sep="|", flush=True)
    await journal.close()
asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes on another user's id")
@pytest.mark.parametrize("there", [False, True], ids=["no file", "a file"])
def test_a_folder_that_may_only_be_read_degrades(there: bool):
    """Somebody else's folder: said in one sentence, also where a journal lies in it already."""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        path = folder / "journal.db"
        if there:
            migrate(db := sqlite3.connect(path, isolation_level=None))
            db.close()
        process = child(_READ_ONLY, str(path))
        said, _ = process.communicate(timeout=60)
        state, owed, dropped, why = said.strip().splitlines()[-1].split("|")
        assert (process.returncode, state, owed, dropped) == (0, "degraded", "1", "0")
        assert str(path) in why
        assert "only be read" in why or "neither be opened nor created" in why
    finally:
        shutil.rmtree(folder)


_FULL = """
async def main():
    journal = await Journal.open(path, retry=0.05)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    await journal.intend(acting(0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    number = 0
    while journal.state == "open" and number < 5_000:
        number += 1
        await journal.intend(acting(number))
    for more in range(10):
        number += 1
        await journal.intend(acting(number))
    degraded, why = journal.state, journal.why
    read = len(await journal.newest(10_000))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for _ in range(1_000):
        if journal.state == "open" and not journal.owed:
            break
        await asyncio.sleep(0.01)
    found = [one.desired for one, _ in await journal.newest(10_000)]
    print(degraded, 0 < read < number, found == list(range(number, -1, -1)),
          journal.state, journal.dropped, why, sep="|", flush=True)
    await journal.close()
asyncio.run(main())
"""


def test_a_full_disk_degrades_and_recovers(tmp_path: Path):
    """While nothing can be written, what was kept is read and no caller fails; then all is made up.

    A limit on the size of files stands for the full disk: SQLite's writes fail in the same places.
    """
    process = child(_FULL, str(tmp_path / "journal.db"))
    said, _ = process.communicate(timeout=60)
    *found, why = said.strip().splitlines()[-1].split("|")
    assert process.returncode == 0
    assert found == ["degraded", "True", "True", "open", "0"]
    assert "disk" in why


async def test_a_file_that_is_removed_is_begun_anew(tmp_path: Path):
    """Deleting the journal under a running agent does not send later decisions into nowhere."""
    path = tmp_path / "journal.db"
    journal = await Journal.open(path)
    await journal.intend(acting(1))
    for found in tmp_path.glob("journal.db*"):
        found.unlink()
    await until(path.exists, "a new file")
    await journal.intend(acting(2))
    assert await numbers(journal) == [2]
    await journal.close()


async def test_a_lock_of_another_process_is_waited_out(tmp_path: Path):
    """A backup tool that locks the file for seconds costs nothing but time."""
    path = tmp_path / "journal.db"
    journal = await Journal.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with capture_logs() as logs:
        await journal.intend(acting(1))
        said = "another process keeps the file locked"
        await until(lambda: said in journal.why, "the lock is noticed")
        assert journal.state == "degraded"
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: journal.state == "open", "written")
    assert await numbers(journal) == [1]
    assert journal.dropped == 0
    assert [line for line in logs if line["log_level"] == "error"] == []
    await journal.close()


class Hanging:
    """A disk that does not answer until it is let go."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def __call__(self, file, now) -> None:
        self.free.wait(60)


async def test_a_disk_that_hangs_holds_up_neither_loop_nor_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One intent waits its time, the next do not wait at all, and nothing given is lost."""
    monkeypatch.setattr("monitor.store.journal.PATIENCE", 0.05)
    keeper = Keeper(tmp_path / "journal.db", limits(), system_now)
    thread = JournalThread(keeper)
    journal = Journal(keeper, thread, system_now)
    hanging = Hanging()
    thread.submit(Work(hanging, writes=True))
    await journal.intend(acting(1))
    assert journal.state == "degraded"
    assert "has not answered" in journal.why
    for number in range(2, 12):
        waiting = asyncio.create_task(journal.intend(acting(number)))
        await asyncio.sleep(0)
        assert waiting.done()
    await asyncio.wait_for(journal.close(), 30)
    hanging.free.set()
    await asyncio.wrap_future(thread.end())
    after = await Journal.open(tmp_path / "journal.db")
    assert await numbers(after) == list(range(11, 0, -1))
    await after.close()


async def test_a_full_queue_drops_and_counts(tmp_path: Path):
    """Memory is bounded also while the disk hangs."""
    keeper = Keeper(tmp_path / "journal.db", limits(), system_now)
    thread = JournalThread(keeper, queue=5)
    journal = Journal(keeper, thread, system_now)
    hanging = Hanging()
    thread.submit(Work(hanging, writes=True))
    await until(thread._queue.empty, "the thread hangs")
    for number in range(20):
        journal.note(acting(number))
    assert journal.dropped == 15
    hanging.free.set()
    await journal.close()
    assert (journal.dropped, journal.owed) == (15, 0)


async def test_a_fault_of_the_program_does_not_end_the_journal(tmp_path: Path):
    """An error that nobody thought of costs one batch, loudly, never the thread."""

    def broken(file, now):
        raise AttributeError("nobody thought of this")

    keeper = Keeper(tmp_path / "journal.db", limits(), system_now)
    thread = JournalThread(keeper)
    journal = Journal(keeper, thread, system_now)
    with capture_logs() as logs:
        for writes in (False, True):
            work = Work(broken, "fallback", writes=writes)
            assert await asyncio.wrap_future(thread.submit(work)) == "fallback"
        await journal.intend(acting(1))
    events = [line["event"] for line in logs]
    assert events == ["journal_fault", "journal_could_not_keep_a_decision"]
    assert await numbers(journal) == [1]
    assert journal.dropped == 1
    await journal.close()


def limits():
    from monitor.store.journal_bounds import JournalLimits

    return JournalLimits()
