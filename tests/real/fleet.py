"""The agents as a stack on a lab's Swarm: deployed with stack.yml from the image of the Dockerfile.

archive = product_image()
deploy_stack(swarm, archive)
status, body = agent_get(swarm.node("w1"), "/metrics")
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import secrets
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.real.lab import ApiError, LabError, Node, Swarm, docker_bin, eventually
from tests.real.lab.image import IMAGE, ROOT
from tests.real.lab.shell import run

STACK = "monitor"
SERVICE = f"{STACK}_agent"
SECRET = "swarm-monitor-secret"
PORT = 9580


def deploy_stack(
    swarm: Swarm,
    archive: Path | None,
    *,
    rules: Path | None = None,
    files: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
    image: str = IMAGE,
    secret: str | None = None,
    wait: bool = True,
) -> None:
    """Do what docs/deploy.md says, as an operator does: make the secret, deploy stack.yml.

    archive    the image to load into every node first; None: they have it
    rules      a rule file of the test's own, beside the shipped ones
    files      further stack files, as with `-c`; `variables` are for `${...}` in all of them
    secret     what the secret holds; by default 32 random bytes in base64. None is made where
               there is one already: to deploy again is to update.
    wait       until the agent runs on each node that runs, and answers

    Raises LabError where something does not work.
    """
    if archive is not None:
        swarm.load_image(archive)
    _make_secret(swarm.manager, secret)
    arguments = [f"--compose-file={path}" for path in (ROOT / "stack.yml", *files)]
    if rules is not None:
        arguments.append(f"--compose-file={_rules_file(swarm, rules)}")
    # There is no registry to ask for the image's digest.
    arguments += ["--resolve-image=never", STACK]
    known = {"RULES_HASH": rules_hash(), "SWARM_MONITOR_IMAGE": image, **(variables or {})}
    _client(swarm.manager, ["stack", "deploy", *arguments], known)
    if wait:
        wait_agents(swarm)


def rules_hash() -> str:
    """What `cat rules/*.yml | sha256sum | cut -c1-12` prints in this repository."""
    content = b"".join(path.read_bytes() for path in sorted((ROOT / "rules").glob("*.yml")))
    return hashlib.sha256(content).hexdigest()[:12]


def wait_agents(swarm: Swarm, nodes: Sequence[Node] | None = None, timeout: float = 90) -> None:
    """Return once these nodes (all that run) have an agent that answers and the Swarm knows."""
    awaited = [n for n in swarm.nodes if n.running and not n.frozen] if nodes is None else nodes

    def ready() -> bool:
        running = {task["NodeID"] for task in swarm.running(SERVICE)}
        return all(n.node_id in running and agent_get(n, "/healthz")[0] == 200 for n in awaited)

    def say() -> str:
        tasks = [
            (t.get("NodeID"), t["Status"]["State"], t["Status"].get("Err", ""))
            for t in swarm.tasks(SERVICE)
        ]
        logs = {node.name: agent_log(node)[-1500:] for node in awaited}
        return f"agents on {awaited}, tasks: {tasks}, logs: {logs}"

    eventually(ready, timeout, say)


def wait_updated(swarm: Swarm, timeout: float = 120) -> str:
    """Return once no update of the agents' service is under way: the state that it ended in.

    Ask after a deploy that changed something: before the update begins, the one before is told.
    """
    seen: list[str] = []

    def ended() -> bool:
        service = swarm.manager.api("GET", f"/services/{SERVICE}")
        seen.append(service.get("UpdateStatus", {}).get("State", ""))
        return seen[-1] not in ("updating", "rollback_started")

    eventually(ended, timeout, lambda: f"the update to end; it is {seen[-1:]}")
    return seen[-1]


def remove_stack(swarm: Swarm, timeout: float = 60) -> None:
    """Remove the stack; returns once its tasks are gone. The secret and the volumes stay."""
    _client(swarm.manager, ["stack", "rm", STACK], {})
    eventually(
        lambda: all(not agent_ids(n, all_states=True) for n in swarm.nodes if n.running),
        timeout,
        "the agents' containers to be gone",
    )


# Asking one agent


def agent_get(node: Node, path: str, *, timeout: float = 5) -> tuple[int, str]:
    """Status and body of a GET to the node's agent, as from a process on that node.

    Raises OSError where none answers within `timeout` seconds.
    """
    return agent_request(node, "GET", path, timeout=timeout)


def agent_request(
    node: Node,
    method: str,
    path: str,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = 5,
) -> tuple[int, str]:
    """Like `agent_get`, with any method, body and headers."""
    connection = http.client.HTTPConnection(node.address, PORT, timeout=timeout)
    connection.sock = node.connect(PORT, node.address, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read().decode()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{node.name}: {error!r}") from error
    finally:
        connection.close()


def agent_json(node: Node, path: str) -> Any:
    """The parsed answer; raises OSError where the status is not 200 or nobody answers."""
    status, body = agent_get(node, path)
    if status != 200:
        raise ConnectionError(f"{node.name}{path}: {status} {body[:300]}")
    return json.loads(body)


def agent_samples(node: Node) -> list[tuple[str, dict[str, str], float]]:
    """All samples of one scrape as (name, labels, value)."""
    status, body = agent_get(node, "/metrics")
    if status != 200:
        raise ConnectionError(f"{node.name}: {status} {body[:300]}")
    return [
        (sample.name, dict(sample.labels), sample.value)
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    ]


def agent_value(node: Node, name: str, **labels: str) -> float | None:
    """The first sample with these labels (others ignored), None where there is none."""
    for have, found, value in agent_samples(node):
        if have == name and labels.items() <= found.items():
            return value
    return None


def actors(swarm: Swarm) -> list[Node]:
    """The nodes whose agents say of themselves that they act; those that do not answer do not."""
    found = []
    for node in swarm.nodes:
        if not node.running:
            continue
        try:
            if agent_value(node, "swarm_agent_leader") == 1:
                found.append(node)
        except OSError:
            continue
    return found


# Its container


def agent_ids(node: Node, *, all_states: bool = False) -> list[str]:
    """Ids of the containers of the agent on this node, newest first; by default those running."""
    filters = json.dumps({"label": [f"com.docker.swarm.service.name={SERVICE}"]})
    query = urllib.parse.urlencode({"filters": filters, "all": "1" if all_states else "0"})
    found: list[dict[str, Any]] = node.api("GET", f"/containers/json?{query}")
    newest = sorted(found, key=lambda entry: entry["Created"], reverse=True)
    return [str(entry["Id"]) for entry in newest]


def agent_container(node: Node) -> dict[str, Any]:
    """What inspecting the running container of the agent says; raises LabError without one."""
    for container in agent_ids(node):
        inspected: dict[str, Any] = node.api("GET", f"/containers/{container}/json")
        return inspected
    raise LabError(f"{node.name} runs no agent")


def agent_log(node: Node) -> str:
    """What all containers of the agent on this node logged, oldest first; "" without any."""
    try:
        ids = agent_ids(node, all_states=True)
        return "\n".join(_logs(node, container) for container in reversed(ids))
    except (OSError, ApiError, LabError) as error:
        return str(error)


def kill_agent(node: Node) -> str:
    """SIGKILL the agent's process, as a crash does; returns the id of its container."""
    return _signal(node, "KILL")


