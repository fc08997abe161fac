"""What is kept of decisions, across runs of the agent, on real files."""

import asyncio
import sqlite3
import zlib
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.codec import Codec
from monitor.model.decision import Condition, Decision, Input, Stage
from monitor.model.history import Seen
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.store.journal import Journal
from monitor.store.journal_row import ENDED, LARGE, pack, unpack
from tests.unit.build import decision

APPLIED = Outcome(OutcomeKind.APPLIED, "version 11", "abc")


@asynccontextmanager
async def journal(path: Path, **settings):
    opened = await Journal.open(path, **settings)
    try:
        yield opened
    finally:
        await opened.close()


def acting(number: int, **fields) -> Decision:
    return decision(ScaleTo(number), id=f"r1/s1/10/{number}", desired=number, **fields)


def full() -> Decision:
    """A decision with something in every field, an odd number, and enough to be compressed."""
    return acting(
        3,
        stages=(Stage("raw", 2.5, "mean"), Stage("final", None), Stage("odd", float("inf"))),
        inputs=tuple(Input("cpu", f"task{n}", n / 3, n % 2 == 0, "young") for n in range(60)),
        conditions=(Condition("AbleToScale", True, "ReadyForNewScale", "ünïcode \u2713"),),
        recommendation=3,
        holding=(("memory", 12.5),),
        recheck_after=1.5,
        binding="max",
        would_change="a higher max",
        seen=Seen(10, 2, "t1", True),
        failing=True,
    )


def test_a_decision_comes_back_whole_from_its_bytes():
    """Nothing is lost or rounded on the way to the disk, large or small."""
    large, small = pack(Codec(), full()), pack(Codec(), decision(ForceUpdate()))
    assert (small[:1], large[:1]) == (b"{", b"\x78")
    assert len(small) < LARGE < len(zlib.decompress(large))
    assert unpack(Codec(), large) == full()
    assert unpack(Codec(), small) == decision(ForceUpdate())


async def test_what_was_written_is_read_in_the_same_run(tmp_path: Path):
    """An intent has no outcome until it is known; a note never has one; newest come first."""
    async with journal(tmp_path / "deep" / "er" / "journal.db") as kept:
        assert (kept.state, kept.why) == ("open", "")
        await kept.intend(acting(3))
        kept.note(decision(id="noted", reason=Reason.AT_MAX))
        found = await kept.newest(10)
        assert found == [(decision(id="noted", reason=Reason.AT_MAX), None), (acting(3), None)]
        kept.outcome(acting(3), APPLIED)
        assert (await kept.newest(10))[1] == (acting(3), APPLIED)
    assert kept.state == "closed"


async def test_another_run_finds_everything_again(tmp_path: Path):
    """After a restart decisions are whole, with their outcomes, in the order of their writing."""
    path = tmp_path / "journal.db"
    async with journal(path) as before:
        await before.intend(full())
        before.outcome(full(), APPLIED)
        for number in range(4, 9):
            before.note(acting(number))
    async with journal(path) as after:
        found = await after.newest(100)
    assert [one.desired for one, _ in found] == [8, 7, 6, 5, 4, 3]
    last, outcome = found[-1]
    assert outcome == APPLIED
    assert replace(last, time=full().time, holding=full().holding) == full()


async def test_an_intent_that_nobody_ended_says_so_in_the_next_run(tmp_path: Path):
    """A crash between intent and outcome is shown as what it is; a note has nothing to end."""
    path = tmp_path / "journal.db"
    async with journal(path) as before:
        await before.intend(acting(3))
        before.note(decision(id="noted"))
    async with journal(path) as after:
        assert [outcome for _, outcome in await after.newest(9)] == [None, ENDED]
    assert ENDED.detail == "the agent ended before it knew"


async def test_a_later_outcome_takes_the_place_of_an_earlier(tmp_path: Path):
    """A lost answer that turns out to have been applied is one row, with the last word."""
    async with journal(tmp_path / "journal.db") as kept:
        await kept.intend(acting(3))
        kept.outcome(acting(3), Outcome(OutcomeKind.UNKNOWN, "the answer was lost"))
        kept.outcome(acting(3), APPLIED)
        kept.note(acting(3))
        assert await kept.newest(9) == [(acting(3), APPLIED)]


async def test_an_outcome_without_an_intent_keeps_the_decision(tmp_path: Path):
    """What became of a write is kept also where its intent could not be written."""
    async with journal(tmp_path / "journal.db") as kept:
        kept.outcome(acting(3), APPLIED)
        assert await kept.newest(9) == [(acting(3), APPLIED)]


async def test_equal_ids_of_two_runs_are_two_decisions(tmp_path: Path):
    """Ids count from 1 in each run: an outcome never goes to an earlier run's decision."""
    path = tmp_path / "journal.db"
    async with journal(path) as before:
        await before.intend(acting(3))
    async with journal(path) as after:
        await after.intend(acting(3))
        after.outcome(acting(3), APPLIED)
        assert [outcome for _, outcome in await after.newest(9)] == [APPLIED, ENDED]


async def test_decisions_without_an_id_are_kept_each(tmp_path: Path):
    """No id is not the same id."""
    async with journal(tmp_path / "journal.db") as kept:
        kept.note(decision(id=""))
        kept.note(decision(id=""))
        assert len(await kept.newest(9)) == 2


