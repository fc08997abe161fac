"""Rule files that are followed while the agent runs."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from monitor.model.rule import RuleSet
from monitor.ports.clock import Clock
from monitor.rulefile.load import LoadResult, parse
from monitor.rulefile.notice import notice
from monitor.rulefile.problem import Problem
from monitor.rulefile.read import Snapshot, read

_TRIES = 50


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """`last_success_wall` in seconds since the epoch, None before the first success."""

    last_reload_successful: bool = False
    last_success_wall: float | None = None
    digest: str = ""
    reloads: int = 0
    failures: int = 0


class WatchedRules:
    """The newest good rules of `paths` (a `monitor.ports.rules.RuleSource`).

    on_change: called with the new rules whenever their content changed, also the first time.
    poll: seconds between looks at the files where no notification comes, as on bind mounts
        of single files and network file systems.
    settle: seconds for which files must stay the same before they are believed, so that a file
        that is being written is not read by halves.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        on_change: Callable[[RuleSet], None],
        *,
        clock: Clock,
        poll: float = 10.0,
        settle: float = 0.2,
    ) -> None:
        self._paths = tuple(paths)
        self._on_change = on_change
        self._clock = clock
        self._poll = poll
        self._settle = settle
        self._log = structlog.get_logger("monitor.rulefile")
        self._rules = RuleSet()
        self._snapshot: Snapshot | None = None
        self._result = LoadResult(None)
        self._status = ReloadStatus()
        self._hint = asyncio.Event()

    def current(self) -> RuleSet:
        """The newest good rules; none before the first success."""
        return self._rules

    def problems(self) -> tuple[str, ...]:
        return tuple(str(problem) for problem in self._result.problems)

    def warnings(self) -> tuple[str, ...]:
        return self._result.warnings

    def status(self) -> ReloadStatus:
        return self._status

    async def reload(self) -> bool:
        """Reads the files once they stay the same; returns whether what they say is in force."""
        snapshot = await asyncio.to_thread(read, self._paths)
        if snapshot != self._snapshot:
            settled = await self._settled(snapshot)
            if settled is None:
                self._hint.set()
                return False
            if settled != self._snapshot:
                self._apply(settled, await asyncio.to_thread(parse, settled))
        return not self._result.problems

    async def run(self) -> None:
        """Follows the files until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(notice(self._paths, self._hint.set), name="rules-notice")
            while True:
                await self.reload()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._hint.wait()
                self._hint.clear()

    async def _settled(self, snapshot: Snapshot) -> Snapshot | None:
        """The first snapshot that two readings in a row agree on, or None."""
        for _ in range(_TRIES):
            await asyncio.sleep(self._settle)
            again = await asyncio.to_thread(read, self._paths)
            if again == snapshot:
                return again
            snapshot = again
        return None

    def _apply(self, snapshot: Snapshot, result: LoadResult) -> None:
        repeated = result.problems and result.problems == self._result.problems
        self._snapshot, self._result = snapshot, result
        if result.rules is None:
            failures = self._status.failures + 1
            self._status = replace(self._status, last_reload_successful=False, failures=failures)
            if not repeated:
                self._log_refused(result.problems)
            return
        changed = result.rules.digest != self._rules.digest
        self._rules = result.rules
        self._status = ReloadStatus(
            last_reload_successful=True,
            last_success_wall=self._clock.now().wall,
            digest=result.rules.digest,
            reloads=self._status.reloads + 1,
            failures=self._status.failures,
        )
        self._log.info(
            "rules_loaded",
            rules=len(result.rules.rules) + len(result.rules.node_rules),
            files=result.files,
            digest=result.rules.digest[:12],
            warnings=list(result.warnings),
        )
        if changed:
            self._on_change(result.rules)

    def _log_refused(self, problems: tuple[Problem, ...]) -> None:
        self._log.error(
            "rules_refused",
            problem=str(problems[0]),
            problems=len(problems),
            in_force=self._rules.digest[:12] or "none",
        )
