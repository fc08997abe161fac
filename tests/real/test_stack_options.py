"""What may be added to stack.yml: a token for operators, and another user behind a proxy."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import fleet
from tests.real.lab import Swarm, eventually
from tests.real.lab.image import IMAGE, ROOT, product_image

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

_TOKEN = "a-token-that-only-operators-have"
_FILTER = Path(__file__).parent / "socket_filter.py"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Swarm]:
    """One manager that has the image."""
    archive = product_image()
    with Swarm.start(1, 0, in_memory=True) as swarm:
        swarm.load_image(archive)
        yield swarm


def test_operators_have_a_token_of_their_own(one: Swarm) -> None:
    """With deploy/token.yml who has the token may pause, and the agents' secret is not it."""
    encoded = base64.b64encode(_TOKEN.encode()).decode()
    one.manager.api("POST", "/secrets/create", {"Name": "swarm-monitor-token", "Data": encoded})
    fleet.deploy_stack(one, None, files=[ROOT / "deploy" / "token.yml"], secret="the-agents-own")

    def pause(token: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = '{"all": true, "for": "10m"}'
        return fleet.agent_request(one.manager, "POST", "/api/v1/pauses", body, headers)

    eventually(lambda: fleet.agent_get(one.manager, "/readyz")[0] == 200, 30, "it to be ready")
    assert pause("the-agents-own")[0] == 401
    status, body = pause(_TOKEN)
    assert status == 200, body


def test_as_another_user_behind_a_proxy_it_does_all_the_same(one: Swarm, tmp_path: Path) -> None:
    """With deploy/socket-proxy.yml it sees, measures and scales, and no call of it is refused."""
    manager = one.manager
    built = manager.docker("create", IMAGE)
    manager.docker("cp", str(_FILTER), f"{built}:/filter.py")
    entry = 'ENTRYPOINT ["python3", "/filter.py"]'
    manager.docker("commit", "--change", entry, built, "filter:test")
    rules = tmp_path / "own.yml"
    metric = "{min: 2, max: 3, metrics: [{type: cpu, cores: 0.1}]}"
    rules.write_text(f"version: 1\nrules:\n  - {{name: own, services: [web], scale: {metric}}}\n")
    one.create_service("web", "--replicas=1")
    fleet.deploy_stack(
        one,
        None,
        files=[ROOT / "deploy" / "socket-proxy.yml"],
        variables={"SOCKET_PROXY_IMAGE": "filter:test"},
        rules=rules,
    )
    one.wait_running("web", 2)
    assert "Uid:\t65534\t65534" in fleet.agent_exec(manager, "cat", "/proc/1/status")

    def measured() -> set[str]:
        return {
            labels["service_name"]
            for name, labels, _ in fleet.agent_samples(manager)
            if name == "swarm_task_network_receive_bytes_total"
        }

    expected = {"web", fleet.SERVICE}
    eventually(lambda: measured() >= expected, 20, lambda: f"{expected}, not {measured()}")
    log = manager.docker("service", "logs", "monitor_engine")
    assert "refused" not in log
    # What the agent has no business with is refused, so the above says something.
    ask = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/engine/docker.sock'); "
    ask += "s.sendall(b'GET /images/json HTTP/1.0\\r\\n\\r\\n'); "
    ask += "print(s.recv(64).split()[1].decode())"
    assert fleet.agent_exec(manager, "python3", "-c", ask) == "403"
    # It could write its journal, and the lease of the Swarm.
    assert fleet.agent_exec(manager, "sh", "-c", "ls /var/lib/swarm-monitor") != ""
    assert "swarm-monitor-lease" in manager.docker("config", "ls", "--format", "{{.Name}}")
