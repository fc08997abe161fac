"""A large Swarm as a scenario of `swarm-monitor simulate`, and rules about all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RULES = """\
version: 1
rules:
  - name: cpu
    services: ["app-*"]
    scale:
      min: 1
      max: 100
      metrics: [{type: cpu, cores: 0.2}]
  - name: leak
    services: ["app-*"]
    exclude: ["app-*[1-9]"]
    restart:
      when: {memory_above: 900MiB, for: 5m}
      action: restart_service
"""
"""Every service has a scale rule, every tenth a restart rule beside it."""

CURVES: tuple[Any, ...] = (
    0.5,
    {"daily": {"low": 0.2, "high": 2, "period": "10m"}},
    {"burst": {"base": 0.2, "peak": 3, "every": "2m", "for": "20s"}},
    {"step": {"steps": [{"at": "0s", "cores": 0.4}, {"at": "45s", "cores": 2}], "repeat": "90s"}},
)
"""What services want as a whole, in turn."""

DYING = 50  # every so manyeth service's tasks end by themselves where there is churn
LIVES = 60  # seconds that such a task lives
DEPLOY_EVERY = 10  # seconds from one deploy to the next
DOWN_EVERY = 120  # seconds from one node's loss to the next one's


def scenario(nodes: int, services: int, tasks: int, *, churn: float) -> dict[str, Any]:
    """`tasks` spread over `services` as equally as may be; `churn`: seconds of it, 0 for none."""
    count, more = divmod(tasks, services)
    found: dict[str, Any] = {
        "version": 1,
        "seed": 1,
        "services": [
            _service(number, count + (number < more), churn=churn) for number in range(services)
        ],
    }
    if churn:
        found["happens"] = sorted(_happens(nodes, services, churn), key=lambda one: one["at"])
        for one in found["happens"]:
            one["at"] = f"{one['at']}s"
    return found


def _service(number: int, replicas: int, *, churn: float) -> dict[str, Any]:
    service = {
        "name": f"app-{number}",
        "image": f"registry.example.org/shop/app-{number}:1.4.{number % 10}",
        "replicas": replicas,
        "cpu": CURVES[number % len(CURVES)],
        "memory": f"{40 + number % 50}MiB",
        "cpu_reservation": 0.05,
        "cpu_limit": 0.5,
        "memory_limit": "1GiB",
        "labels": {
            "com.docker.stack.namespace": f"stack-{number // 10}",
            "tier": ("front", "middle", "back")[number % 3],
        },
    }
    if churn and number % DYING == DYING - 1:
        service["exits_after"] = f"{LIVES + number % 30}s"
    return service


def _happens(nodes: int, services: int, seconds: float) -> list[dict[str, Any]]:
    """Deploys all the time, and now and then a node that is lost and comes back."""
    found: list[dict[str, Any]] = []
    for turn, at in enumerate(range(DEPLOY_EVERY, int(seconds), DEPLOY_EVERY)):
        number = turn * 37 % services
        image = f"registry.example.org/shop/app-{number}:2.0.{turn}"
        found.append({"at": at, "deploy": f"app-{number}", "image": image})
    if nodes < 10:
        return found
    for turn, at in enumerate(range(DOWN_EVERY // 2, int(seconds), DOWN_EVERY)):
        name = f"w{nodes - 4 - turn % (nodes // 2)}"
        found += [{"at": at, "node_down": name}, {"at": at + 30, "node_ready": name}]
    return found


def write(
    folder: Path, nodes: int, services: int, tasks: int, *, churn: float
) -> tuple[Path, Path]:
    """The scenario's and the rules' files, made in `folder`."""
    found, rules = folder / "scenario.yml", folder / "rules.yml"
    found.write_text(json.dumps(scenario(nodes, services, tasks, churn=churn), indent=1))
    rules.write_text(RULES)
    return found, rules
