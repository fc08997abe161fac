"""Deliberate changes of the model, each of which some scenario has to catch.

They are what a simulated Swarm is easily got wrong in, and what an autoscaler is misled by.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from monitor.model.task import TaskState
from monitor.simulate import announce, swarm
from monitor.simulate.executor import Executor
from monitor.simulate.http import spelled
from monitor.simulate.rawjson import service_status
from monitor.simulate.state import SimService, SimTask
from monitor.simulate.store import Store
from monitor.simulate.updater import Updater

_update_service = swarm.Swarm.update_service
_roll_back = Updater._roll_back
_end = Executor.end
_update = Store.update


@dataclass(frozen=True, slots=True)
class Change:
    """The model is another one while the block of `apply()` lasts; `caught_by` names scenarios."""

    name: str
    caught_by: tuple[str, ...]
    apply: Callable[[], AbstractContextManager[Any]]


def _any_version(self: swarm.Swarm, service_id: str, version: int, spec: Any) -> None:
    _update_service(self, service_id, self.service(service_id).version, spec)


def _scale_keeps_previous(self: swarm.Swarm, service_id: str, version: int, spec: Any) -> None:
    service = self.service(service_id)
    before = service.previous_spec
    is_scale = spec["TaskTemplate"] == service.spec["TaskTemplate"]
    _update_service(self, service_id, version, spec)
    if is_scale:
        service.previous_spec = before


def _status_at_once(self: swarm.Swarm, service_id: str, version: int, spec: Any) -> None:
    service = self.service(service_id)
    is_rollout = spec["TaskTemplate"] != service.spec["TaskTemplate"]

    def update(store: Store, what: Any, **changes: Any) -> Any:
        if "update_status" in changes and is_rollout:
            changes["update_status"] = {"State": "updating", "Message": "update in progress"}
        return _update(store, what, **changes)

    with patch.object(Store, "update", update):
        _update_service(self, service_id, version, spec)


def _no_trace(self: Executor, task: SimTask, state: TaskState, exit_code: int, **more: Any) -> None:
    _end(self, task, state, exit_code, **more)
    if state is TaskState.FAILED:
        self._store.update(task, desired=TaskState.REMOVE)


def _name_alone(new: SimService, old: SimService | None) -> dict[str, str]:
    return {"name": new.name}


def _back_and_forth(self: Updater, message: str) -> None:
    bad = self._service.spec
    _roll_back(self, message)
    self._service.previous_spec = bad


def _moves_with_tasks(self: Store, what: Any, **changes: Any) -> Any:
    done = _update(self, what, **changes)
    service = self.services.get(what.service_id) if isinstance(what, SimTask) else None
    if service is not None:
        service.version = self._index
    return done


def _lost_do_not_count(service: SimService, tasks: list[SimTask]) -> dict[str, Any]:
    return service_status(service, [one for one in tasks if one.desired <= TaskState.RUNNING])


CHANGES = (
    Change(
        "a write is accepted at any version: there is no 'update out of sequence'",
        ("stale_version", "versions_move"),
        lambda: patch.object(swarm.Swarm, "update_service", _any_version),
    ),
    Change(
        "a scale leaves PreviousSpec as it was",
        ("scaled", "scaled_into_rollout"),
        lambda: patch.object(swarm.Swarm, "update_service", _scale_keeps_previous),
    ),
    Change(
        "`updating` is set in the transaction that sets the spec",
        ("two_transactions",),
        lambda: patch.object(swarm.Swarm, "update_service", _status_at_once),
    ),
    Change(
        "a container taken away by hand leaves no failed task in the history",
        ("container_removed",),
        lambda: patch.object(Executor, "end", _no_trace),
    ),
    Change(
        "events of services carry their name alone",
        ("one_by_one", "scaled"),
        lambda: patch.object(announce, "service_attributes", _name_alone),
    ),
    Change(
        "an automatic rollback leaves the bad spec to go back to",
        ("rollback_by_itself",),
        lambda: patch.object(Updater, "_roll_back", _back_and_forth),
    ),
    Change(
        "a service's version moves with each change of its tasks",
        ("versions_move",),
        lambda: patch.object(Store, "update", _moves_with_tasks),
    ),
    Change(
        "tasks of a node that is down no longer count as running",
        ("node_lost",),
        lambda: patch.object(spelled, "service_status", _lost_do_not_count),
    ),
)
