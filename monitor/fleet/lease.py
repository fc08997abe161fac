"""The lease: which one of all agents may act, kept in the labels of a Swarm config.

Nobody's clock is compared with another's. A holder may act for `HELD` seconds of its own
monotonic clock from the moment it sent a renewal that was carried out; others take the lease
only after they saw no change for `PATIENCE` seconds of theirs, and only from the very version
they saw. As long as clocks run alike to a fifth, no two agents hold it at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from monitor.fleet.hedge import first_answer
from monitor.fleet.lease_labels import CONFIG, DATA, Claim
from monitor.fleet.lease_sight import Sight
from monitor.fleet.lease_words import Speaker, why_not
from monitor.model.config import Config
from monitor.model.event import Event
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import Conflict, DeadlineExceeded, EngineError, NotAManager, NotFound

T = TypeVar("T")

RENEWAL = 3.0
HELD = 8.0
PATIENCE = 10.0
JITTER = 0.5
LOOK = 1.0
BARRED_LOOK = 5.0  # of an agent on a worker: nothing can be read there
RELEASE = 2.0
_CALL = 5.0
_ANEW = 1.0
_GAP = 0.1  # between two steps, whatever events come
_REMEMBERED = 16

_NEVER = float("-inf")


class Lease:
    """`monitor.ports.actorship.Actorship` among the agents of one Swarm. All times in seconds.

    boot_id: another one at each start of an agent. may_hold: "", or a sentence why this agent
    must not take or keep the lease now; asked at least once a second. digest: of all that decides
    what this agent would do, for others to compare. on_change: called when `holder` or `term()`
    is another than before. first_ever: whether nothing else tells that an agent has acted before.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        boot_id: str,
        node_id: Callable[[], str],
        node_name: Callable[[], str],
        may_hold: Callable[[], str],
        digest: Callable[[], str] = lambda: "",
        on_change: Callable[[], None] = lambda: None,
        first_ever: Callable[[], bool] = lambda: True,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._boot_id = boot_id
        self._node_id = node_id
        self._node_name = node_name
        self._may_hold = may_hold
        self._digest = digest
        self._on_change = on_change
        self._first_ever = first_ever
        self._sight = Sight()
        self._speaker = Speaker(clock)
        self._wake = asyncio.Event()
        self._stopping = False
        self._barred = ""
        # Of a holder, in time or late
        self._holding = False
        self._term = 0
        self._until = _NEVER
        self._renew_at = _NEVER
        self._mine: Config | None = None  # what was written last, at the version that got
        self._version: tuple[str, int] | None = None  # the same, remembered
        self._settled = 0  # the beat that stands there
        self._beat = 0
        self._sent: dict[int, tuple[float, int]] = {}  # by beat: when, and under which term
        self._told: tuple[object, ...] = (None, None)
        self._expiry: asyncio.TimerHandle | None = None

    # What others ask

    def term(self) -> int | None:
        return self._term if self._clock.now().mono < self._until else None

    def why_not(self) -> str:
        if self.term() is not None:
            return ""
        return why_not(
            self._sight,
            self._clock.now().mono,
            barred="This agent is stopping." if self._stopping else self._barred,
            fault=self._speaker.fault,
            late=self._holding,
        )

    @property
    def holder(self) -> tuple[str, str] | None:
        """Node id and name of the agent that holds it as far as this one can know, or None."""
        claim = self._sight.claim
        if self.term() is not None:
            return self._node_id(), self._node_name()
        if claim is None or claim.released or not claim.holder or claim.holder == self._boot_id:
            return None
        fresh = self._clock.now().mono < self._sight.changed_at + PATIENCE
        return (claim.node_id, claim.node_name) if fresh else None

    @property
    def holder_digest(self) -> str:
        """The holder's `digest`, "" where nobody holds it."""
        claim = self._sight.claim
        return claim.digest if claim is not None and self.holder is not None else ""

    # What others tell

    def hint(self, event: Event) -> None:
        """Take in an event of the Engine's stream; any may be given."""
        if event.type != "config" or event.attributes.get("name") != CONFIG:
            return
        if self._holding:
            if event.action != "remove":
                return  # its own renewals; anything else shows at the next one
            self._mine = None
        self._wake.set()

    def reconsider(self) -> None:
        """Something that `may_hold` looks at is another than before."""
        self._wake.set()

    # The life of it

    async def run(self) -> None:
        """Takes, keeps and gives up the lease until cancelled; no EngineError comes out.

        Cancelling alone lets the lease run out: call `release` too for an orderly stop.
        """
        try:
            while True:
                began = self._clock.now().mono
                try:
                    pause = await self._step()
                    self._speaker.fine()
                except EngineError as error:
                    pause = self._failed(error)
                self._tell()
                await self._rest(began, pause)
        finally:
            if self._expiry is not None:
                self._expiry.cancel()

    async def release(self) -> None:
        """Acts no more, and lets others take over at once; within 2 s, whatever the engine does."""
        held = self._holding or bool(self._sent)
        self._stopping = True
        self._drop()
        self._tell()
        if not held:
            return
        try:
            async with asyncio.timeout(RELEASE):
                while not await self._freed():  # noqa: ASYNC110  (each round asks anew)
                    await asyncio.sleep(_GAP)
        except TimeoutError:
            self._speaker.warn(
                "The lease could not be given up: others take it once it was not renewed for 10 s."
            )

    async def _freed(self) -> bool:
        try:
            await self._look()
            await self._free()
        except EngineError:
            return False
        return True

    async def _rest(self, began: float, pause: float) -> None:
        try:
            async with asyncio.timeout(max(pause, 0.0)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        await asyncio.sleep(max(0.0, began + _GAP - self._clock.now().mono))

    async def _step(self) -> float:
        """One look at things; returns seconds until the next one."""
        if self._stopping:
            return BARRED_LOOK
        self._barred = self._may_hold()
        if self._holding and self._barred:
            self._drop()
            self._tell()  # before the write: from here on it does not act
        return await (self._keep() if self._holding else self._stand_by())

    async def _keep(self) -> float:
        """Of a holder, in time or late: renew."""
        if self._mine is None:
            await self._look()
            self._judge()
            if not self._holding:
                return 0.0
        left = self._renew_at - self._clock.now().mono
        if left > 0 and self._mine is not None:
            return min(LOOK, left)
        await self._write(self._mine, self._term_for(self._mine))
        return await self._learn()

    async def _stand_by(self) -> float:
        await self._look()
        sight = self._sight
        if self._barred:
            await self._free()
            return LOOK
        if sight.config is None:
            await self._make()
            return 0.0
        if self._ours():
            self._judge()
            if self._holding:
                return 0.0
        now = self._clock.now().mono
        if now < sight.free_at():
            return min(LOOK, sight.free_at() - now)
        if self._may_hold():
            return 0.0  # the look took its time
        await self._write(sight.config, sight.next_term())
        return await self._learn()

    async def _learn(self) -> float:
        """After a write: which version it got; the next renewal starts from there."""
        await self._look()
        self._judge()
        return 0.0 if not self._holding else LOOK

    # Judging what was read

    def _ours(self) -> bool:
        """Whether the labels show a write of ours whose outcome was not known yet."""
        claim = self._sight.claim
        return (
            claim is not None
            and claim.holder == self._boot_id
            and not claim.released
            and claim.beat in self._sent
        )

    def _judge(self) -> None:
        """After a look: does it still hold the lease, and from which version on?"""
        config, claim = self._sight.config, self._sight.claim
        if config is not None and claim is not None and self._ours():
            sent, term = self._sent[claim.beat]
            self._grant(term, sent)
            self._settled = claim.beat
            self._sent = {beat: at for beat, at in self._sent.items() if beat > claim.beat}
            self._mine, self._version = config, (config.id, config.version)
            return
        if not self._holding:
            return
        if self.term() is not None and (claim is None or claim.holder in ("", self._boot_id)):
            # In time, so nobody else can have taken it: a person wrote there, or removed it.
            self._mine, self._renew_at = config, _NEVER
            return
        if (
            config is not None
            and claim is not None
            and (claim.holder, claim.beat) == (self._boot_id, self._settled)
            and (config.id, config.version) == self._version
        ):
            self._mine = config  # late, but nobody changed it since: it may go on
            return
        self._drop()

    def _term_for(self, config: Config | None) -> int:
        """Its own; a higher one where the config is another than the one that term was of."""
        if config is not None and self._version and config.id == self._version[0]:
            return self._term
        return self._sight.highest + 1

    def _grant(self, term: int, sent: float) -> None:
        if self._stopping:
            return
        until = sent + HELD
        self._until = until if term != self._term else max(until, self._until)
        self._term, self._holding = term, True
        self._renew_at = max(self._renew_at, sent + RENEWAL)
        self._sight.highest = max(self._sight.highest, term)
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_at(self._until, self._tell)
        self._tell()

    def _drop(self) -> None:
        self._holding = False
        self._until = self._renew_at = _NEVER
        self._mine = self._version = None
        self._sent.clear()

    # Calls

    async def _look(self) -> None:
        config: Config | None
        try:
            # A manager lets calls hang that it passed on to a leader which died, and answers new
            # ones as soon as there is another.
            config = await self._call(
                first_answer(self._ask, every=_ANEW, within=_CALL),
            )
        except NotFound:
            config = None
        patience = PATIENCE + JITTER * self._clock.random()
        self._sight.saw(config, self._clock.now().mono, patience)
        if self._sight.odd:
            self._speaker.odd(self._sight.odd)

    async def _make(self) -> None:
        """A config that nobody holds.

        Free at once where there never was one. Where there was, a person removed it: its holder
        may not know yet and still act, so it has to be waited for.
        """
        never = not self._sight.known and self._first_ever()
        claim = Claim(term=self._sight.highest, released=never)
        await self._call(self._engine.create_config(CONFIG, claim.labels({}), DATA))

    async def _write(self, config: Config | None, term: int) -> None:
        """Raises EngineError; which beat stands there then tells whether it was carried out."""
        if self._stopping:
            return
        self._beat += 1
        beat, sent = self._beat, self._clock.now().mono
        claim = Claim(self._boot_id, self._node_id(), self._node_name(), term, beat, self._digest())
        self._sent[beat] = (sent, term)
        if len(self._sent) > _REMEMBERED:
            del self._sent[min(self._sent)]
        self._mine = None
        if config is None:
            await self._call(self._engine.create_config(CONFIG, claim.labels({}), DATA))
        else:
            await self._call(self._engine.update_config(config, claim.labels(config.labels)))
        self._grant(term, sent)

    async def _free(self) -> None:
        """Say that it is given up, where the labels still name this agent."""
        config, claim = self._sight.config, self._sight.claim
        if config is None or claim is None:
            return
        if claim.holder == self._boot_id and not claim.released:
            labels = replace(claim, released=True).labels(config.labels)
            await self._call(self._engine.update_config(config, labels))

    async def _ask(self) -> Config:
        return await self._engine.config(CONFIG)

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(_CALL):
                return await call
        except TimeoutError:
            raise DeadlineExceeded(f"no answer from the engine in {_CALL:g} s") from None

    # Telling

    def _failed(self, error: EngineError) -> float:
        if isinstance(error, Conflict | NotFound):
            return 0.0  # somebody else was first: look what is there now
        at_home = bool(self._barred) and isinstance(error, NotAManager)
        # Of an agent that may not hold it anyway this is no news: its engine's state is said.
        self._speaker.failed(error, quiet=bool(self._barred))
        return BARRED_LOOK if at_home else LOOK

    def _tell(self) -> None:
        now = (self.holder, self.term())
        if now == self._told:
            return
        before, self._told = self._told, now
        self._speaker.changed(before, now, self.why_not())
        self._on_change()
