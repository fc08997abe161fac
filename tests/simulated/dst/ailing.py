"""Services that ail, and the rules that act on them: each seed has some of them, or none.

What a rule of each kind may do at most stands beside its text, for the judges of the promises.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MIB = 1024**2
NANO = 10**9
QUICK = {"Parallelism": 0, "Monitor": NANO}
DELAY = {"Condition": "any", "Delay": 2 * NANO}
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `count` actions on a service `within` seconds, and `backoff` seconds between two,
    doubled with each of those up to `most`. calm: seconds for which a deploy must do well until
    an open breaker closes."""

    count: int
    within: float
    backoff: float = 0.0
    most: float = 0.0
    calm: float = 0.0


@dataclass(frozen=True, slots=True)
class Ailing:
    """parts: of the service. text: its rules. failures: so many within `window` seconds are what
    the rule waits for, 0 where it waits for something else."""

    service: str
    rule: str
    text: str
    pace: Pace
    parts: Mapping[str, Any] = field(default_factory=dict)
    failures: int = 0
    window: float = 0.0


TASKS = Ailing(
    "leaky",
    "leaky-tasks",
    """\
  - name: leaky-tasks
    services: [leaky]
    restart:
      when: {memory_above: 90%, for: 10s}
      action: restart_task
      budget: {count: 4, within: 4m}
      backoff: {initial: 1s, max: 1m}
      breaker: {after: 2, within: 30s}
      quiet_after_deploy: 5s
""",
    Pace(4, 240.0, 1.0, 60.0, 30.0),
    {"image": "leaky:1", "replicas": 3, "memory_limit": 100 * MIB},
)

CRASHES = Ailing(
    "crashy",
    "crashy-restarts",
    """\
  - name: crashy-restarts
    services: [crashy]
    restart:
      when: {exits: {count: 3, within: 1m}}
      action: restart_service
      budget: {count: 3, within: 5m}
      backoff: {initial: 10s, max: 2m}
      breaker: {after: 2, within: 30s}
      quiet_after_deploy: 10s
""",
    Pace(3, 300.0, 10.0, 120.0, 30.0),
    {"image": "crashy:1", "replicas": 2},
    failures=3,
    window=60.0,
)

PARKS = Ailing(
    "hungry",
    "hungry-parks",
    """\
  - name: hungry-parks
    services: [hungry]
    restart:
      when: {oom_kills: {count: 3, within: 1m}}
      action: park
      budget: {count: 3, within: 1h}
      backoff: {initial: 5s, max: 1m}
  - name: hungry
    services: [hungry]
    scale:
      min: 2
      max: 4
      metrics: [{type: cpu, target: 50%, of: limit}]
""",
    Pace(3, HOUR, 5.0, 60.0),
    {"image": "hungry:1", "replicas": 2, "cpu_limit": 0.5, "memory_limit": 100 * MIB},
    failures=3,
    window=60.0,
)

ON_WORKERS = ("node.role==worker",)

EVEN = Ailing(
    "even",
    "even",
    """\
  - name: even
    services: [even, odd]
    rebalance:
      when: {skew_above: 1, for: 10s, node_joined: 5s}
      budget: {count: 4, within: 5m}
      quiet_after_deploy: 5s
""",
    Pace(4, 300.0),
    {"image": "even:1", "replicas": 4, "constraints": ON_WORKERS},
)
ODD = replace(
    EVEN,
    service="odd",
    text="",
    parts={"image": "odd:1", "replicas": 2, "constraints": ON_WORKERS},
)

SPOTTY = Ailing(
    "spotty",
    "sick-nodes",
    """\
  - name: sick-nodes
    nodes: ["*"]
    node:
      when:
        any:
          - {tasks_failing_here: {count: 3, within: 1m}}
          - {down_for: 10s}
      action: drain
      drain_for: 1m
      budget: {count: 2, within: 5m}
""",
    Pace(2, 300.0),
    {"image": "spotty:1", "replicas": 5},
    failures=3,
    window=60.0,
)
DRAINED_FOR = 60.0

AILING: Mapping[str, tuple[Ailing, ...]] = {
    "tasks": (TASKS,),
    "crashes": (CRASHES,),
    "parks": (PARKS,),
    "moves": (EVEN, ODD),
    "nodes": (SPOTTY,),
}

BY_RULE: Mapping[tuple[str, str], Ailing] = {
    (one.rule, one.service): one for several in AILING.values() for one in several
}


def drawn(seed: int) -> list[str]:
    """Which of them the world of this seed has: none, one or two, to spare the time of more."""
    chance = random.Random(f"{seed} ailing")
    count = chance.choices((0, 1, 2), (25, 55, 20))[0]
    return sorted(chance.sample(sorted(AILING), count))