async def test_newest_of_one_service_and_rule(tmp_path: Path):
    """The limit counts what was asked for, not what lies between."""
    async with journal(tmp_path / "journal.db") as kept:
        for number in range(30):
            name, rule = ("web", "api")[number % 2], ("r1", "r2", "r3")[number % 3]
            kept.note(acting(number, service_name=name, rule=rule))
        assert [one.desired for one, _ in await kept.newest(3)] == [29, 28, 27]
        assert [one.desired for one, _ in await kept.newest(3, "web")] == [28, 26, 24]
        assert [one.desired for one, _ in await kept.newest(2, rule="r3")] == [29, 26]
        assert [one.desired for one, _ in await kept.newest(2, "web", "r3")] == [26, 20]
        assert await kept.newest(5, "nobody' OR 1 --") == []


async def test_by_service_gives_each_its_newest(tmp_path: Path):
    """A busy service does not push a calm one out of what is read at the start."""
    path = tmp_path / "journal.db"
    async with journal(path) as kept:
        kept.note(acting(1, service_id="calm"))
        for number in range(2, 60):
            kept.note(acting(number, service_id="busy", rule="ab"[number % 2]))
    async with journal(path) as after:
        found = await after.by_service(3)
    numbers = {key: [one.desired for one, _ in kept] for key, kept in found.items()}
    assert numbers == {
        ("calm", "r1"): [1],
        ("busy", "a"): [58, 56, 54],
        ("busy", "b"): [59, 57, 55],
    }


async def test_times_of_an_earlier_run_become_ages(tmp_path: Path):
    """Monotonic time starts anew with each boot: what is read is as old as wall time says."""
    path = tmp_path / "journal.db"
    async with journal(path, now=lambda: Now(5_000.0, 1_000.0)) as before:
        before.note(acting(1, time=Now(4_000.0, 990.0), holding=(("memory", 3_970.0),)))
        before.note(acting(2, time=Now(4_010.0, 2_000.0)))
    async with journal(path, now=lambda: Now(50.0, 1_100.0)) as after:
        (future, _), (past, _) = await after.newest(9)
    assert (future.time, past.time) == (Now(50.0, 2_000.0), Now(-60.0, 990.0))
    assert past.holding == (("memory", -90.0),)


async def test_ages_keep_the_order_of_writing(tmp_path: Path):
    """A wall clock that jumped back an hour does not put the newer decision behind the older."""
    path = tmp_path / "journal.db"
    async with journal(path) as before:
        before.note(acting(1, time=Now(10.0, 7_200.0)))
        before.note(acting(2, time=Now(20.0, 3_600.0)))
    async with journal(path, now=lambda: Now(0.0, 7_300.0)) as after:
        found = [one for one, _ in await after.newest(9)]
    assert [one.desired for one in found] == [2, 1]
    assert found[0].time.mono == -3_700.0
    assert found[1].time.mono == -3_700.0


async def test_a_row_that_holds_no_decision_is_passed_over(tmp_path: Path):
    """One damaged or foreign row costs that row alone, and is counted."""
    path = tmp_path / "journal.db"
    async with journal(path) as before:
        for number in range(1, 5):
            before.note(acting(number))
    bodies = {1: b"{}", 2: b"\x78broken", 3: b'{"time": {"mono": 1, "warp": 2}}'}
    with sqlite3.connect(path) as db:
        for number, body in bodies.items():
            db.execute("UPDATE decision SET body = ? WHERE seq = ?", (body, number))
    db.close()
    async with journal(path) as after:
        assert [one.desired for one, _ in await after.newest(9)] == [4]
        assert after.unreadable == 3


async def test_a_decision_that_cannot_be_written_spoils_no_other(tmp_path: Path):
    """Text that has no UTF-8 costs its own decision, counted; its neighbours are kept."""
    async with journal(tmp_path / "journal.db") as kept:
        kept.note(acting(1))
        kept.note(acting(2, service_name="\ud800"))
        await kept.intend(acting(3))
        assert [one.desired for one, _ in await kept.newest(9)] == [3, 1]
        assert (kept.dropped, kept.state) == (1, "open")


async def test_somebody_may_read_while_it_writes(tmp_path: Path):
    """A reader with an open transaction neither stops the writer nor sees half of anything."""
    path = tmp_path / "journal.db"
    async with journal(path) as kept:
        await kept.intend(acting(1))
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM decision").fetchone() == (1,)
        for number in range(2, 40):
            await kept.intend(acting(number))
        assert reader.execute("SELECT count(*) FROM decision").fetchone() == (1,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM decision").fetchone() == (39,)
        reader.close()
        assert (kept.state, kept.dropped) == ("open", 0)


async def test_two_agents_may_overlap_on_one_file(tmp_path: Path):
    """An update that starts the new agent first has both write for a while; none loses anything."""
    path = tmp_path / "journal.db"
    async with journal(path) as one, journal(path) as other:
        for number in range(50):
            await asyncio.gather(one.intend(acting(number)), other.intend(acting(number)))
        one.outcome(acting(7), APPLIED)
        await one.newest(1)
        found = await other.newest(1_000)
    assert len(found) == 100
    assert [outcome for _, outcome in found].count(APPLIED) == 1


async def test_a_cancelled_intent_is_kept_all_the_same(tmp_path: Path):
    """An agent that is being stopped in the middle leaves the file in order."""
    async with journal(tmp_path / "journal.db") as kept:
        waiting = asyncio.create_task(kept.intend(acting(1)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        assert [one.desired for one, _ in await kept.newest(9)] == [1]


async def test_closing_writes_what_is_in_hand(tmp_path: Path):
    """Notes that nobody waited for are on disk after close; what comes later is counted."""
    path = tmp_path / "journal.db"
    kept = await Journal.open(path)
    for number in range(500):
        kept.note(acting(number))
    await kept.close()
    await kept.close()
    kept.note(acting(501))
    await kept.intend(acting(502))
    assert (await kept.newest(9), kept.dropped) == ([], 2)
    async with journal(path) as after:
        assert len(await after.newest(1_000)) == 500