def freeze_agent(node: Node) -> str:
    """SIGSTOP the agent: it keeps its connections and does nothing."""
    return _signal(node, "STOP")


def thaw_agent(node: Node) -> str:
    """Let a frozen agent go on."""
    return _signal(node, "CONT")


def stop_agent(node: Node) -> str:
    """SIGTERM: it stops in good order, and the Swarm starts another after 5 s."""
    return _signal(node, "TERM")


def agent_exec(node: Node, *command: str, timeout: float = 30, check: bool = True) -> str:
    """Run a command in the agent's container and return what it printed."""
    return node.docker("exec", agent_ids(node)[0], *command, timeout=timeout, check=check)


def _signal(node: Node, name: str) -> str:
    # By its process, not `docker kill`: the engine would note that somebody stopped it by hand.
    container = agent_container(node)
    process = int(container["State"]["Pid"])
    if not process:  # it ended just now; signals to 0 would go to whoever sends them
        raise LabError(f"the agent on {node.name} runs no more")
    node.run_inside(["sh", "-c", f"kill -{name} {process}"])
    return str(container["Id"])


def _logs(node: Node, container: str) -> str:
    client = docker_bin() or "docker"
    both = ["sh", "-c", 'exec "$@" 2>&1', "sh", client, "--host", node.url, "logs", container]
    return run(both, check=False)


def _make_secret(manager: Node, content: str | None) -> None:
    filters = urllib.parse.quote(json.dumps({"names": [SECRET]}))
    if manager.api("GET", f"/secrets?filters={filters}"):
        return
    words = base64.b64encode(secrets.token_bytes(32)).decode() if content is None else content
    data = base64.b64encode(words.encode()).decode()
    manager.api("POST", "/secrets/create", {"Name": SECRET, "Data": data})


def _rules_file(swarm: Swarm, rules: Path) -> Path:
    """A stack file that adds one more rule file, named by its content."""
    digest = hashlib.sha256(rules.read_bytes()).hexdigest()[:12]
    stack = {
        "version": "3.8",
        "services": {"agent": {"configs": [{"source": "own", "target": "/rules/own.yml"}]}},
        "configs": {"own": {"name": f"swarm-monitor-own-{digest}", "file": str(rules)}},
    }
    path = swarm.folder / f"rules-{digest}.json"
    path.write_text(json.dumps(stack))
    return path


def _client(node: Node, arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    client = docker_bin()
    if client is None:
        raise LabError("the docker client is missing")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}
    environment |= {"DOCKER_CONFIG": f"{node.socket}.client", **variables}
    return run([client, "--host", node.url, *arguments], timeout=60, env=environment)
