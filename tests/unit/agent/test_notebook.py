"""What was decided is in the book of the next run, and no disk stops the agent."""

import asyncio
from pathlib import Path

import pytest

from monitor.agent.notebook import FILE, Notebook
from monitor.control.book import Book
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from tests.unit.build import decision

APPLIED = Outcome(OutcomeKind.APPLIED, "version 11")


class Told:
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def decided(self, decision: Decision, new: bool) -> None:
        self.heard.append(("decided", decision.id, new))

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        self.heard.append(("wrote", decision.id, outcome.kind))

    def learned(self, decision: Decision, outcome: Outcome | None) -> None: ...

    def forgot(self, rule: str, service_name: str) -> None:
        self.heard.append(("forgot", rule, service_name))


def acting(number: int) -> Decision:
    return decision(ScaleTo(number), id=f"r1/s1/10/{number}", desired=number)


def held(number: int) -> Decision:
    return decision(id=f"r1/s1/10/{number}", reason=Reason.COOLDOWN, desired=number)


async def a_run(folder: Path | None) -> list[tuple[object, ...]]:
    told = Told()
    notebook = Notebook(told)
    async with notebook.open(folder, Book()):
        notebook.decided(held(3), True)
        notebook.decided(held(4), False)
        await notebook.before_write(acting(5))
        notebook.decided(acting(5), True)
        notebook.wrote(acting(5), APPLIED)
        notebook.forgot("r1", "web")
    return told.heard


async def read_back(folder: Path) -> Book:
    book = Book()
    async with Notebook(Told()).open(folder, book):
        return book


def test_decisions_of_an_earlier_run_are_in_the_book_at_the_next_start(tmp_path: Path) -> None:
    """The one that acted with its outcome, the one that was new; not the repetition. In order."""

    async def run() -> None:
        await a_run(tmp_path)
        book = await read_back(tmp_path)
        entries = book.entries("web")
        assert sorted(entry.decision.id for entry in entries) == ["r1/s1/10/3", "r1/s1/10/5"]
        wrote = next(entry for entry in entries if entry.decision.id == "r1/s1/10/5")
        assert wrote.outcome == APPLIED
        assert wrote.decision.action == ScaleTo(5)
        assert [entry.decision.id for entry in book.latest()] == ["r1/s1/10/5"]

    asyncio.run(run())


def test_a_write_whose_outcome_never_came_is_known_by_its_intent(tmp_path: Path) -> None:
    """The agent died right after it noted it."""

    async def run() -> None:
        notebook = Notebook(Told())
        async with notebook.open(tmp_path, Book()):
            await notebook.before_write(acting(5))
        (entry,) = (await read_back(tmp_path)).entries("web")
        assert entry.decision.id == "r1/s1/10/5"
        assert entry.outcome is None or entry.outcome.kind is OutcomeKind.UNKNOWN

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["none", "a folder", "a file in the way", "garbage"])
def test_whatever_the_disk_does_everything_is_handed_on(tmp_path: Path, kind: str) -> None:
    """Without a folder, and with one in which nothing can be kept."""
    folder: Path | None = tmp_path / "data"
    if kind == "none":
        folder = None
    elif kind == "a file in the way":
        (tmp_path / "data").write_text("no folder")
    elif kind == "garbage":
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / FILE).write_bytes(b"no database" * 1000)
    assert asyncio.run(a_run(folder)) == [
        ("decided", "r1/s1/10/3", True),
        ("decided", "r1/s1/10/4", False),
        ("decided", "r1/s1/10/5", True),
        ("wrote", "r1/s1/10/5", OutcomeKind.APPLIED),
        ("forgot", "r1", "web"),
    ]


def test_it_tells_how_much_it_could_not_keep_while_there_is_a_journal(tmp_path: Path) -> None:
    async def run() -> None:
        notebook = Notebook(Told())
        async with notebook.open(None, Book()):
            assert notebook.dropped is None
        async with notebook.open(tmp_path, Book()):
            assert notebook.dropped == 0
        assert notebook.dropped is None

    asyncio.run(run())
