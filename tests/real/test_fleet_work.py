"""The agents as one system at work: load everywhere, agents lost, strangers, an update."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real import fleet
from tests.real.acting import Record, recording
from tests.real.fleet_at_work import SECRET, Fleet, in_order, used, wait_level, wait_measured, work
from tests.real.fleet_update import check_gaps, check_reigns, check_writes
from tests.real.intrusion import (
    PORT,
    impostor,
    in_place_of_agent,
    network_of,
    overlay_address,
    run_there,
)
from tests.real.lab import Node, eventually, inside
from tests.real.lab.image import IMAGE
from tests.real.repeated_kill import kept_away
from tests.real.scrape_gaps import scraping

__all__ = ["in_order", "work"]  # fixtures

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

Json = dict[str, Any]

NEXT = "swarm-monitor:next"


def test_load_on_all_kinds_of_nodes_is_answered(work: Fleet) -> None:
    """Tasks on both workers and a manager without the lease scale up and down on their CPU use."""
    swarm, holder = work.swarm, work.holder
    assert {t["NodeID"] for t in swarm.running("even")} == work.workplaces
    earlier = len(applied_everywhere(work, "even"))
    with recording(swarm.manager, "even") as record:
        began = work.even.on()
        eventually(lambda: record.replicas[-1] == 6, 60, lambda: f"6: {record.replicas}")
        up = time.monotonic() - began
        tasks = {task["ID"]: task["NodeID"] for task in swarm.wait_running("even", 6)}
        assert set(tasks.values()) == work.workplaces
        eventually(
            lambda: set(used(work.decisions("even")[0])) == set(tasks),
            30,
            lambda: f"all six in the inputs: {work.decisions('even')}",
        )
        # The API and the command, asked of a worker's agent, which knows of no service itself.
        for node in (work.worker, work.standby):
            words = fleet.agent_exec(node, "swarm-monitor", "why", "even", "--json")
            told = {tasks[task] for task, seen in used(json.loads(words)[0]).items() if seen}
            assert told & work.workplaces
            assert holder.node_id not in told
        eventually(
            lambda: all(used(work.decisions("even", work.worker)[0]).values()),
            30,
            lambda: f"samples of all six: {work.decisions('even', work.worker)}",
        )
        calm = time.monotonic()
        work.even.off()
        eventually(lambda: record.replicas[-1] == 3, 90, lambda: f"3: {record.replicas}")
        down = time.monotonic() - calm
    print(f"6 replicas {up:.1f} s after the load began, 3 {down:.1f} s after its end")
    assert all(3 <= count <= 6 for count in record.replicas)
    assert len(record.replicas) == len(applied_everywhere(work, "even")) - earlier + 1
    assert work.holder is holder


def applied_everywhere(work: Fleet, service: str) -> list[Json]:
    """Log lines of all agents about writes to the service that were applied, oldest first.

    `decided_on` is the version.
    """
    found = []
    for node in work.swarm.nodes:
        for line in fleet.agent_log(node).splitlines():
            entry = json.loads(line) if line.startswith("{") else {}
            if entry.get("outcome") == "applied" and entry["rule"] == service:
                decided_on = int(entry["decision"].split("/")[2])
                found.append({**entry, "decided_on": decided_on, "node": node.name})
    return sorted(found, key=lambda entry: str(entry["timestamp"]))


# An agent that is lost


@dataclass
class Missing:
    """What was seen while the samples of one node were missing."""

    seconds: float = 0.0
    note: str = ""


def watch_missing(work: Fleet, node: Node, *, lasts: float, within: float = 30) -> Missing:
    """Until the samples of the `uneven` task on `node` have been missing for `lasts` seconds.

    All the while the decision must say so, and the other two tasks' samples must count.
    """
    task = work.task_on("uneven", node)
    newest: list[Json] = []

    def missing() -> bool:
        newest[:] = work.decisions("uneven", work.holder)
        return newest[0]["reason"] == "missing_samples"

    eventually(missing, within, lambda: f"missing samples: {newest}")
    began, result = time.monotonic(), Missing()
    while result.seconds < lasts:
        assert missing(), json.dumps(newest)
        seen = {item["task_id"]: item for item in newest[0]["inputs"]}
        assert seen[task]["used"] is False
        result.note = seen[task]["note"]
        assert result.note
        assert sum(item["used"] for item in seen.values()) == 2, json.dumps(newest)
        result.seconds = time.monotonic() - began
        time.sleep(0.2)
    words = fleet.agent_exec(work.other_worker, "swarm-monitor", "why", "uneven")
    assert "missing_samples" in words, words
    assert result.note in words, words
    return result


def wait_recovered(work: Fleet, record: Record) -> float:
    """Seconds until all samples count again; all the while nothing is scaled."""
    began = time.monotonic()
    wait_measured(work, "uneven")
    recovered = time.monotonic() - began
    time.sleep(3)
    assert record.replicas == [3]
    assert len(fleet.actors(work.swarm)) == 1
    return recovered


def test_a_killed_agent_is_missing_samples(work: Fleet) -> None:
    """Killed whenever it starts, a worker's agent leaves its task without samples, not at zero."""
    with recording(work.swarm.manager, "uneven") as record:
        with kept_away(work.worker) as kills:
            missing = watch_missing(work, work.worker, lasts=10)
        recovered = wait_recovered(work, record)
    print(f"killed {kills()} times, {missing}; all counted {recovered:.1f} s after the last time")


