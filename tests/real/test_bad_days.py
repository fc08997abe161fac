"""Bad input and bad days: each gets one clear message or a stated condition, and life goes on."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.conftest import SwarmFactory
from tests.real.cutting import CuttingProxy
from tests.real.lab import Node, Swarm, eventually
from tests.real.scrape import replicas_exported, replicas_listed, scrape

pytestmark = pytest.mark.slow

SCALE = """\
version: 1
rules:
  - name: {rule}
    services: [{service}]
    scale: {{min: {least}, max: 5, metrics: [{{type: {metric}}}]}}
"""
MEMORY = "memory, target: 1GiB"

# Where the agent that acts can see what tasks use.
HERE = "--constraint=node.hostname==m1"

# A user who owns nothing here; and root without the right to pass over the modes of files.
NOBODY_HERE = 54321
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    """A manager and a worker."""
    return swarm_of(1, 1)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of rules that the manager's agent watches."""
    return tmp_path_factory.mktemp("rules")


@pytest.fixture(scope="module")
def running(
    swarm: Swarm, rules: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """One agent beside the manager; tests give it rules and take them away."""
    with running_agent(tmp_path_factory.mktemp("agent"), swarm.manager.url, rules) as agent:
        yield agent


@pytest.fixture
def agent(running: AgentProcess, rules: Path, swarm: Swarm) -> Iterator[AgentProcess]:
    """The agent without any rule; it must still be alive and well after the test."""
    yield running
    for file in rules.iterdir():
        file.unlink()
    swarm.remove_services()
    wait_for(lambda: status(running)["rules"] == [], 20, lambda: status(running))
    assert running.process.poll() is None
    assert not [line for line in running.lines() if "exception" in line]


def write_rule(
    rules: Path, rule: str, service: str, *, least: int = 1, metric: str = MEMORY
) -> Path:
    file = rules / f"{rule}.yml"
    file.write_text(SCALE.format(rule=rule, service=service, least=least, metric=metric))
    return file


def status(agent: AgentProcess) -> Any:
    return agent.json("/api/v1/status")


def warnings(agent: AgentProcess, since: int = 0) -> list[str]:
    """What the agent warned of, and why if it says that apart."""
    return [
        " ".join(str(line.get(key, "")) for key in ("event", "why", "problem")).strip()
        for line in agent.lines()[since:]
        if line.get("level") in ("warning", "error")
    ]


def version(node: Node, service: str) -> int:
    return int(node.api("GET", f"/services/{service}")["Version"]["Index"])


def wait_reason(agent: AgentProcess, service: str, reason: str) -> dict[str, Any]:
    """The newest decision on the service, once it has that reason."""
    wait_for(
        lambda: agent.reason(service) == reason,
        30,
        lambda: f"{service}: {reason}, its newest is {agent.decisions(service)[:1]}",
    )
    return agent.decisions(service)[0]


def not_ready(agent: AgentProcess, words: str) -> None:
    """Until `/readyz` gives one sentence with these words in it."""

    def says() -> bool:
        code, text = agent.get("/readyz")
        return code == 503 and words in text and len(text.splitlines()) == 1

    wait_for(says, 20, lambda: f"/readyz to say {words!r}; it says {agent.get('/readyz')}")


# The engine


def test_no_socket_until_there_is_one(swarm: Swarm, tmp_path: Path) -> None:
    """Without a socket the agent says so once and waits; with one it needs no help."""
    path = tmp_path / "e.sock"
    with running_agent(tmp_path, f"unix://{path}", ready=False) as agent:
        not_ready(agent, f"no Docker socket at {path}")
        time.sleep(6)
        said = warnings(agent)
        assert len(said) == 1, said
        assert f"no Docker socket at {path}" in said[0]
        assert agent.get("/healthz")[0] == 200
        assert scrape(agent).value("swarm_docker_up") == 0
        with CuttingProxy(swarm.manager.socket, path):
            agent.wait_ready()
            assert scrape(agent).value("swarm_docker_up") == 1
        assert agent.stop() == 0


def test_no_permission_until_it_is_given(swarm: Swarm, tmp_path: Path) -> None:
    """A socket that may not be opened is said once, with what to do; allowed, it is used."""
    with CuttingProxy(swarm.manager.socket, tmp_path / "e.sock") as proxy:
        os.chown(proxy.path, NOBODY_HERE, NOBODY_HERE)
        proxy.path.chmod(0o600)
        with running_agent(tmp_path, proxy.url, ready=False, prefix=NO_OVERRIDE) as agent:
            not_ready(agent, f"permission denied on {proxy.path}: run as root or as a member")
            assert f"gid {NOBODY_HERE}" in agent.get("/readyz")[1]
            time.sleep(6)
            said = warnings(agent)
            assert len(said) == 1, said
            assert "permission denied" in said[0]
            proxy.path.chmod(0o666)
            agent.wait_ready()


def test_an_engine_that_is_no_swarm_becomes_one(tmp_path: Path) -> None:
    """Outside of a Swarm `/readyz` says what to run; once that is done the agent is ready."""
    with Swarm.start(1, 0, images=()) as alone:
        node = alone.manager
        node.docker("swarm", "leave", "--force")
        with running_agent(tmp_path, node.url, ready=False) as agent:
            not_ready(agent, "run docker swarm init or docker swarm join")
            assert scrape(agent).value("swarm_agent_role", role="none") == 1
            assert scrape(agent).value("swarm_docker_up") == 1
            assert warnings(agent) == []
            node.docker("swarm", "init", f"--advertise-addr={node.address}")
            agent.wait_ready(40)
            wait_for(
                lambda: scrape(agent).value("swarm_agent_leader") == 1, 20, lambda: status(agent)
            )
            assert scrape(agent).value("swarm_cluster_managers") == 1
            assert len(warnings(agent)) <= 1, warnings(agent)
            node.docker("swarm", "leave", "--force")
            not_ready(agent, "run docker swarm init or docker swarm join")
            wait_for(lambda: not scrape(agent).cluster, 20, lambda: scrape(agent).cluster)


def test_a_worker_exports_its_tasks_and_is_promoted(swarm: Swarm, tmp_path: Path) -> None:
    """On a worker the agent is ready, quiet, and shows its own tasks; promoted it mirrors."""
    worker = swarm.workers[0]
    swarm.create_service("spread", "--mode=global", "--restart-delay=1s")
    swarm.wait_running("spread", 2)
    with running_agent(tmp_path, worker.url) as agent:
        wait_for(lambda: scrape(agent).usage, 20, lambda: scrape(agent).names)
        time.sleep(6)
        shown = scrape(agent)
        assert shown.cluster == set()
        assert len(shown.values("swarm_task_cpu_usage_seconds_total", service_name="spread")) == 1
        assert shown.value("swarm_agent_role", role="worker") == 1
        assert shown.value("swarm_agent_event_stream_connected") == 1
        assert warnings(agent) == []
        asked = sum(
            shown.values("swarm_agent_docker_requests_total", endpoint="/services")
            + shown.values("swarm_agent_docker_requests_total", endpoint="/tasks")
        )
        assert asked <= 3, "a worker is asked again and again for what it cannot know"

        swarm.manager.docker("node", "promote", worker.name)
        try:
            wait_for(
                lambda: {node["name"] for node in status(agent)["nodes"]} == {"m1", "w1"},
                40,
                lambda: status(agent),
            )
            wait_for(
                lambda: scrape(agent).value("swarm_agent_role", role="manager") == 1,
                20,
                lambda: status(agent)["agents"],
            )
            # The raft leader's agent would export the Swarm; this one only knows it.
            assert scrape(agent).cluster == set()
            assert scrape(agent).value("swarm_agent_leader") == 0
        finally:
            swarm.manager.docker("node", "demote", worker.name)
        wait_for(lambda: status(agent)["nodes"] == [], 40, lambda: status(agent))
        wait_for(lambda: agent.get("/readyz")[0] == 200, 20, lambda: agent.get("/readyz"))
        assert len(warnings(agent)) <= 3, warnings(agent)
    swarm.remove_services()


def test_answers_cut_in_the_middle(tmp_path: Path) -> None:
    """Answers and streams that break off are no facts; once they are whole all is right again."""
    rules = tmp_path / "rules"
    rules.mkdir()
    write_rule(rules, "cut", "cut", least=2)
    # Of its own: elsewhere another test's agent may hold the lease.
    with Swarm.start(1, 0) as swarm:
        swarm.create_service("cut", "--replicas=2")
        swarm.wait_running("cut", 2)
        cut_and_heal(swarm, tmp_path, rules)


def cut_and_heal(swarm: Swarm, tmp_path: Path, rules: Path) -> None:
    with (
        CuttingProxy(swarm.manager.socket, tmp_path / "e.sock") as proxy,
        running_agent(tmp_path, proxy.url, rules) as agent,
    ):
        wait_reason(agent, "cut", "at_min")
        before = len(agent.lines())
        proxy.cut()
        swarm.manager.docker("service", "scale", "--detach", "cut=1")
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            assert agent.get("/healthz")[0] == 200
            assert scrape(agent).seconds < 1.0
            time.sleep(0.25)
        assert proxy.cuts >= 3
        assert len(agent.lines()) - before <= 8, agent.messages()[before:]
        proxy.heal()
        agent.wait_ready(40)
        eventually(lambda: replicas_listed(swarm.manager)["cut"] == (2, 2), 60, "cut at 2 again")
        wait_for(
            lambda: replicas_exported(scrape(agent)) == {"cut": (2, 2)},
            20,
            lambda: replicas_exported(scrape(agent)),
        )
        assert not [line for line in agent.lines() if "exception" in line]
        assert agent.stop() == 0


# The rules


def test_a_broken_rule_file_leaves_the_old_rules_in_force(
    agent: AgentProcess, rules: Path, swarm: Swarm
) -> None:
    """A file broken while running is stated with its place, and changes nothing until mended."""
    swarm.create_service("kept", HERE, "--replicas=2")
    swarm.wait_running("kept", 2)
    file = write_rule(rules, "kept", "kept", least=2)
    wait_reason(agent, "kept", "at_min")
    good = file.read_text()
    before = len(agent.lines())

    file.write_text(good.replace("scale:", "scales:"))
    wait_for(lambda: status(agent)["problems"], 20, lambda: status(agent))
    (problem,) = status(agent)["problems"]
    assert problem.startswith(f"{file}:5:5: "), problem
    assert "scale" in problem
    assert scrape(agent).value("swarm_rule_config_last_reload_successful") == 0
    assert [rule["name"] for rule in status(agent)["rules"]] == ["kept"]

    swarm.manager.docker("service", "scale", "--detach", "kept=1")
    eventually(lambda: replicas_listed(swarm.manager)["kept"] == (2, 2), 60, "kept at 2 again")
    said = [line for line in warnings(agent, before) if ":5:5:" in line]
    assert len(said) == 1, said
    assert agent.command("check", str(rules)).returncode == 1

    file.write_text(good)
    wait_for(lambda: not status(agent)["problems"], 20, lambda: status(agent))
    assert scrape(agent).value("swarm_rule_config_last_reload_successful") == 1


def test_a_rule_for_a_service_that_comes_later(
    agent: AgentProcess, rules: Path, swarm: Swarm
) -> None:
    """A name that no service has yet is stated, and ruled as soon as a service has it."""
    write_rule(rules, "later", "later", least=2)
    wait_for(lambda: status(agent)["rules"], 20, lambda: status(agent))
    (rule,) = status(agent)["rules"]
    assert rule["problems"] == ["no service is named later (yet)"]
    before = len(agent.lines())
    swarm.create_service("later", HERE)
    swarm.wait_running("later", 2)
    (rule,) = status(agent)["rules"]
    assert rule["problems"] == []
    assert rule["services"] == ["later"]
    assert warnings(agent, before) == []


def test_two_rules_that_claim_one_service(agent: AgentProcess, rules: Path, swarm: Swarm) -> None:
    """Neither of two scale rules that claim a service acts, until one lets go of it."""
    swarm.create_service("both", HERE)
    swarm.wait_running("both", 1)
    before, at = len(agent.lines()), version(swarm.manager, "both")
    write_rule(rules, "one", "both", least=2)
    second = write_rule(rules, "two", "bot*", least=3)
    decision = wait_reason(agent, "both", "ambiguous")
    assert "one, two" in decision["sentence"]
    assert {d["rule"] for d in agent.decisions("both") if d["reason"] == "ambiguous"} == {
        "one",
        "two",
    }
    time.sleep(4)
    assert version(swarm.manager, "both") == at
    assert len(warnings(agent, before)) <= 2, warnings(agent, before)
    second.unlink()
    swarm.wait_running("both", 2)


def test_a_share_of_nothing(agent: AgentProcess, rules: Path, swarm: Swarm) -> None:
    """A `%` target on a service without reservation and limit says what to set."""
    swarm.create_service("bare", HERE)
    swarm.wait_running("bare", 1)
    before, at = len(agent.lines()), version(swarm.manager, "bare")
    write_rule(rules, "bare", "bare", metric="cpu, target: 50%")
    decision = wait_reason(agent, "bare", "missing_request")
    assert "neither a CPU reservation nor a CPU limit" in decision["sentence"]
    assert "deploy.resources.reservations.cpus" in decision["sentence"]
    shown = scrape(agent)
    blocked = shown.value(
        "swarm_rule_action_blocked_total", service_name="bare", reason="missing_request"
    )
    assert blocked
    time.sleep(3)
    assert version(swarm.manager, "bare") == at
    assert len(warnings(agent, before)) == 1, warnings(agent, before)


def test_services_that_cannot_be_scaled(agent: AgentProcess, rules: Path, swarm: Swarm) -> None:
    """Global services and jobs are left alone, with the reason, whatever rule selects them."""
    swarm.create_service("every", "--mode=global")
    swarm.create_service("job", "--mode=replicated-job", command=("true",))
    swarm.create_service("jobs", "--mode=global-job", command=("true",))
    swarm.wait_running("every", 2)
    names = ("every", "job", "jobs")
    eventually(
        lambda: all(t["Status"]["State"] == "complete" for n in names[1:] for t in swarm.tasks(n)),
        60,
        "the jobs to complete",
    )
    before = len(agent.lines())
    versions = [version(swarm.manager, name) for name in names]
    for name in names:
        write_rule(rules, name, name, least=3)
    sentences = [wait_reason(agent, name, "unsupported_mode")["sentence"] for name in names]
    assert "its mode is global" in sentences[0]
    assert "replicated-job" in sentences[1]
    assert "global-job" in sentences[2]
    time.sleep(3)
    assert [version(swarm.manager, name) for name in names] == versions
    assert len(warnings(agent, before)) == 3, warnings(agent, before)


def test_rules_that_are_not_there_yet(swarm: Swarm, tmp_path: Path) -> None:
    """A path of rules that does not exist is said once and stated; created, it is read."""
    path = tmp_path / "not" / "there"
    with running_agent(tmp_path, swarm.manager.url, path) as agent:
        wait_for(lambda: status(agent)["problems"], 20, lambda: status(agent))
        (problem,) = status(agent)["problems"]
        assert problem == f"{path}:1:1: no such file or folder: check the path"
        assert scrape(agent).value("swarm_rule_config_last_reload_successful") == 0
        assert len(warnings(agent)) == 1, warnings(agent)
        path.mkdir(parents=True)
        write_rule(path, "now", "nobody")
        wait_for(lambda: status(agent)["rules"], 30, lambda: status(agent))
        assert status(agent)["problems"] == []


# Questions and options


def test_why_for_a_service_that_is_not_there(agent: AgentProcess, swarm: Swarm) -> None:
    """Asking about an unknown service ends with 1 and names the one that was meant."""
    swarm.create_service("frontend")
    wait_for(lambda: status(agent)["services"], 20, lambda: status(agent))
    asked = agent.command("why", "fronted")
    assert asked.returncode == 1
    assert "There is no service 'fronted'; did you mean frontend?" in asked.stderr
    assert len(asked.stderr.splitlines()) == 1
    known = agent.command("why", "frontend")
    assert known.returncode == 0
    assert "does any rule select it?" in known.stdout


def run_briefly(*options: str) -> subprocess.CompletedProcess[str]:
    """`swarm-monitor run` with options that it must refuse by itself."""
    return subprocess.run(
        [sys.executable, "-m", "monitor.cli.main", "run", "--log-format", "console", *options],
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_port_that_is_taken(swarm: Swarm) -> None:
    """Where it cannot listen the agent ends with 1 and says which port and what to do."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        ended = run_briefly("--docker", swarm.manager.url, "--listen", f"127.0.0.1:{port}")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert f"Port {port} is taken on 127.0.0.1" in ended.stderr
    assert "--listen" in ended.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--docker", "ssh://host", "write unix:///var/run/docker.sock or tcp://host:2375"),
        ("--docker", "", "write unix:///var/run/docker.sock or tcp://host:2375"),
        ("--docker", "unix://", "names no socket"),
        ("--docker", "tcp://host", "names no port: write tcp://host:2375"),
        ("--docker", "unix:///" + "long" * 40, "mount it at a shorter one"),
        ("--listen", "9580", "is not HOST:PORT; write 0.0.0.0:9580"),
        ("--listen", "0.0.0.0:99999", "write a number up to 65535"),
        ("--log-format", "xml", "write one of console, json"),
    ],
)
def test_an_option_that_makes_no_sense(option: str, value: str, says: str) -> None:
    """A bad value ends with 2 and one sentence that names the option and what to write."""
    ended = run_briefly(option, value)
    assert ended.returncode == 2, ended
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith(f"swarm-monitor run: {option}")
    assert says in ended.stderr
