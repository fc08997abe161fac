"""Raw JSON to values: what engines sent, what they might send, and whatever else."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.parse_container import parse_container
from monitor.engine.parse_event import UNREADABLE, parse_event
from monitor.engine.parse_identity import parse_identity
from monitor.engine.parse_node import parse_node
from monitor.engine.parse_service import parse_service
from monitor.engine.parse_stats import parse_stats
from monitor.engine.parse_task import parse_task
from monitor.engine.raw import wall_seconds
from monitor.engine.stream_stats import counted_as
from monitor.engine.template import template
from monitor.model.container import Health
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.task import TaskState
from monitor.ports.errors import BadAnswer, NotFound

RECORDED = Path(__file__).parent / "recorded"
ENGINES = ("20.10", "29")

# What the parsers look for, so that chance gets past the first look.
KEYS = """
    ID Id Spec Name Labels Mode Replicated Replicas Global TaskTemplate ContainerSpec Image
    Healthcheck Test StartPeriod Resources Limits Reservations NanoCPUs MemoryBytes Version Index
    UpdateStatus State Status Timestamp ContainerStatus ContainerID ExitCode Slot NodeID
    DesiredState CreatedAt Config HostConfig Memory PidsLimit CpuQuota CpuPeriod Running Health
    StartedAt FinishedAt Description Hostname Swarm Actor Attributes Type Action timeNano time
    read cpu_stats cpu_usage total_usage memory_stats usage stats inactive_file limit networks
    eth0 rx_bytes blkio_stats io_service_bytes_recursive op value pids_stats current ServiceID
    com.docker.swarm.task.id Endpoint Ports JobStatus JobIteration LastExecution ServiceStatus
""".split()  # noqa: SIM905

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "running",
            "2026-11-23T09:18:31.108914577Z",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            10**400,
            2**64 - 1,
        ]
    )
)
JSONISH = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=30,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), JSONISH, max_size=12)


@given(OBJECTS)
def test_no_object_breaks_a_parser(raw: dict[str, Any]) -> None:
    """Any JSON object ends in a value or in a fault of the family, for every parser."""
    for parse in (parse_node, parse_service, parse_task, parse_container):
        with suppress(BadAnswer):
            parse({"ID": "x", "Id": "x", **raw})
    with suppress(BadAnswer):
        parse_identity(raw, "1.41")
    with suppress(BadAnswer, NotFound):
        parse_stats(raw, 1)


@given(st.binary(max_size=50) | JSONISH.map(lambda value: json.dumps(value).encode()))
def test_no_line_breaks_the_event_parser(line: bytes) -> None:
    """Any line is an event with a type and an action, or unreadable; and countable."""
    event = parse_event(line)
    assert event.type
    if event is not UNREADABLE:
        assert event.action
        counted_as(event)


def recorded(engine: str, name: str) -> Any:
    return json.loads((RECORDED / engine / f"{name}.json").read_text())


@pytest.mark.parametrize("engine", ENGINES)
def test_recorded_lists_become_values(engine: str) -> None:
    """The same small Swarm, as two engines tell it, reads the same where it is the same."""
    (node,) = map(parse_node, recorded(engine, "nodes"))
    assert (node.name, node.role, node.leader, node.cpu_cores) == ("m1", "manager", True, 2.0)
    services = {one.name: one for one in map(parse_service, recorded(engine, "services"))}
    web, minimal = services["web"], services["raw"]
    assert (web.replicas, web.desired_tasks, web.running_tasks) == (2, 2, 2)
    assert (web.cpu_limit, web.memory_reservation, web.cpu_reservation) == (0.5, 10 << 20, None)
    assert (web.has_health_check, web.start_period) == (True, 3.0)
    assert (minimal.has_health_check, minimal.cpu_limit) == (False, None)
    assert web.ports[0].published == 8080
    tasks = [task for task in map(parse_task, recorded(engine, "tasks")) if task]
    assert len(tasks) == 3
    for task in tasks:
        service = web if task.service_id == web.id else minimal
        assert task.template == service.template
        assert task.state is task.desired_state is TaskState.RUNNING
        assert task.exit_code is None
        assert task.since > task.created_at > 1_700_000_000
    assert web.template != minimal.template


@pytest.mark.parametrize("engine", ENGINES)
def test_recorded_containers_and_stats_become_values(engine: str) -> None:
    """A container's inspection and its readings, of cgroup v1 and of v2."""
    container = parse_container(recorded(engine, "container"))
    assert container is not None
    assert (container.service_name, container.slot, container.running) == ("web", "2", True)
    assert (container.health, container.cpu_limit) == (Health.HEALTHY, 0.5)
    assert (container.memory_limit, container.exit_code) == (None, None)
    info = parse_identity(recorded(engine, "info"), "1.41")
    reading = parse_stats(recorded(engine, "stats"), info.memory_bytes)
    assert 0 < reading.cpu_seconds < 1
    assert 0 < reading.working_set <= reading.memory_usage
    assert reading.memory_limit is None
    assert reading.network is not None
    assert reading.network.receive_bytes == 596
    assert reading.rss is not None
    assert reading.pids == 1
    with pytest.raises(NotFound):
        parse_stats(recorded(engine, "stats_stopped"), info.memory_bytes)


def test_a_v2_reading_has_its_own_keys() -> None:
    """Inactive file pages, block I/O and an unlimited pids.max as a v2 cgroup tells them."""
    reading = parse_stats(recorded("29", "stats"), 0)
    assert reading.working_set == reading.memory_usage - 4096
    assert (reading.block_read_bytes, reading.block_write_bytes) == (8192, 4096)
    assert reading.pids_limit is None
    assert reading.memory_limit == 25276502016  # known to be none only beside the host's memory


