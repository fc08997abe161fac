"""What a live agent exports, held against the documents, the parsers and the docker client."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)

from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.lab import Node, Swarm, eventually
from tests.real.scrape import Scrape, replicas_exported, replicas_listed, scrape

RULES = """\
version: 1
rules:
  - name: busy
    services: [busy]
    scale: {min: 2, max: 3, metrics: [{type: memory, target: 1GiB}]}
  - name: every
    services: [every]
    restart: {when: {memory_above: 1GiB, for: 1h}, action: restart_service}
  - name: nodes
    nodes: [m1]
    node: {when: {down_for: 1h}, action: notify}
"""
SPIN = (
    "echo x > /tmp/x; while :; do i=0; while [ $i -lt 99 ]; do i=$((i+1)); done; sleep 0.05; done"
)
BUSY = ("sh", "-c", SPIN)
GREEDY = ("sh", "-c", 'sleep 0.5; x=$(head -c 100000000 /dev/zero | tr "\\0" a); echo ${#x}')
THREE_TIMES = ("--restart-delay=1s", "--restart-max-attempts=2")

STEADY = ("busy", "every", "well", "front")
"""Services whose tasks do not come and go once all have started."""

REASONS = {
    "fails": "nonzero_exit",
    "greedy": "oom",
    "sick": "unhealthy",
    "nowhere": "image_pull",
    "huge": "no_suitable_node",
    "barred": "no_suitable_node",
    "second": "port_conflict",
    "second_all": "port_conflict",
    "outside": "port_conflict",
}
"""What each service fails of, in the agent's words."""

NOT_HERE = {
    "swarm_agent_event_stream_reconnects_total": "the stream never broke",
    "swarm_agent_docker_request_failures_total": "no request failed",
    "swarm_agent_resync_drift_objects_total": "no event was lost",
    "swarm_rule_paused": "nobody paused a rule",
    "swarm_agent_notifications_dropped_total": "no message was given up",
    **dict.fromkeys(
        (
            "swarm_rule_node_actions_total",
            "swarm_rule_node_action_blocked_total",
            "swarm_rule_node_last_action_timestamp_seconds",
            "swarm_rule_node_drained_until_timestamp_seconds",
        ),
        "no node was drained or should be: see test_node_rules.py",
    ),
    **dict.fromkeys(
        (
            "swarm_agent_peers",
            "swarm_agent_clock_skew_seconds",
            "swarm_agent_remote_event_delay_seconds_bucket",
            "swarm_agent_remote_event_delay_seconds_count",
            "swarm_agent_remote_event_delay_seconds_sum",
        ),
        "there is no other agent: see test_stack.py",
    ),
}
"""Documented names that need a bad day, or company."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules")
    (path / "rules.yml").write_text(RULES)
    return path


@pytest.fixture(scope="module")
def agent(
    one_node: Swarm, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent that was there before all services were made, once each of them has settled."""
    one_node.manager.docker("node", "update", "--label-add", "zone=a", "m1")
    place = tmp_path_factory.mktemp("agent")
    (place / "secret").write_text("correct-horse-battery-staple")
    options = ("--service-label", "tier", "--node-label", "zone", "--data", str(place))
    options += ("--notify", "webhook=http://127.0.0.1:9/")
    options += ("--secret-file", str(place / "secret"), "--fleet-listen", "127.0.0.1:0")
    with (
        port_taken(one_node.manager) as port,
        running_agent(place, one_node.manager.url, folder, *options) as agent,
    ):
        create_all(one_node, outside=port)
        wait_until_settled(one_node)
        wait_until_known(agent, one_node)
        yield agent


@contextlib.contextmanager
def port_taken(node: Node) -> Iterator[int]:
    """A port of the node on which something listens that Docker knows nothing of."""
    port = 8099
    script = f"import socket, time; s = socket.create_server(('', {port})); time.sleep(900)"
    with node.popen([sys.executable, "-c", script]) as listener:
        try:
            yield port
        finally:
            listener.kill()


