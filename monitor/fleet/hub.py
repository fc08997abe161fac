"""What all links to peers share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from monitor.fleet.notices import Notices
from monitor.fleet.secret import Secret
from monitor.fleet.stats import Counters
from monitor.fleet.wire import Connect
from monitor.model.event import Event
from monitor.model.peer import About, UsageReport
from monitor.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Hub:
    """gate: how many connections may be made at once, so that a manager that has just started
    does not greet 500 agents in the same moment.
    """

    clock: Clock
    secret: Secret
    about: Callable[[], About]
    entropy: Callable[[int], bytes]
    on_report: Callable[[str, UsageReport, float], None]
    on_event: Callable[[str, Event], None]
    on_resync: Callable[[str], None]
    counters: Counters
    notices: Notices
    gate: asyncio.Semaphore
    connect: Connect
