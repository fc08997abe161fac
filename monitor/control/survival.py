"""What must outlive every agent: read before acting, written before every write to a service.

The state is one object that all managers' agents read and that the one that acts writes, by
compare and swap. At the start of its term the acting agent reads it, takes it over and writes it
back under its own name: from then on no earlier agent can store an intent any more, and without a
stored intent no agent writes to a service. What is stored counts a write as applied before it is
sent, with a mark; whoever reads a mark compares it with the service.

A state that cannot be read (damaged by hand, or of a newer release) does not keep services from
being scaled: an agent that has taken over a good one before goes on with that; any other one says
so loudly, takes every cooldown for just begun and every budget for spent, and puts a new state in
its place, since nobody is there at night to repair it. The store keeps the unreadable one aside.
A state that was removed is written anew from memory; where no agent remembers, all begins anew.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from monitor.control.provenance import Provenance
from monitor.model.event import Event
from monitor.model.now import Now
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock
from monitor.ports.errors import Conflict, EngineError, NotAManager
from monitor.ports.store import StateStore
from monitor.store.packing import StateTooLarge, StateUnreadable
from monitor.store.state_config import NAME

READ_EVERY = 5.0
"""Seconds between looks of an agent that does not act; a hint comes sooner."""

CHECK_EVERY = 30.0
"""Seconds after which the agent that acts looks whether its state is still there."""

WRITE_EVERY = 1.0
"""Seconds between writes of what changed without a write to a service."""

RETRY_EVERY = 1.0
"""Seconds between tries to take the state over."""

SAVE_MAY_TAKE = 4.0
"""Seconds until an intent must be stored; its decision would be too old soon after."""

ROUND_MAY_TAKE = 10.0
TOLD_FOR = 600.0
"""Seconds for which it is told that what was taken over was not whole."""

READING = "this agent is still reading what earlier agents left behind"
_PASSING = ("wall", "decided", "writes")
"""What alone is no reason to write a state again."""


class Remembering(Protocol):
    """The controller, as seen from here."""

    def as_state(self, now: Now) -> dict[str, Any]: ...

    def adopt(self, state: Mapping[str, Any], now: Now) -> int:
        """`now` by the clock of whoever wrote the state. Returns how many entries were lost."""

    def forget_past(self) -> None:
        """What was done before is not known: cooldowns begin now, budgets are spent."""

    def may_act(self) -> None:
        """What held back all writes is over."""

    @property
    def changes(self) -> int:
        """Another number whenever what survives may have changed."""


class Survival:
    """`run` reads and writes; `save` may be awaited by any task.

    agent: another text for each run of each agent. on_problem: told the sentence on what is
    wrong whenever it changes, "" once nothing is.
    """

    def __init__(
        self,
        store: StateStore,
        actorship: Actorship,
        clock: Clock,
        *,
        agent: str,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._actorship = actorship
        self._clock = clock
        self._on_problem = on_problem
        self._remembering: Remembering
        self.problem = ""
        self.writes = 0
        self.provenance = Provenance(agent)
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._claimed: int | None = None
        self._tried: int | None = None
        self._asked = self._saved = 0
        self._saved_changes = -1
        self._kept: dict[str, Any] | None = None
        self._must_read = True
        self._read_at = self._wrote_at = -CHECK_EVERY
        self._adopted = False
        self._found = ("", 0.0)

    def serve(self, remembering: Remembering) -> None:
        """To be called once, before anything else."""
        self._remembering = remembering

    @property
    def highest_term(self) -> int:
        """The term of the newest state that was read or written: no new term may be below it."""
        return self.provenance.term

    @property
    def nothing_found(self) -> bool:
        """Whether it was looked for what earlier agents left behind, and there was nothing."""
        return self.provenance.looked and self.provenance.name is None

    def ready_for(self, term: int) -> str:
        """Why no write may be admitted under this term (yet), as a clause; "" where it may."""
        if self._claimed == term:
            return ""
        self._wake.set()
        return f"{READING} ({self.problem})" if self.problem else READING

    def hint(self) -> None:
        """The state may have changed, or who acts has: look at it now."""
        self._must_read = True
        self._wake.set()

    def heard(self, event: Event) -> None:
        """An event of the engine: those of other configs, as the lease, are none of the state."""
        if event.type == "config" and event.attributes.get("name", NAME) == NAME:
            self.hint()

    def changed(self) -> None:
        """Something that survives changed: the agent that acts writes it within about 1 s."""
        if self._claimed is not None:
            self._wake.set()

    async def save(self, term: int) -> str:
        """Stores what survives now. Returns "" once it is stored, else why it is not.

        After a sentence it may be stored all the same; the next write puts it right.
        """
        try:
            async with asyncio.timeout(SAVE_MAY_TAKE):
                await self._save(term)
        except TimeoutError:
            return f"what must survive could not be stored within {SAVE_MAY_TAKE:.0f} s"
        except EngineError as fault:
            return f"what must survive could not be stored: {fault}"
        return self.ready_for(term)

    async def finish(self) -> None:
        """Stores what is not stored yet, at the end, before the actorship is given up."""
        term = self._actorship.term()
        if term is not None and term == self._claimed:
            await self.save(term)

    async def run(self) -> None:
        """Until it is cancelled; no fault of the store ends it."""
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout(ROUND_MAY_TAKE):
                    await self._round()
            except TimeoutError:
                self._tell(f"the state was not read and stored within {ROUND_MAY_TAKE:.0f} s")
            except EngineError as fault:
                self._tell(f"the state cannot be read or stored: {fault}")
            await self._sleep()

    async def _sleep(self) -> None:
        """A round at least every READ_EVERY; a new term is taken up at once."""
        try:
            async with asyncio.timeout(READ_EVERY):
                await self._wake.wait()
        except TimeoutError:
            return
        term = self._actorship.term()
        if term is not None and term == self._claimed:
            wait = self._wrote_at + WRITE_EVERY - self._clock.now().mono
            await asyncio.sleep(max(wait, 0.0))
        elif term is not None and term == self._tried:
            await asyncio.sleep(RETRY_EVERY)  # every decision asks for it meanwhile

    async def _round(self) -> None:
        term = self._actorship.term()
        if term is None:
            self._claimed = self._tried = None
            async with self._lock:
                await self._look_on()
        elif term != self._claimed:
            self._tried = term
            self.provenance.acting(term, self._clock.now())
            async with self._lock:
                await self._claim(term)
        else:
            await self._keep(term)
        if term is None or term == self._claimed:
            sentence, since = self._found
            self._tell(sentence if self._clock.now().mono - since < TOLD_FOR else "")

    # As an agent that does not act

    async def _look_on(self) -> None:
        before = self.provenance.name
        try:
            state = await self._read()
        except NotAManager:
            return  # a worker has nothing to take over
        if state is not None and (self.provenance.name != before or not self._adopted):
            self._adopt(state)

    # As the agent that acts

    async def _claim(self, term: int) -> None:
        """Takes over what is there and puts it under this term, so that no other can write it."""
        self._claimed = None
        unreadable = ""
        try:
            state = await self._read()
        except StateUnreadable as fault:
            state, unreadable = None, str(fault)
        later = state is not None and self.provenance.is_later(state, term)
        if later and not self.provenance.left_over(self._clock.now()):
            their = self.provenance.term
            self._tell(f"an agent of term {their} has written the state, this one has term {term}")
            return
        if state is not None:
            self._adopt(state)
        elif unreadable and not self._adopted:
            self._remembering.forget_past()
            self._find(f"{unreadable}; cooldowns and budgets begin anew, pauses may be lost")
        await self._write(term, force=True)
        self._claimed, self._adopted = term, True
        self._remembering.may_act()

    async def _keep(self, term: int) -> None:
        if self._must_read or self._clock.now().mono - self._read_at >= CHECK_EVERY:
            async with self._lock:
                await self._check(term)
        if self._saved_changes != self._remembering.changes:
            await self._save(term)

    async def _check(self, term: int) -> None:
        """Whether the state is still the own one; whatever else it is, memory is the truth.

        Raises Conflict where another agent acts since.
        """
        try:
            state = await self._read()
        except StateUnreadable:
            state = None
        if state is not None and self.provenance.is_newest_own(state):
            return
        if state is not None and self.provenance.is_later(state, term):
            self._claimed = None
            self._wake.set()
            raise Conflict(f"the agent of the later term {state.get('term')} acts now")
        await self._write(term, force=True)

    async def _save(self, term: int) -> None:
        """Of those who ask side by side the first one writes for all."""
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._saved >= mine:
                return
            if self._claimed != term:
                raise Conflict(READING)
            covers = self._asked
            try:
                await self._write(term)
            except Conflict:
                await self._check(term)
            self._saved = covers

    async def _write(self, term: int, *, force: bool = False) -> None:
        """Raises Conflict where somebody else wrote, or where the store has to be read first."""
        changes = self._remembering.changes
        state = self._remembering.as_state(self._clock.now())
        body = {key: value for key, value in state.items() if key not in _PASSING}
        if body != self._kept or force:
            self._kept, self._saved_changes = None, -1
            self._wrote_at = self._clock.now().mono
            whole = state | self.provenance.envelope(term)
            await self._store_whole(whole)
            self.writes += 1
            self.provenance.saw(whole, self._clock.now())
        self._kept, self._saved_changes = body, changes

    async def _store_whole(self, state: Mapping[str, Any]) -> None:
        """Where it is too large: without what only serves to explain."""
        try:
            await self._store.write(state)
        except StateTooLarge as fault:
            await self._store.write(_lean(state))
            self._find(f"{fault}; what was done before is not kept for `why`")

    # Reading

    async def _read(self) -> Mapping[str, Any] | None:
        self._must_read = False
        state = await self._store.read()
        now = self._clock.now()
        self._read_at = now.mono
        self.provenance.saw(state, now)
        return state

    def _adopt(self, state: Mapping[str, Any]) -> None:
        """What is our own is no news: memory is never older."""
        if self.provenance.is_own(state):
            return
        now = self.provenance.as_written(self._clock.now())
        left_out = self._remembering.adopt(state, now)
        self._adopted, self._kept = True, None
        said = f"{left_out} entries of what earlier agents left behind could not be read"
        self._find(said if left_out else "")

    def _find(self, sentence: str) -> None:
        self._found = (sentence, self._clock.now().mono)

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._on_problem(problem)


def _lean(state: Mapping[str, Any]) -> dict[str, Any]:
    """Without past decisions, and without services and rules that are gone."""
    services = {
        service_id: {rule: data for rule, data in rules.items() if "gone" not in data}
        for service_id, rules in state["services"].items()
    }
    return {**state, "deeds": [], "services": {k: v for k, v in services.items() if v}}
