"""One node's engine, as the handlers of its API see it."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from monitor.model.container import Health
from monitor.model.event import Event
from monitor.simulate.engine import SimulatedEngine
from monitor.simulate.http.answers import Refused
from monitor.simulate.http.extras import Extras
from monitor.simulate.http.spelled import Spelled
from monitor.simulate.state import SimNode, SimTask
from monitor.simulate.store import Store
from monitor.simulate.swarm import Swarm


class Face:
    """`whole`: its containers are those of all nodes, as if the Swarm were one machine."""

    def __init__(
        self,
        swarm: Swarm,
        node_id: str,
        spelled: Spelled,
        extras: Extras,
        *,
        whole: bool = False,
    ) -> None:
        self.swarm = swarm
        self.node_id = node_id
        self.spelled = spelled
        self.extras = extras
        self.whole = whole

    @property
    def engine(self) -> SimulatedEngine:
        return self.swarm.engine(self.node_id)

    @property
    def store(self) -> Store:
        return self.swarm.store

    @property
    def node(self) -> SimNode:
        return self.swarm.node(self.node_id)

    @property
    def is_manager(self) -> bool:
        node = self.store.nodes.get(self.node_id)
        return node is not None and node.role == "manager"

    def tasks_here(self) -> Iterable[SimTask]:
        """Tasks whose containers this engine shows."""
        return (self.store.tasks if self.whole else self.store.tasks_on[self.node_id]).values()

    def tell(self, event: Event) -> None:
        """An event of this engine, or, with the scope `swarm`, of every manager's."""
        for node in list(self.store.nodes.values()):
            if node.id == self.node_id or (event.scope == "swarm" and node.role == "manager"):
                self.swarm.publish(node.id, event)

    def health(self, task: SimTask) -> Health:
        return self.swarm.health.get(task.id, Health.NONE)


Handler = Callable[[Face, web.Request], Awaitable[web.StreamResponse]]


async def body_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object; null stands for what is left out, as in Go. Raises Refused."""
    try:
        content = json.loads(await request.read() or b"null")
    except ValueError as error:
        raise Refused(400, f"invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise Refused(400, "invalid JSON: got no object")
    cleaned: dict[str, Any] = _without_nulls(content)
    return cleaned


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def version_of(request: web.Request, what: str) -> int:
    """The `version` parameter of an update; raises Refused."""
    text = request.query.get("version", "")
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, f"invalid {what} version '{text}': {_no_number(text)}")
    if int(text) >= 1 << 64:
        why = f'strconv.ParseUint: parsing "{text}": value out of range'
        raise Refused(400, f"invalid {what} version '{text}': {why}")
    return int(text)


_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("", "0", "f", "F", "FALSE", "false", "False")


def flag(request: web.Request, name: str) -> bool:
    """A boolean parameter that has to be one; raises Refused."""
    text = request.query.get(name, "")
    if text not in (*_TRUE, *_FALSE):
        why = f'strconv.ParseBool: parsing "{text}": invalid syntax'
        raise Refused(400, f"invalid value for {name}: {text}: {why}")
    return text in _TRUE


def _no_number(text: str) -> str:
    return f'strconv.ParseUint: parsing "{text}": invalid syntax'


def asked(request: web.Request, name: str) -> bool:
    """A boolean parameter as the daemon reads it: all but these words is yes."""
    return request.query.get(name, "").strip().lower() not in ("", "0", "no", "false", "none")
