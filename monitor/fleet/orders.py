"""Commands to one peer, from being given until they are answered."""

import asyncio
from dataclasses import dataclass

from monitor.fleet.messages import spell_command
from monitor.fleet.outbox import Outbox
from monitor.model.peer import Command, CommandResult
from monitor.ports.clock import Clock

_ANSWER_SECONDS = 15.0
_MOST = 100
_MAX_BYTES = 64 * 1024


@dataclass(slots=True)
class _Order:
    command: Command
    expires_at: float
    answer: asyncio.Future[CommandResult]
    boot_id: str = ""  # of the agent that it was sent to, "" if to none yet


class Orders:
    """A command survives the connection: on the next one it is sent again, which is safe since
    the other side knows the ids it carried out, unless it is another process by then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._orders: dict[str, _Order] = {}
        self._outbox: Outbox | None = None
        self._boot_id = ""

    async def give(self, command: Command, timeout: float | None = None) -> CommandResult:
        """The peer's answer; one of our own, not done, where none comes in `timeout` seconds
        (by default 15 s more than the command is valid for). ValueError or TypeError for
        arguments that have no JSON of at most 64 KiB.
        """
        if len(spell_command(command, command.expires_in)) > _MAX_BYTES:
            raise ValueError(f"the arguments of command {command.id} are longer than 64 KiB")
        order = self._orders.get(command.id)
        if order is None:
            if len(self._orders) >= _MOST:
                return _not_done(command, f"{_MOST} commands to this node wait for their answer.")
            answer: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
            order = _Order(command, self._clock.now().mono + command.expires_in, answer)
            self._orders[command.id] = order
            self._send(order)
        wait = command.expires_in + _ANSWER_SECONDS if timeout is None else timeout
        try:
            async with asyncio.timeout(wait):
                return await asyncio.shield(order.answer)
        except TimeoutError:
            return _not_done(command, _why(order, wait), known=not order.boot_id)
        finally:
            if self._orders.get(command.id) is order:
                del self._orders[command.id]

    def connected(self, outbox: Outbox, boot_id: str) -> None:
        self._outbox = outbox
        self._boot_id = boot_id
        for order in list(self._orders.values()):
            self._send(order)

    def disconnected(self) -> None:
        self._outbox = None

    def answered(self, result: CommandResult) -> None:
        """Answers to what was not asked, or not any more, are ignored."""
        order = self._orders.get(result.id)
        if order is not None and order.boot_id and not order.answer.done():
            order.answer.set_result(result)

    def _send(self, order: _Order) -> None:
        if self._outbox is None or order.answer.done():
            return
        if order.boot_id not in ("", self._boot_id):
            order.answer.set_result(
                _not_done(
                    order.command,
                    "The agent was restarted before it answered: whether it carried this out is"
                    " not known.",
                    known=False,
                )
            )
            return
        expires_in = order.expires_at - self._clock.now().mono
        if expires_in > 0:
            order.boot_id = self._boot_id
            self._outbox.put(spell_command(order.command, expires_in))


def _not_done(command: Command, detail: str, *, known: bool = True) -> CommandResult:
    return CommandResult(command.id, done=False, detail=detail, known=known)


def _why(order: _Order, wait: float) -> str:
    if not order.boot_id:
        return "It was not sent: there was no connection to this node's agent in time."
    return f"No answer came within {wait:.0f} s: whether it was carried out is not known."