def test_an_agent_that_hangs_is_missing_samples(work: Fleet) -> None:
    """Connected but silent, it is missing within seconds, and counts again once it goes on."""
    with recording(work.swarm.manager, "uneven") as record:
        began = time.monotonic()
        fleet.freeze_agent(work.worker)
        try:
            eventually(
                lambda: work.decisions("uneven", work.holder)[0]["reason"] == "missing_samples",
                20,
                lambda: f"missing samples: {work.decisions('uneven', work.holder)}",
            )
            noticed = time.monotonic() - began
            missing = watch_missing(work, work.worker, lasts=6)
        finally:
            fleet.thaw_agent(work.worker)
        recovered = wait_recovered(work, record)
    print(f"noticed after {noticed:.1f} s, {missing}; all counted {recovered:.1f} s after it")


@pytest.mark.parametrize("kind", [pytest.param("noise", marks=pytest.mark.thorough), "liar"])
def test_garbage_is_missing_samples(work: Fleet, tmp_path: Path, kind: str) -> None:
    """Noise, and nonsense from one that knows the secret, count as silence, and never as zero.

    What it says of tasks on other nodes does not count either.
    """
    task, other = (work.task_on("uneven", node) for node in (work.worker, work.other_worker))
    command = impostor(kind)
    if kind == "liar":
        command += [work.worker.node_id, SECRET, task, other]
    with recording(work.swarm.manager, "uneven") as record:
        with in_place_of_agent(work.worker, command, tmp_path / "impostor.log"):
            missing = watch_missing(work, work.worker, lasts=6)
        recovered = wait_recovered(work, record)
    print(f"{kind}: {missing}; all counted {recovered:.1f} s after it")


# Those without the secret


def refused(node: Node, reason: str) -> float:
    return fleet.agent_value(node, "swarm_agent_stream_refused_total", reason=reason) or 0.0


def refusals_logged(node: Node, address: str) -> list[str]:
    lines = [line for line in fleet.agent_log(node).splitlines() if "was refused" in line]
    return [line for line in lines if f'"{address}"' in line]


def test_a_stranger_gets_nothing(work: Fleet) -> None:
    """Without a proof there is a hello and no more; all attempts count, one a kind is logged."""
    address = overlay_address(work.other_worker)
    own, _, _ = overlay_address(work.worker).partition(":")
    kinds = {"no_secret": 2, "wrong_secret": 5}
    before = {kind: refused(work.other_worker, kind) for kind in kinds}
    logged = len(refusals_logged(work.other_worker, own))
    told = json.loads(run_there(work.worker, "stranger", address, work.holder.node_id))
    print(told)
    assert [len(attempt["frames"]) for attempt in told] == [0, 1, 1, 1, 1, 1, 1]
    assert all(json.loads(attempt["frames"][0])["t"] == "hello" for attempt in told[1:])
    assert [attempt["code"] for attempt in told] == [4401, 4401, *[4403] * 5]
    after = {kind: refused(work.other_worker, kind) - before[kind] for kind in kinds}
    assert after == kinds
    assert len(refusals_logged(work.other_worker, own)) - logged == 2


