"""`/api/v1/ps`: tasks with why they ended, over a real socket."""

import json

from monitor.model.cause import Cause, TaskEnd
from monitor.model.task import TaskState
from tests.unit.web.test_web import Client, State, client, state

__all__ = ["client", "state"]  # fixtures

DEAD = TaskEnd(
    task_id="t1",
    service_id="s1",
    service_name="web",
    slot=2,
    node_id="n1",
    node_name="m1",
    image="work:1",
    state=TaskState.FAILED,
    desired_state=TaskState.SHUTDOWN,
    since=1.5,
    exit_code=137,
    cause=Cause.OOM,
    evidence="the kernel killed in it",
    uptime=2.0004,
)
LIVE = TaskEnd(
    task_id="t2",
    service_id="s1",
    service_name="web",
    slot=None,
    node_id="",
    node_name="",
    image="work:1",
    state=TaskState.PENDING,
    desired_state=TaskState.RUNNING,
    since=2.0,
)


async def test_every_field_of_the_contract_is_there(client: Client, state: State) -> None:
    """Programs read these keys; what is not known is null."""
    state.shown = {"web": [LIVE, DEAD]}
    response, body = await client.get("/api/v1/ps?service=web")
    assert response.status == 200
    assert json.loads(body) == [
        {
            "task_id": "t2",
            "slot": None,
            "node": "",
            "state": "pending",
            "desired_state": "running",
            "image": "work:1",
            "since": "1970-01-01T00:00:02.000Z",
            "exit_code": None,
            "cause": None,
            "evidence": "",
            "uptime": None,
        },
        {
            "task_id": "t1",
            "slot": 2,
            "node": "m1",
            "state": "failed",
            "desired_state": "shutdown",
            "image": "work:1",
            "since": "1970-01-01T00:00:01.500Z",
            "exit_code": 137,
            "cause": "oom",
            "evidence": "the kernel killed in it",
            "uptime": 2.0,
        },
    ]


async def test_a_service_without_tasks_is_no_error(client: Client, state: State) -> None:
    """It was scaled to zero, and nothing ended in the last day."""
    state.shown = {"web": []}
    response, body = await client.get("/api/v1/ps?service=web")
    assert (response.status, body) == (200, b"[]")


async def test_what_cannot_be_answered_says_what_to_ask(client: Client, state: State) -> None:
    """A missing name, and one that nobody has."""
    response, body = await client.get("/api/v1/ps")
    assert response.status == 400
    assert "?service=web" in json.loads(body)["error"]
    response, body = await client.get("/api/v1/ps?service=wep")
    assert response.status == 404
    assert json.loads(body)["close"] == ["web"]
