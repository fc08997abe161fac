"""What waits to be sent stays bounded."""

import asyncio

from monitor.fleet.ends import End
from monitor.fleet.messages import Samples, Table, read
from monitor.fleet.outbox import MAX_WAITING, Outbox
from monitor.fleet.rows import ReportEncoder
from tests.simulated.virtual import virtual
from tests.unit.fleet.build import report


async def drain(outbox: Outbox) -> list[bytes]:
    found = []
    while (content := outbox._next()) is not None:
        found.append(content)
    return found


@virtual()
async def test_of_reports_and_words_on_itself_the_newest_alone_waits() -> None:
    """A hundred reports for a reader that sleeps become one, behind its table."""
    outbox, encoder = Outbox(), ReportEncoder()
    for second in range(100):
        outbox.put_about(b"about %d" % second)
        outbox.put_report(encoder.encode(report("t1", sent_at=float(second))))
    said, table, samples = await drain(outbox)
    assert said == b"about 99"
    assert isinstance(read(table), Table)
    newest = read(samples)
    assert isinstance(newest, Samples)
    assert newest.sent_at == 99.0


@virtual()
async def test_a_table_is_sent_once_and_before_its_rows() -> None:
    """Also where the tasks change between the table and the rows it was for."""
    outbox, encoder = Outbox(), ReportEncoder()
    outbox.put_report(encoder.encode(report("t1")))
    first = read(await outbox.take())
    outbox.put_report(encoder.encode(report("t2")))
    second = read(await outbox.take())
    rows = read(await outbox.take())
    assert isinstance(first, Table)
    assert isinstance(second, Table)
    assert isinstance(rows, Samples)
    assert first.number != second.number == rows.table
    outbox.put_report(encoder.encode(report("t2")))
    assert isinstance(read(await outbox.take()), Samples)


@virtual()
async def test_events_keep_their_order_and_go_before_samples() -> None:
    """Nothing of them is replaced."""
    outbox = Outbox()
    outbox.put_report(ReportEncoder().encode(report("t1")))
    for number in range(5):
        outbox.put(b"%d" % number)
    assert (await drain(outbox))[:5] == [b"0", b"1", b"2", b"3", b"4"]


@virtual()
async def test_one_too_many_ends_the_connection() -> None:
    """1,000 lines wait, or 4 MiB of them; one more is not taken and the reader is slow."""
    for lines, size in ((MAX_WAITING, 1), (4, 1 << 20)):
        outbox = Outbox()
        for _ in range(lines):
            outbox.put(b"x" * size)
        assert not outbox._end.done()
        outbox.put(b"x")
        assert (await outbox.ended()).kind is End.SLOW
        assert len(await drain(outbox)) == lines


@virtual()
async def test_room_comes_back_as_lines_are_taken() -> None:
    """Any number of lines passes as long as they are read."""
    outbox = Outbox()
    for _ in range(10):
        for _ in range(MAX_WAITING):
            outbox.put(b"x" * 4000)
        await drain(outbox)
    assert not outbox._end.done()


@virtual()
async def test_taking_waits_for_something_to_send() -> None:
    """An idle connection costs nothing until the next line."""
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.take())
    await asyncio.sleep(100)
    assert not waiting.done()
    outbox.put(b"line")
    assert await waiting == b"line"
