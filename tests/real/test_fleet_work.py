"""The agents as one system at work: load everywhere, agents lost, strangers, an update."""

from __future__ import annotations

import itertools
import json
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.real import fleet
from tests.real.acting import LOAD_COMMAND, Load, Record, recording
from tests.real.intrusion import (
    PORT,
    impostor,
    in_place_of_agent,
    network_of,
    overlay_address,
    run_there,
)
from tests.real.lab import Node, Swarm, eventually, inside
from tests.real.lab.image import IMAGE, product_image
from tests.real.repeated_kill import kept_away
from tests.real.scrape_gaps import Scrapes, scraping

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

Json = dict[str, Any]

RULES = """\
version: 1
rules:
  - name: even
    services: [even]
    scale:
      min: 3
      max: 6
      metrics: [{type: cpu, target: 25%, of: limit}]
      scale_down: {stabilization_window: 5s, cooldown: 0s}
      max_direction_changes: 100
  - name: uneven
    services: [uneven]
    scale:
      min: 1
      max: 3
      metrics: [{type: cpu, target: 15%, of: limit}]
      scale_down: {stabilization_window: 5s, cooldown: 0s}
      max_direction_changes: 100
"""
SECRET = secrets.token_hex(16)
NEXT = "swarm-monitor:next"
# Seconds: one scrape's pause, and its answer on a busy machine.
GAP_SLACK = 1.5
HAND_OVER = 4.0  # seconds: 2 for the hand-over, and what a busy machine adds to both scrapes


@dataclass(frozen=True)
class Fleet:
    """One of each kind of node but the lease holder's; their tasks burn CPU as told.

    even: a switch for all tasks of the service `even`. `uneven` has one task on each of
    `standby`, `worker` and `other_worker`, and only the one on `worker` works unless told
    otherwise. With a third of 100% on average it keeps its three replicas at a target of 15%, on
    a starved machine too; had its task used nothing, or did it not count, one would be left after
    a few seconds.
    """

    swarm: Swarm
    standby: Node
    worker: Node
    other_worker: Node
    even: Load
    uneven: Load
    rules: Path

    @property
    def holder(self) -> Node:
        """Whose agent acts."""
        (holder,) = fleet.actors(self.swarm)
        return holder

    @property
    def workplaces(self) -> set[str]:
        return {node.node_id for node in (self.standby, self.worker, self.other_worker)}

    def decisions(self, service: str, node: Node | None = None, *, limit: int = 1) -> list[Json]:
        """Newest first, as the API of the node's agent tells them; any asks the acting one."""
        path = f"/api/v1/decisions?service={service}&limit={limit}"
        found: list[Json] = fleet.agent_json(node or self.other_worker, path)
        return found

    def task_on(self, service: str, node: Node) -> str:
        """The id of the service's one running task there."""
        tasks = [t["ID"] for t in self.swarm.running(service) if t["NodeID"] == node.node_id]
        assert len(tasks) == 1
        return str(tasks[0])

    def load(self, *nodes: Node) -> None:
        """Which tasks of `uneven` work from now on."""
        for node in (self.standby, self.worker, self.other_worker):
            file = self.uneven.folder / node.name
            if node in nodes:
                file.touch()
            else:
                file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The stack on three managers and two workers, and services at work beside the holder."""
    folder = tmp_path_factory.mktemp("fleet")
    rules = folder / "own.yml"
    rules.write_text(RULES)
    archive = product_image()
    with Swarm.start(3, 2, in_memory=True) as swarm:
        fleet.deploy_stack(swarm, archive, rules=rules, secret=SECRET)
        eventually(lambda: len(fleet.actors(swarm)) == 1, 30, "one agent to act")
        standby = next(node for node in swarm.managers if node not in fleet.actors(swarm))
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        loads = Load(folder / "a"), Load(folder / "b")
        found = Fleet(swarm, standby, *swarm.workers, *loads, rules)
        found.load(found.worker)
        create_services(found)
        yield found
        for node in swarm.nodes:
            print(f"--- agent on {node.name}\n{fleet.agent_log(node)[-4000:]}")


@pytest.fixture(autouse=True)
def in_order(work: Fleet) -> None:
    """However the test before left it: one agent acts, on the manager without work."""

    def acting() -> bool:
        return len(fleet.actors(work.swarm)) == 1

    eventually(acting, 30, "one agent to act")
    if work.holder is work.standby:
        fleet.stop_agent(work.standby)
        eventually(lambda: acting() and work.holder is not work.standby, 30, "another to act")
        fleet.wait_agents(work.swarm)
    work.even.off()
    if len(work.swarm.running("uneven")) < 3:
        work.load(work.standby, work.worker, work.other_worker)
        work.swarm.wait_running("uneven", 3)
    work.load(work.worker)
    wait_measured(work, "even")
    wait_level(work)


def create_services(work: Fleet) -> None:
    swarm = work.swarm
    for node_id in work.workplaces:
        swarm.manager.docker("node", "update", "--label-add", "work=yes", node_id)
    common = ["--replicas=3", "--limit-cpu=0.1", "--constraint=node.labels.work==yes"]
    swarm.create_service("even", *common, work.even.mount, command=LOAD_COMMAND)
    swarm.create_service(
        *["uneven", *common, "--replicas-max-per-node=1", work.uneven.mount],
        "--env=NODE={{.Node.Hostname}}",
        command=[word.replace("/load/on", "/load/$NODE") for word in LOAD_COMMAND],
    )
    swarm.wait_running("even", 3)
    swarm.wait_running("uneven", 3)
    for service in ("even", "uneven"):
        wait_measured(work, service)


def wait_measured(work: Fleet, service: str, timeout: float = 60) -> None:
    """Until every task of the service is judged by a sample, and the load is what it should be."""

    def measured() -> bool:
        inputs = work.decisions(service)[0]["inputs"]
        return len(inputs) == 3 and all(seen["used"] for seen in inputs)

    eventually(measured, timeout, lambda: f"samples of {service}: {work.decisions(service)}")


def used(decision: Json) -> dict[str, bool]:
    """Task id to whether its sample counted."""
    return {seen["task_id"]: seen["used"] for seen in decision["inputs"]}


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


@pytest.mark.parametrize("kind", ["noise", "liar"])
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
    wait_level(work)
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


def wait_level(work: Fleet) -> None:
    """Until the one task of `uneven` that works, and no other one, is seen to work."""

    def level() -> bool:
        values = [seen["value"] for seen in work.decisions("uneven")[0]["inputs"] if seen["used"]]
        return len(values) == 3 and sum(value > 0.01 for value in values) == 1

    eventually(level, 60, lambda: f"one of three to work: {work.decisions('uneven')}")


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


def check_writes(work: Fleet, record: Record, applied: list[Json]) -> None:
    """Versions of the service and applied decisions fit one to one."""
    versions = [service["Version"]["Index"] for _, service in record.seen]
    print(f"replicas {record.replicas}, writes by {[one['node'] for one in applied]}")
    assert [one["decided_on"] for one in applied] == versions[:-1]
    assert all(3 <= count <= 6 for count in record.replicas)
    kept = [row for node in work.swarm.managers for row in journal(node, "even")]
    for one in applied:
        assert kept.count([one["decision"], "applied"]) == 1, (one, kept)


def journal(node: Node, service: str) -> list[list[str]]:
    """Id and outcome of every write that the node's agents, old and new, put on disk."""
    words = fleet.agent_exec(node, "python3", "-c", _READ_JOURNAL, service)
    found: list[list[str]] = json.loads(words)
    return found