def create_all(swarm: Swarm, *, outside: int) -> None:
    """Services that go well, and one for each way to fail."""
    create = swarm.create_service
    create(
        *("busy", "--replicas=1", "--label=tier=front", "--replicas-max-per-node=4"),
        *("--limit-cpu=0.2", "--limit-memory=64M", "--limit-pids=50"),
        *("--reserve-cpu=0.01", "--reserve-memory=8M"),
        command=BUSY,
    )
    create("every", "--mode=global")
    create("well", "--replicas=2", "--health-cmd=true", "--health-interval=1s")
    create("front", "--publish=published=8085,target=80", "--update-monitor=100ms")
    create("job", "--mode=replicated-job", "--replicas=2", command=("true",))
    create("jobs", "--mode=global-job", command=("true",))
    create(
        *("work", "--mode=replicated-job", "--replicas=3", "--max-concurrent=2"),
        "--reserve-cpu=0.02",
        command=("sleep", "100000"),
    )
    create("fails", *THREE_TIMES, command=("sh", "-c", "sleep 0.5; exit 3"))
    create("greedy", *THREE_TIMES, "--limit-memory=16M", command=GREEDY)
    create(
        *("sick", *THREE_TIMES, "--health-cmd=false"),
        *("--health-interval=1s", "--health-retries=1"),
    )
    create("nowhere", *THREE_TIMES, image="nowhere.invalid/thing:1")
    create("huge", "--reserve-cpu=1000")
    create("barred", "--constraint=node.labels.zone==b")
    swarm.wait_running("busy", 1)
    create("first", "--publish=mode=host,published=8081,target=80")
    swarm.wait_running("first", 1)
    create("second", "--publish=mode=host,published=8081,target=80")
    create("second_all", "--mode=global", "--publish=mode=host,published=8081,target=80")
    create("outside", *THREE_TIMES, f"--publish=mode=host,published={outside},target=80")
    swarm.manager.docker("service", "update", "--detach", "--env-add=A=1", "front")


def wait_until_settled(swarm: Swarm) -> None:
    def settled() -> bool:
        front = swarm.manager.api("GET", "/services/front")
        return (
            all(ended(swarm, name) == 3 for name in ("fails", "greedy", "sick", "nowhere"))
            and ended(swarm, "outside") == 3
            and front.get("UpdateStatus", {}).get("State") == "completed"
        )

    eventually(
        settled,
        90,
        lambda: ", ".join(f"{name} ended {ended(swarm, name)} times" for name in REASONS),
    )
    for name, count in (("busy", 2), ("every", 1), ("well", 2), ("front", 1)):
        swarm.wait_running(name, count)


def wait_until_known(agent: AgentProcess, swarm: Swarm) -> None:
    """No event tells of a task, so the agent learns the last ones' end a moment later."""
    wait_for(
        lambda: (
            failures(scrape(agent)) == failures_expected(swarm)
            and replicas_exported(scrape(agent)) == replicas_listed(swarm.manager)
        ),
        40,
        lambda: f"{failures_expected(swarm)}; it counts {failures(scrape(agent))}",
    )


def failures_expected(swarm: Swarm) -> dict[str, dict[str, float]]:
    """A task that fits nowhere has not failed: it waits, and counts once."""
    return {service: {reason: max(ended(swarm, service), 1)} for service, reason in REASONS.items()}


def ended(swarm: Swarm, service: str) -> int:
    """How often a task of it failed or was rejected."""
    return sum(t["Status"]["State"] in ("failed", "rejected") for t in swarm.tasks(service))