@pytest.mark.parametrize("engine", ENGINES)
def test_recorded_events_become_values(engine: str) -> None:
    """Events with and without the older spelling are the same events."""
    lines = (RECORDED / engine / "events.jsonl").read_bytes().splitlines()
    events = [parse_event(line) for line in lines]
    assert [(event.type, event.action, event.scope) for event in events] == [
        ("service", "update", "swarm"),
        ("container", "die", "local"),
        ("container", "health_status: healthy", "local"),
    ]
    assert events[0].service_id == events[1].service_id
    assert events[1].attributes["exitCode"] == "137"
    assert events[1].task_id
    assert counted_as(events[2]) == ("container", "health_status")


def service(**more: Any) -> dict[str, Any]:
    return {"ID": "s", "Spec": {"Name": "web", "Mode": {"Replicated": {"Replicas": 3}}}, **more}


@pytest.mark.parametrize("state", [*UpdateState])
def test_every_update_state_is_known(state: UpdateState) -> None:
    """Each state of a rollout comes out as itself, with its times and words."""
    status = {
        "State": state.value,
        "StartedAt": "2026-11-23T09:18:31.5Z",
        "CompletedAt": "0001-01-01T00:00:00Z",
        "Message": "why",
    }
    parsed = parse_service(service(UpdateStatus=status))
    assert parsed.update_state is state
    assert parsed.update_started_at == pytest.approx(1795425511.5)
    assert parsed.update_completed_at is None
    assert parsed.update_message == "why"


def test_what_is_unknown_is_left_alone() -> None:
    """Modes and states of a later engine are read as what is never written to."""
    assert parse_service(service(UpdateStatus={})).update_state is None
    assert (
        parse_service(service(UpdateStatus={"State": "dreaming"})).update_state
        is UpdateState.UPDATING
    )
    odd = {"ID": "s", "Spec": {"Name": "web", "Mode": {"Elastic": {}}}}
    assert parse_service(odd).mode is ServiceMode.GLOBAL_JOB
    for state in ("allocated", "dreaming", ""):
        task = parse_task({"ID": "t", "ServiceID": "s", "Status": {"State": state}})
        assert task is not None
        assert task.state is TaskState.PENDING


@pytest.mark.parametrize("state", [*TaskState])
def test_exit_codes_are_of_ended_containers_alone(state: TaskState) -> None:
    """A zero that only means "not told" is never an exit code."""
    told = (TaskState.COMPLETE, TaskState.SHUTDOWN, TaskState.FAILED, TaskState.REJECTED)
    for container_id, ended in (("c", state in told), ("", False)):
        status = {"State": state.label, "ContainerStatus": {"ContainerID": container_id}}
        task = parse_task({"ID": "t", "ServiceID": "s", "Status": status})
        assert task is not None
        assert task.state is state
        assert task.exit_code == (0 if ended else None)


def test_attachments_are_no_tasks() -> None:
    """A container attached to an overlay network shows as an empty task: left out."""
    assert parse_task({"ID": "", "Spec": {}}) is None


@pytest.mark.parametrize(
    ("check", "has"),
    [
        ({"Test": ["CMD", "true"]}, True),
        ({"Test": ["NONE"]}, False),
        ({"Test": []}, False),
        ({"Interval": 5}, False),
        (None, False),
    ],
)
def test_a_health_check_switched_off_is_none(check: Any, has: bool) -> None:
    """`NONE` switches an image's own check off."""
    raw = service()
    raw["Spec"]["TaskTemplate"] = {"ContainerSpec": {"Healthcheck": check}}
    assert parse_service(raw).has_health_check is has


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T09:18:31.108914577Z", 1795425511.108914),
        ("2026-11-23T10:18:31+01:00", 1795425511.0),
        ("2026-11-23T09:18:31", 1795425511.0),
        ("0001-01-01T00:00:00Z", 0.0),
        ("1969-12-31T23:59:59Z", 0.0),
        ("yesterday", 0.0),
        ("", 0.0),
        (None, 0.0),
        (7, 0.0),
    ],
)
def test_times_are_wall_seconds(text: Any, seconds: float) -> None:
    """RFC 3339 with nanoseconds and zones; Go's zero time and nonsense are no time."""
    assert wall_seconds({"at": text}, "at") == pytest.approx(seconds, abs=1e-6)


def test_templates_tell_what_replaces_tasks() -> None:
    """As managers do: empty differs from absent; placement and key order do not count."""
    base = {"ContainerSpec": {"Image": "a", "Env": ["A=1"]}, "ForceUpdate": 0}
    same = {"Runtime": "container", "ForceUpdate": 0, "Placement": {"Constraints": ["x"]}}
    assert template({**same, "ContainerSpec": {"Env": ["A=1"], "Image": "a"}}) == template(base)
    for other in (
        {**base, "ForceUpdate": 1},
        {**base, "ContainerSpec": {**base["ContainerSpec"], "Init": False}},
        {**base, "ContainerSpec": {"Image": "b", "Env": ["A=1"]}},
        {**base, "Networks": [{"Target": "n"}]},
    ):
        assert template(other) != template(base)


def test_cpu_limits_in_both_spellings() -> None:
    """NanoCpus, or a quota over a period with the kernel's own default."""
    for host, cores in (
        ({"NanoCpus": 250_000_000}, 0.25),
        ({"CpuQuota": 50_000, "CpuPeriod": 25_000}, 2.0),
        ({"CpuQuota": 50_000}, 0.5),
        ({"CpuQuota": -1}, None),
        ({}, None),
    ):
        raw = {
            "Id": "c",
            "Config": {"Labels": {"com.docker.swarm.task.id": "t"}},
            "HostConfig": host,
        }
        container = parse_container(raw)
        assert container is not None
        assert container.cpu_limit == cores
