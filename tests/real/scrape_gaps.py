"""Scrapes of every agent at 5 Hz, to see for how long none was answered and who held the lease."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.real import fleet
from tests.real.lab import Node

_EVERY = 0.2
_HELD = re.compile(r"^swarm_agent_lease_held 1(\.0)?$", re.MULTILINE)
_TERM = re.compile(r"^swarm_agent_lease_term (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Scrape:
    """One that was answered. Wall seconds; term: of the lease that this agent held, else None."""

    asked: float
    answered: float
    term: float | None


@dataclass
class Scrapes:
    """By node name, oldest first."""

    seen: dict[str, list[Scrape]] = field(default_factory=dict)

    def gaps(self, node: Node) -> list[tuple[float, float]]:
        """Longest first: when the last answer before it came, and the first one after it."""
        seen = self.seen[node.name]
        pairs = [(before.answered, after.answered) for before, after in itertools.pairwise(seen)]
        return sorted(pairs, key=lambda pair: pair[0] - pair[1])

    def reigns(self) -> list[tuple[float, str, float, float]]:
        """Who held the lease when: term, node, the first and the last scrape that said so."""
        found: dict[tuple[float, str], list[Scrape]] = {}
        for name, scrapes in self.seen.items():
            for one in scrapes:
                if one.term is not None:
                    found.setdefault((one.term, name), []).append(one)
        return sorted(
            (term, name, seen[0].answered, seen[-1].asked) for (term, name), seen in found.items()
        )


@contextmanager
def scraping(nodes: Sequence[Node]) -> Iterator[Scrapes]:
    """Each node's agent is asked for its metrics 5 times a second until the block ends."""
    result, ended = Scrapes({node.name: [] for node in nodes}), threading.Event()
    faults: list[BaseException] = []

    def scrape(node: Node) -> None:
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            due = max(due + _EVERY, time.monotonic())
            asked = time.time()
            try:
                status, body = fleet.agent_get(node, "/metrics", timeout=2)
            except OSError:
                continue
            if status == 200:
                term = _TERM.search(body) if _HELD.search(body) else None
                one = Scrape(asked, time.time(), float(term[1]) if term else None)
                result.seen[node.name].append(one)

    def run(node: Node) -> None:
        try:
            scrape(node)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    try:
        yield result
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
    if faults:
        raise faults[0]