def tool(name: str) -> str:
    """Path of a program of the package prometheus."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(f"{name} is missing: install the package prometheus", pytrace=False)
        pytest.skip(f"{name} is missing: install the package prometheus")
    return path


def documented() -> dict[str, str]:
    """Type by name out of the tables of docs/metrics.md."""
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    found = re.findall(r"^\| `([a-z_]+)` \| (gauge|counter|info|histogram) \|", text, re.MULTILINE)
    assert len(found) > 100
    return dict(found)


def samples_of(names: dict[str, str]) -> set[str]:
    """The names of the samples that these metrics have in text format."""
    suffixes = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + end for name, kind in names.items() for end in suffixes.get(kind, ("",))}


def test_promtool_finds_nothing_to_say(agent: AgentProcess) -> None:
    """`promtool check metrics` is clean on a live scrape."""
    status, body = agent.get("/metrics")
    assert status == 200
    checked = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=body, capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_openmetrics_says_the_same(agent: AgentProcess) -> None:
    """The OpenMetrics format parses strictly and holds the same series as the text format."""
    accept = "application/openmetrics-text; version=1.0.0"
    status, body = agent.get("/metrics", Accept=accept)
    assert status == 200
    assert body.endswith("# EOF\n")
    found = {
        (sample.name, frozenset(sample.labels.items()))
        for family in parse_openmetrics(body)
        for sample in family.samples
        if sample.name.startswith(("swarm_service", "swarm_node", "swarm_task_state"))
    }
    assert found
    shown = scrape(agent)
    assert found == {
        (name, frozenset(labels.items()))
        for name, labels, _ in shown.samples
        if name.startswith(("swarm_service", "swarm_node", "swarm_task_state"))
    }


def test_gzip_is_smaller_and_the_same(agent: AgentProcess) -> None:
    """Asked for gzip, the exposition comes packed and unpacks to a whole one."""
    url = f"http://127.0.0.1:{agent.port}/metrics"
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        packed = answer.read()
        assert answer.headers["Content-Encoding"] == "gzip"
    body = gzip.decompress(packed)
    assert len(packed) < len(body) / 4
    assert body.decode().splitlines()[-1].startswith(("swarm_", "python_", "process_"))
    assert b"\nswarm_service_replicas_running{" in body


def test_names_are_those_of_the_document(agent: AgentProcess) -> None:
    """Nothing is exported that is not documented, and all that is documented appears."""
    # Some families appear with the second reading, or with the slower ones.
    needed = samples_of(documented()) - NOT_HERE.keys()
    wait_for(
        lambda: needed <= scrape(agent).names,
        20,
        lambda: f"all documented names; missing: {sorted(needed - scrape(agent).names)}",
    )
    extra = scrape(agent).names - samples_of(documented())
    assert not extra


def test_services_are_as_docker_lists_them(agent: AgentProcess, one_node: Swarm) -> None:
    """Replicas running and desired, and what jobs completed, as `docker service ls` has them."""
    assert replicas_exported(scrape(agent)) == replicas_listed(one_node.manager)
    completed = scrape(agent).by("service_name", "swarm_service_tasks_completed")
    assert completed == {"job": 2, "jobs": 1, "work": 0}


def test_tasks_are_as_docker_lists_them(agent: AgentProcess, one_node: Swarm) -> None:
    """Each task's state and node, and the exit codes, as `docker service ps` and inspect say."""
    shown = scrape(agent)
    for service in STEADY:
        printed = one_node.manager.docker(
            *("service", "ps", service, "--no-trunc", "--format"),
            "{{.ID}} {{.CurrentState}}",
            "--filter=desired-state=running",
        )
        told = {line.split()[0]: line.split()[1].lower() for line in printed.splitlines()}
        states = task_states(shown, service)
        assert told.items() <= states.items(), service
        nodes = shown.by("task_id", "swarm_task_info", service_name=service, node_name="m1")
        assert told.keys() <= nodes.keys()
    codes = shown.by("service_name", "swarm_task_last_exit_code")
    assert {name: codes.get(name) for name in ("fails", "greedy", "sick", "job", "outside")} == {
        "fails": 3,
        "greedy": 137,
        "sick": 137,
        "job": 0,
        "outside": 128,
    }
    assert "busy" not in codes
    assert "nowhere" not in codes, "a task without a container has no exit code"


def task_states(shown: Scrape, service: str) -> dict[str, str]:
    return {
        labels["task_id"]: labels["state"]
        for name, labels, value in shown.samples
        if name == "swarm_task_state" and labels["service_name"] == service and value == 1
    }


