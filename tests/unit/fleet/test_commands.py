"""Commands: at most once, never late, always answered."""

import asyncio

from monitor.fleet.commands import CommandDesk, refuse_all
from monitor.fleet.messages import read
from monitor.fleet.orders import Orders
from monitor.fleet.outbox import Outbox
from monitor.fleet.stats import Counters
from monitor.model.peer import Command, CommandResult
from monitor.simulate.clock import VirtualClock
from tests.simulated.virtual import virtual


def command(number: object = 1, expires_in: float = 10.0, **arguments: object) -> Command:
    return Command(f"d{number}", "stop_task", 1, expires_in, arguments)


class Worker:
    """A handler that takes `seconds` for each command and remembers which came."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.seen: list[str] = []

    async def __call__(self, order: Command) -> CommandResult:
        self.seen.append(order.id)
        await asyncio.sleep(self.seconds)
        return CommandResult(order.id, True, f"number {len(self.seen)}")


def desk_for(handler: object) -> tuple[CommandDesk, list[CommandResult], Counters]:
    counters = Counters()
    return CommandDesk(VirtualClock(), handler, counters), [], counters


@virtual()
async def test_a_repeated_id_is_answered_not_carried_out() -> None:
    """A second one of the same id has the first one's result, while it runs and afterwards."""
    worker = Worker(seconds=2.0)
    desk, answers, counters = desk_for(worker)
    async with desk.open():
        desk.submit(command(), answers.append)
        await asyncio.sleep(1)
        desk.submit(command(), answers.append)
        assert answers == []
        await asyncio.sleep(5)
        desk.submit(command(), answers.append)
        assert answers == [CommandResult("d1", True, "number 1")] * 3
        assert worker.seen == ["d1"]
        assert (counters.commands, counters.refused_commands) == (1, 2)


@virtual()
async def test_an_id_is_known_for_longer_than_it_is_valid() -> None:
    """Two minutes after its expiry, and no sooner, an id may be forgotten."""
    worker = Worker()
    desk, answers, _ = desk_for(worker)
    async with desk.open():
        desk.submit(command(expires_in=10), answers.append)
        await asyncio.sleep(129)
        desk.submit(command(expires_in=10), answers.append)
        assert worker.seen == ["d1"]
        await asyncio.sleep(2)
        desk.submit(command(2), answers.append)
        await asyncio.sleep(0.1)
        assert list(desk._entries) == ["d2"]


@virtual()
async def test_an_expired_command_is_refused() -> None:
    """What has no time left when it arrives is not begun, and may still come in time later."""
    worker = Worker()
    desk, answers, _ = desk_for(worker)
    async with desk.open():
        desk.submit(command(expires_in=0.0), answers.append)
        desk.submit(command(expires_in=-5.0), answers.append)
        assert [answer.done for answer in answers] == [False, False]
        assert "expired" in answers[0].detail
        assert worker.seen == []


@virtual()
async def test_too_many_at_once_are_refused() -> None:
    """Sixteen are carried out at once; the next is refused in a sentence, and so is one that
    comes when nobody carries out anything."""
    worker = Worker(seconds=5.0)
    desk, answers, _ = desk_for(worker)
    desk.submit(command("early"), answers.append)
    assert "stops" in answers.pop().detail
    async with desk.open():
        for number in range(17):
            desk.submit(command(number), answers.append)
        assert [answer.id for answer in answers] == ["d16"]
        assert not answers[0].done
        await asyncio.sleep(6)
        assert len(answers) == 17
        desk.submit(command(16), answers.append)  # it was never begun, so it may be now
        await asyncio.sleep(6)
        assert answers[-1].done


@virtual()
async def test_a_handler_that_fails_or_hangs_is_answered_for() -> None:
    """An error and 60 s without an end become results that say so; the desk goes on."""

    async def bad(order: Command) -> CommandResult:
        if order.id == "d1":
            raise ZeroDivisionError
        await asyncio.sleep(10_000)
        raise AssertionError

    desk, answers, _ = desk_for(bad)
    async with desk.open():
        desk.submit(command(1), answers.append)
        desk.submit(command(2), answers.append)
        await asyncio.sleep(61)
        assert [answer.id for answer in answers] == ["d1", "d2"]
        assert "ZeroDivisionError" in answers[0].detail
        assert "60 s" in answers[1].detail
        assert not any(answer.done for answer in answers)


