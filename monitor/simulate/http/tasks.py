"""`/tasks`: what runs, what ran, and what shall."""

from collections.abc import Sequence

from aiohttp import web

from monitor.model.task import TASK_STATES
from monitor.simulate.http.answers import Refused, list_answer, object_answer
from monitor.simulate.http.face import Face
from monitor.simulate.http.filters import Filters, begins, filters_of, labelled, one_of
from monitor.simulate.http.lookup import find_node, find_service, find_task
from monitor.simulate.rawjson import task_json
from monitor.simulate.spec import task_dirty
from monitor.simulate.state import SimTask

_KINDS = ("id", "name", "label", "service", "node", "desired-state", "runtime", "_up-to-date")


async def list_tasks(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, _KINDS)
    for state in filters.get("desired-state", ()):
        if state.lower() not in TASK_STATES:
            raise Refused(500, f"Invalid desired-state filter: '{state}'")
    return list_answer(
        [face.spelled.of(task) for task in _candidates(face, filters) if _fits(face, filters, task)]
    )


async def inspect_task(face: Face, request: web.Request) -> web.Response:
    return object_answer(task_json(find_task(face.store, request.match_info["id"])))


def _candidates(face: Face, filters: Filters) -> Sequence[SimTask]:
    """Those of the services and nodes asked for; raises Refused where there are none such."""
    store = face.store
    nodes = {find_node(store, key, face.node_id).id for key in filters.get("node", ())}
    if filters.get("service"):
        services = [find_service(store, key).id for key in filters["service"]]
        found = [task for one in dict.fromkeys(services) for task in store.tasks_of[one].values()]
    else:
        found = list(store.tasks.values())
    return [task for task in found if not nodes or task.node_id in nodes]


def _fits(face: Face, filters: Filters, task: SimTask) -> bool:
    service = face.store.services.get(task.service_id)
    wanted = {state.lower() for state in filters.get("desired-state", ())}
    if wanted and task.desired.label not in wanted:
        return False
    if "label" in filters:
        labels = (service.spec.get("Labels") or {}) if service else {}
        if not labelled(filters, labels):
            return False
    if filters.get("_up-to-date") == ["true"]:  # any other value filters nothing
        node = face.store.nodes.get(task.node_id)
        if service is None or task_dirty(service, task, node):
            return False
    return (
        begins(filters, "id", task.id)
        and begins(filters, "name", task.name)
        and one_of(filters, "runtime", "container")
    )