def test_an_agent_with_another_secret_is_not_one_of_them(work: Fleet, tmp_path: Path) -> None:
    """In place of a manager's agent it is told nothing by the others, and nothing is taken from
    it: its node's samples are missing. Attempts count; they are logged once, not one by one.
    """
    wrong = tmp_path / "secret"
    wrong.write_text(secrets.token_hex(16))
    node = work.standby
    service = work.swarm.manager.api("GET", f"/services/{fleet.SERVICE}")
    command = [sys.executable, "-m", "monitor.cli.main", "run", "--docker", node.url]
    command += ["--rules", str(work.rules), "--listen", "127.0.0.1:9680", "--log-format", "json"]
    command += ["--fleet-listen", f"0.0.0.0:{PORT}", "--secret-file", str(wrong)]
    command += ["--service-id", service["ID"], "--proc-root", str(node.proc)]
    own, _, _ = overlay_address(node).partition(":")
    others = [one for one in work.swarm.nodes if one is not node]
    before = {one.name: refused(one, "wrong_secret") for one in others}
    logged = {one.name: len(refusals_logged(one, own)) for one in others}
    unheard = len(unheard_logged(work, node))
    work.load(node)  # what the impostor could tell of
    wait_level(work, node)
    with recording(work.swarm.manager, "uneven") as record:
        with in_place_of_agent(node, command, tmp_path / "impostor.log"):
            missing = watch_missing(work, node, lasts=6)
            network = network_of(node)
            eventually(
                lambda: 'swarm_agent_peers{state="refused"} 4' in asked(network, "/metrics"),
                30,
                lambda: f"all to refuse it: {asked(network, '/api/v1/status?local=1')}",
            )
            metrics = asked(network, "/metrics")
            known = json.loads(asked(network, "/api/v1/decisions?service=uneven&local=1&limit=99"))
            assert fleet.actors(work.swarm) == [work.holder]
            assert fleet.agent_value(work.holder, "swarm_agent_peers", state="refused") == 1
        recovered = wait_recovered(work, record)
    attempts = {one.name: refused(one, "wrong_secret") - before[one.name] for one in others}
    print(f"{missing}; {attempts} attempts; all counted {recovered:.1f} s after it")
    assert "swarm_agent_lease_held 0" in metrics
    assert "swarm_agent_managers_heard 1" in metrics
    assert known
    task = work.task_on("uneven", node)
    counted = {seen["task_id"] for one in known for seen in one["inputs"] if seen["used"]}
    assert counted <= {task}
    assert min(attempts.values()) >= 2
    assert {one.name: len(refusals_logged(one, own)) - logged[one.name] for one in others} == (
        dict.fromkeys(attempts, 1)
    )
    assert len(unheard_logged(work, node)) - unheard == 1


def unheard_logged(work: Fleet, node: Node) -> list[str]:
    """What the acting agent wrote about a stream from that node's agent that it cannot have."""
    lines = [line for line in fleet.agent_log(work.holder).splitlines() if "no stream" in line]
    return [line for line in lines if node.node_id in line]


def asked(network: Path, path: str) -> str:
    """What the impostor's own API answers."""
    with inside.connect(network, "127.0.0.1", 9680, 5) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.partition(b"\r\n\r\n")[2].decode()


# An update of the agents


def test_an_update_under_load_loses_nothing(work: Fleet) -> None:
    """Each agent is replaced, one by one, while a service is scaled up and down by its load.

    Every write to the service is one decision's, applied once and kept by an agent's journal;
    nobody is without an answer for longer than a container is restarted; one acts at a time.
    """
    swarm = work.swarm
    old = {node.name: fleet.agent_container(node) for node in swarm.nodes}
    earlier = len(applied_everywhere(work, "even"))
    for node in swarm.nodes:
        node.docker("tag", IMAGE, NEXT)
    update = ["service", "update", "--detach", "--no-resolve-image", "--update-delay=1s"]
    with recording(swarm.manager, "even") as record, scraping(swarm.nodes) as scrapes:
        began = time.monotonic()
        swarm.manager.docker(*update, "--image", NEXT, fleet.SERVICE)
        waits = [*toggle(work, record)]
        took = time.monotonic() - began
        assert fleet.wait_updated(swarm) == "completed"
        fleet.wait_agents(swarm)
        waits += [*toggle(work, record, once=True)]
    print(f"updated in {took:.1f} s; seconds from load to scale: {waits}")
    new = {node.name: fleet.agent_container(node) for node in swarm.nodes}
    assert {one["Config"]["Image"] for one in new.values()} == {NEXT}
    check_writes(work, record, applied_everywhere(work, "even")[earlier:])
    check_gaps(work, scrapes, old, new)
    check_reigns(scrapes)


def toggle(work: Fleet, record: Record, *, once: bool = False) -> Iterator[float]:
    """Turns the load on and off until the update is over; the seconds that each answer took."""
    while True:
        for switch, count in ((work.even.on, 6), (work.even.off, 3)):
            switch()
            began = time.monotonic()
            eventually(
                lambda count=count: record.replicas[-1] == count,
                180,
                lambda count=count: f"{count}: {record.replicas}",
            )
            yield round(time.monotonic() - began, 1)
        status = work.swarm.manager.api("GET", f"/services/{fleet.SERVICE}")["UpdateStatus"]
        if once or status["State"] != "updating":
            return