def test_nodes_are_as_docker_lists_them(agent: AgentProcess, one_node: Swarm) -> None:
    """State, availability and leadership as `docker node ls` prints them."""
    format_ = "{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}"
    printed = one_node.manager.docker("node", "ls", "--format", format_)
    shown = scrape(agent)
    (line,) = printed.splitlines()
    name, state, availability, standing = line.lower().split()
    assert shown.value("swarm_node_state", node_name=name, state=state) == 1
    assert sum(shown.values("swarm_node_state", node_name=name)) == 1
    assert shown.value("swarm_node_availability", availability=availability) == 1
    assert shown.value("swarm_node_manager_leader", node_name=name) == (standing == "leader")
    assert shown.value("swarm_cluster_managers_reachable") == 1
    printed = one_node.manager.docker(
        *("node", "ps", "self", "--format", "{{.DesiredState}} {{.CurrentState}}")
    )
    wanted_and_running = ("running running", "complete running")  # the latter of jobs
    running = sum(line.lower().startswith(wanted_and_running) for line in printed.splitlines())
    assert shown.value("swarm_node_tasks", state="running") == running
    # Two tasks of `busy` and two of `work`; what was never given a node reserves nothing.
    assert shown.value("swarm_node_reserved_cpu_cores") == pytest.approx(2 * 0.01 + 2 * 0.02)
    assert shown.value("swarm_node_reserved_memory_bytes") == 2 * 8 * 2**20


def test_failures_are_counted_by_their_reason(agent: AgentProcess, one_node: Swarm) -> None:
    """Every way to fail is counted as what it is, once per task, and as nothing else."""
    shown = scrape(agent)
    assert failures(shown) == failures_expected(one_node)
    for service in (*STEADY, "job", "jobs", "first"):
        zeros = shown.by("reason", "swarm_task_failures_total", service_name=service)
        assert set(zeros.values()) == {0}, "a counter starts at zero, not with its first failure"
    restarts = shown.by("service_name", "swarm_task_restarts_total")
    assert restarts["fails"] == restarts["greedy"] == 2
    assert restarts["every"] == 0
    healthy = shown.values("swarm_task_health_state", service_name="well", state="healthy")
    assert healthy == [1, 1]


def failures(shown: Scrape) -> dict[str, dict[str, float]]:
    """Counts above zero by service and reason."""
    found: dict[str, dict[str, float]] = {}
    for name, labels, value in shown.samples:
        if name == "swarm_task_failures_total" and value:
            found.setdefault(labels["service_name"], {})[labels["reason"]] = value
    return found


def test_a_real_prometheus_scrapes_it(agent: AgentProcess, tmp_path: Path) -> None:
    """A Prometheus server of its own reads the agent without an error and holds its values."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: swarm-monitor\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{agent.port}']}}]\n"
    )
    command = [
        tool("prometheus"),
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = (tmp_path / "prometheus.log").open("w+")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            base = f"http://127.0.0.1:{port}/api/v1"
            query = "count_over_time(up[1m]) >= 3"
            wait_for(lambda: ask(base, query), 60, lambda: log.name)
            assert ask(base, "min_over_time(up[1m])") == [1.0]
            assert ask(base, "scrape_samples_scraped")[0] > 300
            assert ask(base, 'swarm_service_replicas_running{service_name="busy"}') == [2.0]
            assert ask(base, 'swarm_service_replicas_desired{service_name="well"}') == [2.0]
            with urllib.request.urlopen(f"{base}/targets", timeout=10) as answer:
                (target,) = json.load(answer)["data"]["activeTargets"]
            assert (target["health"], target["lastError"]) == ("up", "")
        finally:
            server.terminate()
            server.wait(20)
        log.seek(0)
        assert "level=error" not in log.read()


def ask(base: str, query: str) -> list[float]:
    """Values of an instant query; none while the server is not up."""
    url = f"{base}/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            data: Any = json.load(answer)["data"]["result"]
    except OSError:
        return []
    return [float(entry["value"][1]) for entry in data]
