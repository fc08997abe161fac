"""A person changes a service between the agent's read and its write: the person's change stays."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path
from typing import Any

from tests.real.acting import (
    IDLE_COMMAND,
    all_on_spec,
    inspect,
    replicas,
    rules,
    update,
    update_state,
    with_replicas,
)
from tests.real.agent import running_agent, wait_for
from tests.real.lab import WORK_IMAGE_2, Node, Swarm
from tests.real.proxy import EngineProxy, Request

SERVICES = 10
RULES = """
- name: floor
  services: ["busy*"]
  scale:
    min: 2
    max: 4
    metrics: [{type: cpu, cores: 1}]
"""
CHANGES: dict[str, dict[str, Any]] = {
    "image": {"image": WORK_IMAGE_2},
    "env": {"env": ["COLOUR=green"]},
    "label": {"label": "by hand"},
    "replicas": {"replicas": 3},
}
# The second of a service's two changes; `replicas` leaves nothing to do for the agent.
PAIRS = (
    *(("image", "env"), ("env", "image"), ("label", "replicas"), ("image", "label")),
    *(("env", "replicas"), ("label", "image"), ("image", "replicas"), ("env", "label")),
    *(("label", "env"), ("env", "replicas")),
)


class Meddler:
    """Changes a service right before a write of the agent, as often as it has changes for it."""

    def __init__(self, manager: Node, changes: dict[str, tuple[str, ...]]) -> None:
        self._manager = manager
        self._left = {service_id: list(kinds) for service_id, kinds in changes.items()}
        self._lock = threading.Lock()
        self.before: dict[tuple[str, int], dict[str, Any]] = {}
        self.done = 0

    def __call__(self, request: Request) -> None:
        if request.method != "POST":
            return
        with self._lock:
            left = self._left[request.service_id]
            kind = left.pop(0) if left else None
        if kind is None:
            return
        before = update(self._manager, request.service_id, **CHANGES[kind])
        with self._lock:
            self.before[request.service_id, before["Version"]["Index"]] = before
            self.done += 1

    @property
    def finished(self) -> bool:
        return not any(self._left.values())


def as_wanted(service: dict[str, Any], kinds: tuple[str, ...]) -> bool:
    """Whether the person's changes are in the spec, with the replicas that go with them."""
    spec = service["Spec"]
    container = spec["TaskTemplate"]["ContainerSpec"]
    present = {
        "image": container["Image"] == WORK_IMAGE_2,
        "env": container.get("Env") == ["COLOUR=green"],
        "label": spec["Labels"].get("touched") == "by hand",
        "replicas": True,
    }
    wanted = 3 if "replicas" in kinds else 2
    return all(present[kind] for kind in kinds) and replicas(service) == wanted


def test_a_persons_change_survives(one_node: Swarm, tmp_path: Path) -> None:
    """20 changes, each between the last read and the write: none is lost, no write is repeated."""
    options = ("--replicas=1", "--update-monitor=200ms")
    names = [f"busy{number}" for number in range(SERVICES)]
    ids = [one_node.create_service(name, *options, command=IDLE_COMMAND) for name in names]
    kinds = dict(zip(ids, PAIRS, strict=True))
    for name in names:
        one_node.wait_running(name, 1)
    meddler = Meddler(one_node.manager, kinds)
    with EngineProxy(one_node.manager.socket, tmp_path) as proxy:
        proxy.before = meddler
        with running_agent(tmp_path, proxy.url, rules(tmp_path, RULES)) as agent:
            wait_for(
                lambda: meddler.finished and all(at_rest(one_node, one, kinds[one]) for one in ids),
                100,
                lambda: [(inspect(one_node.manager, one)["Spec"], kinds[one]) for one in ids],
            )
            labels = {"rule": "floor", "action": "scale_up"}
            counted = [
                agent.metric(
                    "swarm_rule_actions_total", **labels, service_name=name, outcome="conflict"
                )
                for name in names
            ]
            conflicts = [line for line in agent.lines() if line.get("outcome") == "conflict"]
    assert not proxy.faults
    assert meddler.done == 2 * SERVICES
    for service_id in ids:
        writes = proxy.writes_to(service_id)
        refused, accepted = writes[:2], writes[2:]
        assert all("out of sequence" in json.dumps(write.answer) for write in refused)
        assert [write.status for write in writes[2:]] == [200] * len(accepted)
        assert len(accepted) == (0 if "replicas" in kinds[service_id] else 1)
        # Each was decided on what was read last, and posted that and the replicas alone.
        for write in refused:
            read = meddler.before[service_id, write.version]
            assert write.body == with_replicas(read["Spec"], 2)
        assert all(one.version < two.version for one, two in itertools.pairwise(writes))
    assert len(conflicts) >= 2 * SERVICES
    assert all(count is not None and count >= 2 for count in counted)
    one_node.remove_services()


def at_rest(swarm: Swarm, service_id: str, kinds: tuple[str, ...]) -> bool:
    found = inspect(swarm.manager, service_id)
    return (
        as_wanted(found, kinds)
        and update_state(found) != "updating"
        and all_on_spec(swarm, service_id)
    )
