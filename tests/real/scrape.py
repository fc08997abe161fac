"""What a scrape of a live agent holds, and what the docker client says of the same."""

from __future__ import annotations

import time
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.real.agent import AgentProcess
from tests.real.lab import Node

_CLUSTER = ("swarm_service_", "swarm_node_", "swarm_cluster_", "swarm_task_state")
_USAGE = ("swarm_task_cpu_", "swarm_task_memory_", "swarm_task_pids", "swarm_task_network_")


@dataclass(frozen=True)
class Scrape:
    """Samples of one scrape as (name, labels, value), and how many seconds it took."""

    samples: list[tuple[str, dict[str, str], float]]
    seconds: float

    def value(self, name: str, **labels: str) -> float | None:
        """Of the one sample with these labels (others ignored); None where there is none."""
        found = self.values(name, **labels)
        assert len(found) < 2, f"{name}{labels} is there {len(found)} times"
        return found[0] if found else None

    def values(self, name: str, **labels: str) -> list[float]:
        return [v for n, have, v in self.samples if n == name and labels.items() <= have.items()]

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The values of a metric, by one of its labels."""
        return {
            have[label]: v
            for n, have, v in self.samples
            if n == name and labels.items() <= have.items()
        }

    @property
    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}

    @property
    def cluster(self) -> set[str]:
        """Names of series that tell of the Swarm."""
        return {name for name in self.names if name.startswith(_CLUSTER)}

    @property
    def usage(self) -> set[str]:
        """Names of series that tell what tasks use."""
        return {name for name in self.names if name.startswith(_USAGE)}


def scrape(agent: AgentProcess) -> Scrape:
    began = time.monotonic()
    status, body = agent.get("/metrics")
    seconds = time.monotonic() - began
    assert status == 200, body
    samples = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    ]
    return Scrape(samples, seconds)


def replicas_listed(node: Node) -> dict[str, tuple[int, int]]:
    """(running, desired) of each service as `docker service ls` prints them."""
    listed = {}
    for line in node.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").splitlines():
        name, replicas, *_ = line.split()
        running, _, desired = replicas.partition("/")
        listed[name] = (int(running), int(desired))
    return listed


def replicas_exported(shown: Scrape) -> dict[str, tuple[int, int]]:
    """The same out of a scrape; `1.5` would show as it is."""
    running = shown.by("service_name", "swarm_service_replicas_running")
    desired = shown.by("service_name", "swarm_service_replicas_desired")
    assert running.keys() == desired.keys()
    return {name: (int(running[name]), int(desired[name])) for name in running}
