"""`rollback` on a real engine: the deploy before, not the scale before."""

from __future__ import annotations

import contextlib
import json
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import IDLE_COMMAND, all_on_spec, inspect, rules, update, with_replicas
from tests.real.agent import running_agent, wait_for
from tests.real.lab import Swarm


@contextlib.contextmanager
def receiving(place: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A receiver of notifications, its URL in the file `place`; gives what arrived so far."""
    out = place.with_suffix(".log")
    with out.open("wb") as log:
        command = [sys.executable, "-m", "tests.unit.notify.receiver", "0"]
        process = subprocess.Popen(command, stdout=log)

    def lines() -> list[str]:
        return out.read_text().splitlines()

    try:
        wait_for(lines, 20, lambda: "the receiver to listen")
        place.write_text(f"http://127.0.0.1:{lines()[0]}/hook\n")
        yield lambda: [json.loads(line) for line in lines()[1:]]
    finally:
        process.kill()
        process.wait(10)


def test_a_service_scaled_several_times_goes_back_to_its_deploy(
    one_node: Swarm, tmp_path: Path
) -> None:
    """By command, over a restart of the agent: the environment of the deploy before comes back, and
    the replica count stays; `docker service rollback` would have undone a scale."""
    options = ("--replicas=1", "--update-monitor=200ms", "--stop-grace-period=0s", "--env=V=1")
    one_node.create_service("web", *options, command=IDLE_COMMAND)
    one_node.wait_running("web", 1)
    token, data = tmp_path / "token", tmp_path / "data"
    token.write_text("a-token-of-this-test\n")
    shown = ("--token-file", str(token))
    first = inspect(one_node.manager, "web")["Spec"]

    kept = data / "deploys"
    with running_agent(tmp_path, one_node.manager.url, None, *shown, "--data", str(data)) as agent:
        wait_for(lambda: list(kept.glob("*.json")), 20, agent.messages)
        one_node.manager.docker("service", "update", "-d", "--env-add=V=2", "web")
        wait_for(lambda: b"V=2" in next(kept.glob("*.json")).read_bytes(), 20, agent.messages)
    assert stat.S_IMODE(next(kept.glob("*.json")).stat().st_mode) == 0o600
    hook = tmp_path / "hook"
    with (
        receiving(hook) as arrived,
        running_agent(
            tmp_path,
            one_node.manager.url,
            None,
            *shown,
            *("--data", str(data), "--notify", f"webhook={hook}"),
        ) as agent,
    ):
        for count in (3, 2):
            one_node.manager.docker("service", "scale", "-d", f"web={count}")
            one_node.wait_running("web", count)
        wait_for(lambda: all_on_spec(one_node, "web"), 60, lambda: "the deploy to end")
        said = {}

        def rolled_back() -> bool:
            """Once the agent has seen the newest version; until then it is a conflict."""
            said["last"] = agent.command("rollback", "web", *shown)
            return said["last"].returncode == 0

        refused = agent.command("rollback", "web")
        assert refused.returncode == 1, refused
        wait_for(rolled_back, 20, lambda: said["last"].stderr)
        wanted = {**first, "Mode": {"Replicated": {"Replicas": 2}}}
        assert inspect(one_node.manager, "web")["Spec"] == wanted
        wait_for(
            lambda: len(one_node.running("web")) == 2 and all_on_spec(one_node, "web"),
            60,
            lambda: f"the old tasks: {one_node.running('web')}",
        )
        wait_for(
            lambda: "no earlier deploy" in agent.command("rollback", "web", *shown).stderr,
            20,
            lambda: "nothing to be left to go back to",
        )
        assert inspect(one_node.manager, "web")["Spec"] == wanted
        wait_for(arrived, 20, lambda: "the receiver to be told")
        (told,) = [one["content"] for one in arrived() if one["content"]["outcome"] == "applied"]
        assert (told["action"], told["service_name"]) == ("rollback", "web")
        assert agent.metric("swarm_agent_notifications_sent_total", target="webhook") >= 1
        assert not any("V=1" in str(line) for line in agent.lines())
    one_node.remove_services()


BAD_DEPLOY = """
- name: bad-deploy
  services: [web]
  restart:
    when: {exits: {codes: [3], count: 3, within: 5m}}
    action: rollback
    quiet_after_deploy: 8s
"""


@pytest.mark.slow
def test_a_bad_deploy_is_known_by_its_exits_and_rolled_back_by_a_rule(
    one_node: Swarm, tmp_path: Path
) -> None:
    """Before and after the deploy people scale: the Swarm's own previous spec is the bad one by
    then. What ran before the deploy comes back, once, with the replicas that were set last."""
    options = ("--replicas=1", "--update-monitor=200ms", "--stop-grace-period=0s", "--env=V=1")
    delays = ("--update-parallelism=0", "--restart-delay=500ms")
    manager = one_node.manager
    one_node.create_service("web", *options, *delays, command=IDLE_COMMAND)
    one_node.wait_running("web", 1)
    good = inspect(manager, "web")["Spec"]
    with running_agent(tmp_path, manager.url, rules(tmp_path, BAD_DEPLOY)) as agent:
        wait_for(lambda: agent.reason("web"), 20, agent.messages)
        for count in (3, 2):
            update(manager, "web", replicas=count)
            one_node.wait_running("web", count)
        update(manager, "web", command=["sh", "-c", "sleep 1; exit 3"], env=["V=2"])
        wait_for(
            lambda: (inspect(manager, "web").get("UpdateStatus") or {}).get("State") == "completed",
            30,
            lambda: "the bad deploy to count as completed",
        )
        update(manager, "web", replicas=4)
        before = inspect(manager, "web")
        assert "V=2" in before["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Env"]
        wait_for(
            lambda: inspect(manager, "web")["Spec"] == with_replicas(good, 4),
            40,
            lambda: f"the rollback; the last decisions were {agent.decisions('web')[:3]}",
        )
        wait_for(
            lambda: len(one_node.running("web")) == 4 and all_on_spec(one_node, "web"),
            60,
            lambda: f"the good tasks: {one_node.running('web')}",
        )
        done = [one for one in agent.decisions("web") if one["action"] == "rollback"]
        assert [one["outcome"] for one in done] == ["applied"], done
        wait_for(lambda: agent.reason("web") != "not_converged", 20, lambda: "it to be calm")
        assert inspect(manager, "web")["Spec"] == with_replicas(good, 4)
    one_node.remove_services()
