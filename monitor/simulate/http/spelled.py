"""The Swarm's objects as JSON text, spelled once for each version of them."""

import json
from typing import Any

from monitor.simulate.http.endpoint import Endpoints
from monitor.simulate.http.node_json import full_node_json
from monitor.simulate.rawjson import (
    config_json,
    service_status,
    task_json,
)
from monitor.simulate.state import SimConfig, SimNode, SimObject, SimService, SimTask
from monitor.simulate.store import Change, Store


class Spelled:
    """10,000 tasks are listed every other second: most did not change since the last time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.endpoints = Endpoints()
        self._texts: dict[str, tuple[int, bytes]] = {}
        store.watch(self._on_change)

    def of(self, what: SimObject) -> bytes:
        known = self._texts.get(what.id)
        if known is None or known[0] != what.version:
            known = self._texts[what.id] = what.version, json.dumps(self._raw(what)).encode()
        return known[1]

    def listed(self, service: SimService) -> bytes:
        """With counts of tasks, as lists have it where `status=true` asks for them."""
        tasks = list(self._store.tasks_of[service.id].values())
        status = json.dumps(service_status(service, tasks)).encode()
        return self.of(service)[:-1] + b', "ServiceStatus": ' + status + b"}"

    def _on_change(self, change: Change) -> None:
        if change.action == "remove":
            self._texts.pop(change.new.id, None)
            self.endpoints.forget(change.new.id)

    def _raw(self, what: SimObject) -> dict[str, Any]:
        match what:
            case SimNode():
                return full_node_json(what)
            case SimService():
                return self.endpoints.full_json(what)
            case SimTask():
                return task_json(what)
            case SimConfig():
                return config_json(what)
