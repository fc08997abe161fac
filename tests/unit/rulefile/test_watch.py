"""Rules that are followed while files change."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.model.now import Now
from monitor.model.rule import RuleSet
from monitor.rulefile.read import Snapshot, read
from monitor.rulefile.watch import WatchedRules
from tests.unit.rulefile import bad

SIX = bad.SCALE.replace("max: 5", "max: 6")
SEVEN = bad.SCALE.replace("max: 5", "max: 7")


class FixedClock:
    def now(self) -> Now:
        return Now(mono=1.0, wall=1000.0)

    def random(self) -> float:
        return 0.5


class Follower:
    """A watched folder with `a.yml` in it, and the rule sets that were announced."""

    def __init__(self, path: Path, poll: float) -> None:
        self.announced: list[RuleSet] = []
        self.rules = WatchedRules(
            [path], self.announced.append, clock=FixedClock(), poll=poll, settle=0.02
        )

    def max(self) -> int | None:
        """The one rule's `max`, by which the tests tell versions apart."""
        rules = self.rules.current().rules
        return getattr(rules[0], "max", None) if rules else None

    async def until(self, wanted: int | None) -> None:
        async with asyncio.timeout(20):
            while self.max() != wanted:
                await asyncio.sleep(0.01)

    async def until_problem(self, text: str) -> None:
        async with asyncio.timeout(20):
            while not any(text in problem for problem in self.rules.problems()):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def following(path: Path, poll: float = 3600.0) -> AsyncIterator[Follower]:
    """Polling is as good as off by default, so that notifications are what is tested."""
    follower = Follower(path, poll)
    task = asyncio.create_task(follower.rules.run())
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def replace(file: Path, text: str) -> None:
    """As editors and deploys do: write beside, then rename."""
    beside = file.with_name(".new")
    beside.write_text(text)
    beside.rename(file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "rules"
    path.mkdir()
    (path / "a.yml").write_text(bad.SCALE)
    return path


async def test_written_file_takes_effect(folder: Path) -> None:
    """A file that is written in place is noticed and its rules replace the old ones."""
    async with following(folder) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        (folder / "a.yml").write_text(SIX)
        await follower.until(6)
        assert [rules.digest for rules in follower.announced] == [
            follower.announced[0].digest,
            follower.rules.current().digest,
        ]


async def test_renamed_file_takes_effect(folder: Path) -> None:
    """An editor's atomic rename is noticed, twice in a row too."""
    async with following(folder) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        for text, wanted in ((SIX, 6), (SEVEN, 7)):
            replace(folder / "a.yml", text)
            await follower.until(wanted)


async def test_single_file_is_followed_through_renames(folder: Path) -> None:
    """A single watched file is followed although each rename makes it another inode."""
    async with following(folder / "a.yml") as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        for text, wanted in ((SIX, 6), (SEVEN, 7)):
            replace(folder / "a.yml", text)
            await follower.until(wanted)


async def test_swapped_link_takes_effect(tmp_path: Path) -> None:
    """Files that are links through one link change all at once when that one is swapped."""
    for number, text in (("1", bad.SCALE), ("2", SIX)):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "a.yml").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.yml").symlink_to("..data/a.yml")
    async with following(tmp_path) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        (tmp_path / "..new").symlink_to("..2")
        (tmp_path / "..new").rename(tmp_path / "..data")
        await follower.until(6)


async def test_bad_file_leaves_good_rules_in_force(folder: Path) -> None:
    """A broken file shows as a problem and changes nothing else; mended, it takes effect."""
    async with following(folder) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        before = follower.rules.current()
        (folder / "a.yml").write_text(bad.SCALING["min quoted"])
        await follower.until_problem("a.yml:6:12: scale.min")
        assert follower.rules.current() is before
        status = follower.rules.status()
        assert not status.last_reload_successful
        assert (status.reloads, status.failures) == (1, 1)
        assert (status.last_success_wall, status.digest) == (1000.0, before.digest)
        replace(folder / "a.yml", SIX)
        await follower.until(6)
        assert follower.rules.problems() == ()
        assert follower.rules.status().last_reload_successful
        assert follower.rules.status().digest == follower.rules.current().digest != before.digest


async def test_one_bad_file_holds_back_all(folder: Path) -> None:
    """The files are taken together or not at all."""
    async with following(folder) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        (folder / "b.yml").write_text("version: 2\nrules: []\n")
        await follower.until_problem("b.yml:1:10")
        (folder / "a.yml").write_text(SIX)
        await asyncio.sleep(0.5)
        assert follower.max() == 5
        (folder / "b.yml").unlink()
        await follower.until(6)


async def test_folder_that_disappears_and_comes_back(folder: Path) -> None:
    """Without the folder the old rules stay; a new folder at its place is followed again."""
    async with following(folder) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        shutil.rmtree(folder)
        await follower.until_problem("no such file or folder")
        assert follower.max() == 5
        folder.mkdir()
        (folder / "a.yml").write_text(SIX)
        await follower.until(6)
        await asyncio.sleep(0.3)
        replace(folder / "a.yml", SEVEN)
        await follower.until(7)


