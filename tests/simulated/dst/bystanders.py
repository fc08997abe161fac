"""Services that no rule may touch, and rules that would do so at once if they could.

Each has a load or a leak that its rules would follow.
"""

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.simulate.swarm import Swarm

MIB = 1024**2
SHARE = 0.4
"""Of the seeds, those whose worlds have such services."""

SPARED = {
    "trial": "its rule is on dry run",
    "idle": "its rule is off",
    "rivals": "two rules scale it",
    "spared": "its rule excludes it",
    "guard": "it is global and has no replicas",
    "batch": "it is a job",
    "monitor": "it is the agents' own",
}
"""By service why it must be left alone."""

_SCALE = """\
    scale:
      min: 3
      max: 8
      metrics: [{type: cpu, target: 50%, of: limit}]
"""
TEXT = f"""\
  - name: trial
    services: [trial]
    mode: dry_run
{_SCALE}\
  - name: idle
    services: [idle]
    mode: "off"
{_SCALE}\
  - name: rival
    services: [rivals]
{_SCALE}\
  - name: other-rival
    services: ["rival*"]
{_SCALE}\
  - name: sparing
    services: ["spare*"]
    exclude: [spared]
{_SCALE}\
  - name: guards
    services: [guard]
{_SCALE}\
  - name: full
    services: [batch, monitor]
    restart:
      when: {{memory_above: 50MiB, for: 5s}}
      action: restart_service
      backoff: {{initial: 1s, max: 1s}}
"""


def drawn(seed: int) -> bool:
    return random.Random(f"{seed} bystanders").random() < SHARE


def _job(name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Labels": {},
        "TaskTemplate": {"ContainerSpec": {"Image": "app:1"}, "ForceUpdate": 0},
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}},
    }


def opened(swarm: "Swarm") -> None:
    """They begin, each with more to do than it has tasks for."""
    for name in ("trial", "idle", "rivals", "spared", "guard"):
        swarm.create_service(name, replicas=None if name == "guard" else 2, cpu_limit=0.5)
        swarm.set_load(name, 3.0)
    swarm.create_raw(_job("batch"))
    for name in ("batch", "monitor"):
        swarm.set_memory(name, 99 * MIB)
