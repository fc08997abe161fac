"""Which node this agent is on and which service it is, asked until the engine has said so."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import structlog

from monitor.agent.own_service import find_own_service, own_container_id
from monitor.model.container import EngineIdentity
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError

_UNKNOWN = EngineIdentity(node_id="", node_name="", swarm_state="", is_manager=False)
_ASK_EVERY = 10.0


class Identity:
    """Asked anew every 10 s and when told to: an engine may join or leave a Swarm meanwhile.

    own_container_id: of the container this process is in, None where it is in none.
    on_change: called when the node became another one, or its part in the Swarm did; not when
        both are first known.
    """

    def __init__(
        self, engine: Engine, own_service_id: str | None, on_change: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._on_change = on_change
        self._own_service_id = own_service_id
        self.own_container_id = own_container_id()
        self._container_id = self.own_container_id if own_service_id is None else None
        self._known = _UNKNOWN
        self._ask = asyncio.Event()
        self._log = structlog.get_logger("monitor.agent")

    @property
    def node_id(self) -> str:
        return self._known.node_id

    @property
    def node_name(self) -> str:
        return self._known.node_name

    @property
    def swarm_state(self) -> str:
        """The daemon's LocalNodeState; "" before it was first asked."""
        return self._known.swarm_state

    @property
    def role(self) -> str:
        """`manager` or `worker` as the engine says; `none` outside a Swarm or before it said."""
        if self._known.swarm_state != "active":
            return "none"
        return "manager" if self._known.is_manager else "worker"

    def own_service_id(self) -> str | None:
        return self._own_service_id

    def ask_again(self) -> None:
        self._ask.set()

    async def run(self) -> NoReturn:
        while True:
            self._ask.clear()
            try:
                self._learn(await self._engine.identity())
                if self._own_service_id is None:
                    self._own_service_id = await find_own_service(self._engine, self._container_id)
            except EngineError:
                pass  # the prober of the engine says so, once
            try:
                async with asyncio.timeout(_ASK_EVERY):
                    await self._ask.wait()
            except TimeoutError:
                pass

    def _learn(self, known: EngineIdentity) -> None:
        before, self._known = self._known, known
        if _part(before) == _part(known):
            return
        self._log.info(
            f"on node {known.node_name}, Swarm {known.swarm_state}",
            node_id=known.node_id,
            manager=known.is_manager,
            engine=known.engine_version,
            api=known.api_version,
        )
        if before is not _UNKNOWN:
            self._on_change()


def _part(known: EngineIdentity) -> tuple[str, str, bool]:
    return known.node_id, known.swarm_state, known.is_manager