async def test_changes_without_notification_are_polled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system tells nothing, the content is looked at from time to time."""

    async def deaf(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("monitor.rulefile.watch.notice", deaf)
    async with following(folder, poll=0.05) as follower:
        await follower.until(5)
        # Same size and same time: only the content tells.
        times = (folder / "a.yml").stat()
        (folder / "a.yml").write_text(SIX)
        os.utime(folder / "a.yml", ns=(times.st_atime_ns, times.st_mtime_ns))
        await follower.until(6)


async def test_half_written_file_is_never_applied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows is taken once it stays the same, even where each part would be valid."""
    rules = SIX.removeprefix(bad.HEAD)
    readings = 0

    def growing(paths: Iterable[Path]) -> Snapshot:
        nonlocal readings
        readings += 1
        if readings <= 40:
            with (folder / "a.yml").open("a") as file:
                file.write(rules.replace("name: web", f"name: web-{readings}"))
        return read(paths)

    monkeypatch.setattr("monitor.rulefile.watch.read", growing)
    follower = Follower(folder, 1.0)
    assert await follower.rules.reload()
    assert [len(announced.rules) for announced in follower.announced] == [41]


async def test_file_that_never_rests_is_not_applied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes between any two readings leaves the old rules in force."""
    follower = Follower(folder, 1.0)
    assert await follower.rules.reload()

    def restless(paths: Iterable[Path]) -> Snapshot:
        with (folder / "a.yml").open("a") as file:
            file.write("# more\n")
        return read(paths)

    monkeypatch.setattr("monitor.rulefile.watch.read", restless)
    before = follower.rules.current()
    assert await follower.rules.reload() is False
    assert follower.rules.current() is before


async def test_truncated_file_is_no_empty_set_of_rules(folder: Path) -> None:
    """A file that was cut to nothing is a problem: its rules stay in force."""
    async with following(folder) as follower:
        await follower.until(5)
        await asyncio.sleep(0.3)
        (folder / "a.yml").write_text("")
        await follower.until_problem("the file is empty")
        assert follower.max() == 5


async def test_bad_files_at_the_start(folder: Path) -> None:
    """Without any good rules there are none, and the reload says so."""
    (folder / "a.yml").write_text("version: 3")
    follower = Follower(folder, 1.0)
    assert await follower.rules.reload() is False
    assert follower.rules.current() == RuleSet()
    assert follower.announced == []
    assert not follower.rules.status().last_reload_successful
    (folder / "a.yml").write_text(bad.SCALE)
    assert await follower.rules.reload() is True
    assert follower.announced == [follower.rules.current()]


async def test_same_content_is_announced_once(folder: Path) -> None:
    """Comments and moved lines replace the positions, but are no change of rules."""
    follower = Follower(folder, 1.0)
    assert await follower.rules.reload()
    (folder / "a.yml").write_text("# a comment\n" + bad.SCALE)
    assert await follower.rules.reload()
    assert follower.rules.current().rules[0].source == f"{folder}/a.yml:4"
    assert len(follower.announced) == 1


async def test_log_has_one_line_per_change(folder: Path) -> None:
    """A load and a failure are one line each; the same failure again is none."""
    follower = Follower(folder, 1.0)
    with capture_logs() as lines:
        await follower.rules.reload()
        await follower.rules.reload()
        (folder / "a.yml").write_text("version: 2\nrules: []\n")
        await follower.rules.reload()
        (folder / "a.yml").write_text("version: 2\nrules: []\n# still\n")
        await follower.rules.reload()
    assert [line["event"] for line in lines] == ["rules_loaded", "rules_refused"]
    assert lines[1]["problem"] == f"{folder}/a.yml:1:10: version: must be 1: write version: 1"
    assert lines[1]["problems"] == 1


async def test_two_hundred_bad_files_never_replace_good_rules(folder: Path) -> None:
    """Through all kinds of bad content the same rules stay in force, and every one is told."""
    follower = Follower(folder, 1.0)
    await follower.rules.reload()
    before = follower.rules.current()
    good = bad.SCALE
    cuts = [good[:end] for end in range(0, len(good) - 1, 2)]
    for text in [*bad.ALL.values(), *cuts]:
        (folder / "a.yml").write_bytes(text.encode())
        follower.rules._settle = 0.0
        if not await follower.rules.reload():
            assert follower.rules.problems()
            assert follower.rules.current() is before
        else:
            assert follower.rules.current() == before


async def test_stops_at_once(folder: Path) -> None:
    """Cancelled, it leaves no thread that waits for the file system behind."""
    follower = Follower(folder, 3600.0)
    task = asyncio.create_task(follower.rules.run())
    await follower.until(5)
    await asyncio.sleep(0.3)
    task.cancel()
    async with asyncio.timeout(10):
        with suppress(asyncio.CancelledError):
            await task
    assert task.cancelled()
