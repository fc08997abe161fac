"""Objects by what a person writes: an id, a name, or the beginning of an id."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from monitor.simulate.http.answers import Refused
from monitor.simulate.state import SimConfig, SimNode, SimService, SimTask
from monitor.simulate.store import Store

T = TypeVar("T", SimNode, SimService, SimTask, SimConfig)


def _find(what: str, key: str, found: Iterable[T], name_of: Callable[[T], str]) -> T:
    """In the managers' order: the whole id, the whole name, the beginning of one id."""
    items = list(found)
    for item in items:
        if item.id == key:
            return item
    named = [item for item in items if name_of(item) == key]
    matches = named or [item for item in items if key and item.id.startswith(key)]
    if not matches:
        raise Refused(404, f"{what} {key} not found")
    if len(matches) > 1:
        raise Refused(400, f"{what} {key} is ambiguous ({len(matches)} matches found)")
    return matches[0]


def find_service(store: Store, key: str) -> SimService:
    if key in store.services:
        return store.services[key]
    return _find("service", key, store.services.values(), lambda service: service.name)


def find_node(store: Store, key: str, own_id: str) -> SimNode:
    """`self` is the node whose engine was asked."""
    if key == "self":
        key = own_id
    return _find("node", key, store.nodes.values(), lambda node: node.name)


def find_task(store: Store, key: str) -> SimTask:
    if key in store.tasks:
        return store.tasks[key]
    return _find("task", key, store.tasks.values(), lambda task: task.name)


def find_config(store: Store, key: str) -> SimConfig:
    return _find("config", key, store.configs.values(), lambda config: config.name)


def find_secret(secrets: Mapping[str, SimConfig], key: str) -> SimConfig:
    return _find("secret", key, secrets.values(), lambda secret: secret.name)


def find_container(tasks: Iterable[SimTask], key: str) -> SimTask:
    """The task whose container has this id, this name, or an id that begins so."""
    there = [task for task in tasks if task.has_container]
    for task in there:
        if key in (task.container_id, task.name):
            return task
    matches = [task for task in there if key and task.container_id.startswith(key)]
    if len(matches) != 1:
        raise Refused(404, f"No such container: {key}")
    return matches[0]
