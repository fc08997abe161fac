"""deploy/ on a real Swarm: a real Prometheus finds every agent, and the dashboards have data."""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards import panel_queries
from tests.real import fleet
from tests.real.lab import Swarm, eventually, inside
from tests.real.lab.image import ROOT, product_image
from tests.real.lab.requirements import tool
from tests.real.prometheus_image import load_prometheus

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

_SERVICE = "monitor_prometheus"
_RULES = """\
version: 1
rules:
  - name: own
    services: [web]
    scale: {min: 2, max: 4, metrics: [{type: cpu, cores: 0.5}]}
"""


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """Five nodes, the stack with its Prometheus, and a service that a rule looks after."""
    rules = tmp_path_factory.mktemp("rules") / "own.yml"
    rules.write_text(_RULES)
    archive = product_image()
    with Swarm.start(3, 2, in_memory=True) as swarm:
        swarm.load_image(archive)
        manager = swarm.manager
        manager.docker("node", "update", "--label-add", "swarm-monitor.data=true", manager.node_id)
        manager.api(
            "POST", "/secrets/create", {"Name": "swarm-monitor-grafana", "Data": "c2VjcmV0"}
        )
        swarm.create_service(
            "web", "--replicas=2", "--limit-memory=64M", "--limit-cpu=0.5", "--reserve-cpu=0.1"
        )
        deploy(swarm, rules)
        swarm.wait_running(_SERVICE, 1)
        yield swarm


def deploy(swarm: Swarm, rules: Path) -> None:
    # There is no image of Grafana here: any other keeps that service out of the way.
    content = b"".join(p.read_bytes() for p in sorted((ROOT / "deploy").rglob("*.[yj]*")))
    variables = {
        "DEPLOY_HASH": hashlib.sha256(content).hexdigest()[:12],
        "PROMETHEUS_IMAGE": load_prometheus(swarm),
        "GRAFANA_IMAGE": "work:1",
    }
    files = [ROOT / "deploy" / "monitoring.yml"]
    fleet.deploy_stack(swarm, None, files=files, variables=variables, rules=rules)


def test_prometheus_scrapes_every_agent(monitored: Swarm) -> None:
    """By DNS it finds all five, each of them answers, and none is there twice."""
    eventually(lambda: up(monitored) == [1.0] * 5, 90, lambda: f"five agents: {up(monitored)}")


def test_every_panel_has_data(monitored: Swarm) -> None:
    """Each query of each dashboard returns something on that Prometheus."""

    def empty() -> list[str]:
        return [
            f"{query.dashboard}/{query.panel}: {query.expression}"
            for query in panel_queries({"$service": "web"})
            if not ask(monitored, query.expression)
        ]

    eventually(lambda: not empty(), 150, lambda: f"data for {empty()}")


def test_the_alerts_are_loaded_and_quiet(monitored: Swarm) -> None:
    """All rules are evaluated without an error, and with all agents well none of theirs fires."""

    def groups() -> list[Any]:
        found: list[Any] = get(monitored, "/api/v1/rules")["data"]["groups"]
        return found

    def health() -> dict[str, set[str]]:
        return {group["name"]: {rule["health"] for rule in group["rules"]} for group in groups()}

    assert {group["name"] for group in groups()} >= {"swarm-services", "swarm-monitor-agents"}
    # Just after its start a Prometheus has evaluated nothing yet.
    eventually(lambda: set().union(*health().values()) == {"ok"}, 90, lambda: f"ok: {health()}")
    fired = ask(monitored, 'ALERTS{alertstate="firing",alertname=~"SwarmAgent.*|SwarmNode.*"}')
    assert fired == []


def test_a_prometheus_outside_finds_them_through_the_engine(
    monitored: Swarm, tmp_path: Path
) -> None:
    """The other scrape config asks a manager, and reaches each agent once, by its node's name."""
    node = monitored.workers[0]
    text = (ROOT / "deploy" / "prometheus-dockerswarm.yml").read_text()
    config = tmp_path / "prometheus.yml"
    changed = text.replace("unix:///var/run/docker.sock", monitored.manager.url)
    assert changed != text
    config.write_text(changed)
    for name in ("recording.yml", "alerts.yml"):
        (tmp_path / name).write_text((ROOT / "deploy" / name).read_text())
    command = [tool("prometheus"), f"--config.file={config}", "--web.listen-address=127.0.0.1:9099"]
    command.append(f"--storage.tsdb.path={tmp_path / 'data'}")
    with (tmp_path / "log").open("wb") as log:
        process = node.popen(command, stdout=log, stderr=log)
    try:
        expected = {n.name: "1" for n in monitored.nodes}

        def found() -> dict[str, str]:
            query = urllib.parse.quote("swarm_agent_up")
            answer = fetch(node.net_namespace, 9099, f"/api/v1/query?query={query}")
            return {r["metric"]["node"]: r["value"][1] for r in answer["data"]["result"]}

        eventually(lambda: found() == expected, 60, lambda: f"all five: {found()}")
    finally:
        process.kill()
        process.wait(10)


def up(swarm: Swarm) -> list[float]:
    return [float(sample["value"][1]) for sample in ask(swarm, 'up{job="swarm-monitor"}')]


def ask(swarm: Swarm, expression: str) -> list[Any]:
    """The result of an instant query."""
    answer = get(swarm, f"/api/v1/query?query={urllib.parse.quote(expression)}")
    result: list[Any] = answer["data"]["result"]
    return result


def get(swarm: Swarm, path: str) -> Any:
    """A GET to the stack's Prometheus, from inside its own network namespace."""
    (task,) = swarm.running(_SERVICE)
    node = next(n for n in swarm.nodes if n.node_id == task["NodeID"])
    pid = int(task["Status"]["ContainerStatus"]["PID"])
    return fetch(node.proc / str(pid) / "ns" / "net", 9090, path)


def fetch(namespace: Path, port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.sock = inside.connect(namespace, "127.0.0.1", port, 10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{path}: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise ConnectionError(f"{path}: {response.status} {body[:300]}")
    return json.loads(body)
