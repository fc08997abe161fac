"""What must hold of an update of the agents under load, from what was seen and written down."""

from __future__ import annotations

import itertools
import json
import time
from datetime import datetime
from typing import Any

from tests.real import fleet
from tests.real.acting import Record
from tests.real.fleet_at_work import Fleet
from tests.real.lab import Node
from tests.real.scrape_gaps import Scrapes

Json = dict[str, Any]

GAP_SLACK = 1.5
"""Seconds: one scrape's pause, and its answer on a busy machine."""

HAND_OVER = 4.0
"""Seconds: 2 for the hand-over, and what a busy machine adds to both scrapes."""


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