@virtual()
async def test_the_default_refuses_every_kind() -> None:
    """An agent without a handler says that it carries out nothing of the kind."""
    result = await refuse_all(command())
    assert not result.done
    assert "'stop_task'" in result.detail


@virtual()
async def test_memory_of_ids_is_bounded() -> None:
    """Beyond 10,000 ids that may still be valid no more commands are taken."""
    desk, answers, _ = desk_for(Worker())
    async with desk.open():
        for number in range(10_000):
            desk.submit(command(number), answers.append)
            if number % 16 == 15:
                await asyncio.sleep(0.001)
        desk.submit(command("last"), answers.append)
        assert "no more are taken" in answers[-1].detail
        await asyncio.sleep(200)
        desk.submit(command("later"), answers.append)
        await asyncio.sleep(1)
        assert answers[-1].done


@virtual()
async def test_stopping_cancels_what_is_under_way() -> None:
    """Leaving the block does not wait for a handler that hangs."""
    worker = Worker(seconds=1000.0)
    desk, answers, _ = desk_for(worker)
    async with desk.open():
        desk.submit(command(), answers.append)
        await asyncio.sleep(1)
    assert VirtualClock().now().mono < 1010
    assert answers == []


async def sent(outbox: Outbox) -> Command:
    message = read(await outbox.take())
    assert isinstance(message, Command)
    return message


@virtual()
async def test_an_order_is_sent_again_on_the_next_connection() -> None:
    """With what is left of its time, to the same process, whose answer counts."""
    orders = Orders(VirtualClock())
    first, second = Outbox(), Outbox()
    orders.connected(first, "boot1")
    waiting = asyncio.create_task(orders.give(command(task="t1")))
    assert (await sent(first)).expires_in == 10.0
    orders.disconnected()
    await asyncio.sleep(4)
    orders.connected(second, "boot1")
    again = await sent(second)
    assert (again.id, again.expires_in, again.arguments) == ("d1", 6.0, {"task": "t1"})
    orders.answered(CommandResult("other", True))
    orders.answered(CommandResult("d1", True, "so it is"))
    assert await waiting == CommandResult("d1", True, "so it is")
    assert orders._orders == {}


@virtual()
async def test_an_order_is_not_sent_to_another_process() -> None:
    """A restarted agent does not know the ids it carried out: the answer is that none is known."""
    orders = Orders(VirtualClock())
    first, second = Outbox(), Outbox()
    orders.connected(first, "boot1")
    waiting = asyncio.create_task(orders.give(command()))
    await sent(first)
    orders.connected(second, "boot2")
    result = await waiting
    assert not result.done
    assert "not known" in result.detail
    assert second._next() is None


@virtual()
async def test_an_order_that_reaches_nobody_is_not_done() -> None:
    """Without a connection it was not sent; with one but no answer nothing is known."""
    orders = Orders(VirtualClock())
    result = await orders.give(command(), timeout=3.0)
    assert (result.done, "not sent" in result.detail) == (False, True)
    waiting = asyncio.create_task(orders.give(command(2, expires_in=1.0)))
    await asyncio.sleep(2)
    outbox = Outbox()
    orders.connected(outbox, "boot1")
    assert outbox._next() is None  # it has expired meanwhile
    assert "not sent" in (await waiting).detail
    result = await orders.give(command(3))
    assert "not known" in result.detail


@virtual()
async def test_the_same_order_given_twice_is_one() -> None:
    """Both callers have the one answer."""
    orders = Orders(VirtualClock())
    outbox = Outbox()
    orders.connected(outbox, "boot1")
    both = [asyncio.create_task(orders.give(command())) for _ in range(2)]
    await sent(outbox)
    assert outbox._next() is None
    orders.answered(CommandResult("d1", True))
    assert [await one for one in both] == [CommandResult("d1", True)] * 2
