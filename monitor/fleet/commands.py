"""Commands from managers, each carried out at most once on this node."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from monitor.fleet.stats import Counters
from monitor.model.peer import Command, CommandResult
from monitor.ports.clock import Clock

OnCommand = Callable[[Command], Awaitable[CommandResult]]
Answer = Callable[[CommandResult], None]

_MOST_IDS = 10_000
_MOST_AT_ONCE = 16
_MOST_WAITING = 8
_RUN_SECONDS = 60.0
# How much longer an id is known than its command could still be begun: no connection lives on
# for longer without a word, so no late copy of the command arrives after that.
_REMEMBER_SECONDS = 60.0


@dataclass(slots=True)
class _Entry:
    forget_at: float
    result: CommandResult | None = None
    waiting: list[Answer] = field(default_factory=list)


class CommandDesk:
    """Remembers which ids came, until they could not be valid any more."""

    def __init__(self, clock: Clock, on_command: OnCommand, counters: Counters) -> None:
        self._clock = clock
        self._on_command = on_command
        self._counters = counters
        self._entries: dict[str, _Entry] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._is_open = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Commands are carried out while the block lasts; those under way then are cancelled."""
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            for task in self._running:
                task.cancel()
            if self._running:
                await asyncio.wait(self._running)

    def submit(self, command: Command, answer: Answer) -> None:
        """Calls `answer` once with the result, at once or later; a repeated id has the first's."""
        now = self._clock.now().mono
        self._forget(now)
        known = self._entries.get(command.id)
        if known is not None:
            self._counters.refused_commands += 1
            if known.result is not None:
                answer(known.result)
            elif len(known.waiting) < _MOST_WAITING:
                known.waiting.append(answer)
            return
        refusal = self._refusal(command)
        if refusal:
            self._counters.refused_commands += 1
            answer(CommandResult(command.id, done=False, detail=refusal))
            return
        entry = _Entry(now + command.expires_in + _RUN_SECONDS + _REMEMBER_SECONDS)
        entry.waiting.append(answer)
        self._entries[command.id] = entry
        task = asyncio.create_task(self._carry_out(command, entry, now + command.expires_in))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _refusal(self, command: Command) -> str:
        if not self._is_open:
            return "This agent stops."
        if command.expires_in <= 0:
            return "It expired before it arrived."
        if len(self._running) >= _MOST_AT_ONCE:
            return f"{_MOST_AT_ONCE} commands are being carried out; no more begin before one ends."
        if len(self._entries) >= _MOST_IDS:
            return f"{_MOST_IDS} commands came within minutes; no more are taken for a while."
        return ""

    async def _carry_out(self, command: Command, entry: _Entry, expires_at: float) -> None:
        if self._clock.now().mono >= expires_at:
            result = CommandResult(command.id, done=False, detail="It expired while it waited.")
        else:
            result = await self._result(command)
        self._counters.commands += result.done
        self._counters.refused_commands += not result.done
        entry.result = result
        waiting, entry.waiting = entry.waiting, []
        for answer in waiting:
            answer(result)

    async def _result(self, command: Command) -> CommandResult:
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                return await self._on_command(command)
        except TimeoutError:
            detail = f"It was begun but did not end within {_RUN_SECONDS:.0f} s."
        except Exception as error:  # noqa: BLE001  (the sender must have an answer in any case)
            detail = f"It was begun but failed: {type(error).__name__}."
            structlog.get_logger("monitor.fleet").error(
                "a command failed", command=command.id, kind=command.kind, error=repr(error)
            )
        return CommandResult(command.id, done=False, detail=detail, known=False)

    def _forget(self, now: float) -> None:
        """From the oldest on; one that expires later than its successors keeps them, bounded."""
        while self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest].forget_at > now:
                return
            del self._entries[oldest]


async def refuse_all(command: Command) -> CommandResult:
    """For an agent that carries out nothing."""
    return CommandResult(
        command.id, done=False, detail=f"This agent does not carry out {command.kind!r} commands."
    )
