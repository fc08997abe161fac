"""The fleet's rule files: what good ones say, how they are broken, and how agents follow them."""

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache

from monitor.model.rule import RuleSet
from monitor.ports.clock import Clock
from monitor.rulefile.load import LoadResult, parse
from monitor.rulefile.read import Snapshot, Source
from monitor.rulefile.watch import WatchedRules

LOW, HIGH = 2, 12
WINDOW = 30.0
"""Seconds of stabilization before anything is taken away."""

COOLDOWN = 45.0
"""Seconds between two changes of `api`."""

BUDGET, BACKOFF = 2, 40.0
"""Restarts of a leaking service in an hour, and seconds between the first two at least."""

TARGET = 0.25
"""Cores per task that `web` and `api` shall use: half of their limit."""

QUEUE = 10.0
"""Jobs per replica of `jobs`."""

INTERVAL, TIMEOUT = 5.0, 4.0
"""Seconds between two questions to Prometheus, and until one is given up."""

FILE = "/etc/swarm-monitor/rules/fleet.yml"

_TEXT = """\
version: 1
rules:
  - name: web
    services: [web]
    scale:
      min: {low}
      max: {high}
      metrics: [{{type: cpu, target: 50%, of: limit}}]
      scale_down: {{stabilization_window: {window:g}s}}
  - name: api
    services: [api]
    scale:
      min: {low}
      max: {high}
      metrics: [{{type: cpu, target: 50%, of: limit}}]
      scale_up: {{cooldown: {cooldown:g}s}}
      scale_down: {{stabilization_window: {window:g}s, cooldown: {cooldown:g}s}}
  - name: jobs
    services: [jobs]
    scale:
      min: {low}
      max: {high}
      metrics:
        - type: prometheus
          query: 'sum(queue{{service="$service"}})'
          target: {queue:g}
          per: replica
          interval: {interval:g}s
          timeout: {timeout:g}s
      scale_down: {{stabilization_window: {window:g}s}}
  - name: leak
    services: [web, api]
    restart:
      when: {{memory_above: 90%, for: 10s}}
      action: restart_service
      budget: {{count: {budget}, within: 1h}}
      backoff: {{initial: {backoff:g}s, max: 10m}}
"""


def rule_text(high: int = HIGH, more: str = "") -> str:
    """more: rules of services that ail, see `ailing`."""
    text = _TEXT.format(
        low=LOW,
        high=high,
        window=WINDOW,
        cooldown=COOLDOWN,
        queue=QUEUE,
        interval=INTERVAL,
        timeout=TIMEOUT,
        budget=BUDGET,
        backoff=BACKOFF,
    )
    return text + more


BROKEN: Mapping[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "tab": lambda text: text.replace("    scale:", "\tscale:", 1),
    "misspelt": lambda text: text.replace("stabilization_window", "stabilisation_windw", 1),
    "min over max": lambda text: text.replace(f"min: {LOW}", "min: 99", 1),
    "no unit": lambda text: text.replace("for: 10s", "for: ten", 1),
    "twice": lambda text: text.replace("name: api", "name: web", 1),
    "alias": lambda text: text.replace("services: [web]", "services: &a [web, *a]", 1),
    "null byte": lambda text: text + "\0",
}


@lru_cache(maxsize=64)
def parsed(text: str) -> LoadResult:
    """What the product's own parser says; a text is parsed once for all agents of all runs."""
    return parse(snapshot(text))


def snapshot(text: str) -> Snapshot:
    return Snapshot((Source(FILE, text.encode()),))


class FollowedRules(WatchedRules):
    """The product's watched rules on a file in memory: looked at once a second, never by halves.

    looked: called after each look that found another content.
    """

    def __init__(
        self,
        text: Callable[[], str],
        on_change: Callable[[RuleSet], None],
        looked: Callable[[], None],
        *,
        clock: Clock,
    ) -> None:
        super().__init__((), on_change, clock=clock)
        self._text = text
        self._seen: str | None = None
        self._looked = looked

    def look(self) -> None:
        text = self._text()
        if text != self._seen:
            self._seen = text
            self._apply(snapshot(text), parsed(text))
            self._looked()

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(1.0)
