"""The state that outlives every agent, in the labels of a Swarm config.

The managers keep it through raft, like a service; no service is touched by it. Labels of a config
can be replaced as long as its version is the newest, which makes it a compare and swap.
"""

from collections.abc import Mapping
from typing import Any

from monitor.model.config import Config
from monitor.ports.engine import Engine
from monitor.ports.errors import Conflict, EngineError, NotFound
from monitor.store.packing import PREFIX, StateUnreadable, canonical, pack, parse, unpack

NAME = "swarm-monitor-state"
DATA = (
    b"The labels of this config hold what swarm-monitor must remember: cooldowns, budgets and\n"
    b"pauses. Do not change them. Without this config all of that begins anew.\n"
)


class StateConfig:
    """A `monitor.ports.store.StateStore` of one user: no two of its calls run at the same time.

    It knows the text that it read or wrote last. A write looks whether that is still what the
    config holds, and replaces it by the version under which it was seen; so an update's answer,
    which tells no version, is not needed. Labels that are not ours are kept.
    """

    def __init__(self, engine: Engine, name: str = NAME) -> None:
        self._engine = engine
        self._name = name
        self._read = False
        self._held: str | None = None
        """The text last read or written; None: there was no config, or nothing readable in it."""
        self._config: Config | None = None
        """As last read, as long as nothing was written since."""

    async def read(self) -> Mapping[str, Any] | None:
        """The newest state; None where there is no such config.

        Raises StateUnreadable for a damaged one or one of a newer release, after which a write
        puts another in its place and keeps the damaged labels in a config `...-unreadable`;
        and EngineError, after which no write is possible until a read went well.
        """
        self._read = False
        config = await self._look()
        self._config, self._held = config, None
        self._read = True
        if config is None:
            return None
        text = self._text(config)
        state = parse(text)
        self._held = text
        return state

    async def write(self, state: Mapping[str, Any]) -> None:
        """Nothing is sent where the state is the one that is there as far as is known.

        Raises Conflict where somebody else wrote since the last read or write, and where what
        became of the last write is not known: the next read tells. Raises StateTooLarge and
        EngineError; after Unreachable, DeadlineExceeded and BadAnswer it may have been written.
        """
        if not self._read:
            raise Conflict(f"what config {self._name} holds now has to be read first")
        text = canonical(state)
        if text == self._held:
            return
        labels = pack(text)
        self._read = False  # until it is known what became of this
        config = self._config or await self._expected()
        if config is None:
            await self._engine.create_config(self._name, labels, DATA)
        else:
            if self._held is None:
                await self._set_aside(config)
            foreign = {k: v for k, v in config.labels.items() if not k.startswith(PREFIX)}
            await self._engine.update_config(config, foreign | labels)
        self._held, self._config, self._read = text, None, True

    async def _look(self) -> Config | None:
        try:
            return await self._engine.config(self._name)
        except NotFound:
            return None

    async def _expected(self) -> Config | None:
        """The config as it is now, if it holds what was last known. Raises Conflict if not."""
        config = await self._look()
        if config is None and self._held is None:
            return None
        if config is None:
            raise Conflict(f"config {self._name} was removed")
        try:
            same = self._text(config) == self._held
        except StateUnreadable:
            same = False
        if not same:
            raise Conflict(f"config {self._name} was changed by somebody else")
        return config

    def _text(self, config: Config) -> str:
        try:
            return unpack(config.labels)
        except StateUnreadable as fault:
            raise StateUnreadable(f"config {self._name} cannot be read: {fault}") from None

    async def _set_aside(self, config: Config) -> None:
        """Somebody may want what is about to be replaced; that it cannot be kept stops nothing."""
        try:
            await self._engine.create_config(f"{self._name}-unreadable", config.labels, DATA)
        except EngineError:
            return