_READ_JOURNAL = """\
import json, sqlite3, sys
journal = sqlite3.connect("/var/lib/swarm-monitor/journal.sqlite")
writes = "SELECT id, outcome FROM decision WHERE intended AND service_name = ?"
print(json.dumps(journal.execute(writes, sys.argv[1:]).fetchall()))
"""


def check_gaps(work: Fleet, scrapes: Scrapes, old: dict[str, Json], new: dict[str, Json]) -> None:
    """From the signal that ends one agent to the moment at which the next one listens, at most."""
    longer = []
    for node in work.swarm.nodes:
        (began, ended), (next_began, next_ended) = scrapes.gaps(node)[:2]
        container = old[node.name]["Id"]
        stopped = moment(node.api("GET", f"/containers/{container}/json")["State"]["FinishedAt"])
        told = told_to_stop(node, container)
        started = moment(new[node.name]["State"]["StartedAt"])
        listens = listens_at(node)
        print(
            f"{node.name}: no scrape for {ended - began:.2f} s, from {began - told:.2f} s after "
            f"the signal to {ended - listens:.2f} s after the next one listened; the container "
            f"ended {stopped - told:.2f} s after the signal, was away for {started - stopped:.2f} "
            f"s, listened {listens - started:.2f} s after its start; "
            f"the next gap took {next_ended - next_began:.2f} s"
        )
        if began < told - GAP_SLACK or ended > listens + GAP_SLACK:
            longer.append(node.name)
    assert not longer


def told_to_stop(node: Node, container: str) -> float:
    """When the engine sent that container the signal to end, in wall seconds."""
    query = ["--since=1h", f"--until={time.time():.0f}", f"--filter=container={container}"]
    times = node.docker("events", *query, "--filter=event=kill", "--format={{.TimeNano}}")
    return int(times.splitlines()[0]) / 1e9


def check_reigns(scrapes: Scrapes) -> None:
    """One term after the other, each of one agent, soon one after the other."""
    reigns = scrapes.reigns()
    first = reigns[0][2]
    print(
        "reigns:", [(term, name, f"{a - first:.2f}-{b - first:.2f}") for term, name, a, b in reigns]
    )
    terms = [term for term, *_ in reigns]
    assert terms == sorted(set(terms))
    for (_, _, _, last), (_, _, began, _) in itertools.pairwise(reigns):
        assert last < began, reigns
        assert began - last < HAND_OVER, reigns


def moment(text: str) -> float:
    """Wall seconds of a time that an engine or a log states, which may have nanoseconds."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{rest or 0}")


def listens_at(node: Node) -> float:
    """When the newest agent said that it started, which it does once it listens."""
    lines = [json.loads(line) for line in fleet.agent_log(node).splitlines() if line[:1] == "{"]
    return moment(
        [line["timestamp"] for line in lines if line["event"] == "swarm-monitor started"][-1]
    )
