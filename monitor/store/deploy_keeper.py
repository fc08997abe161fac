"""Keeps the deploys of all services, in memory and where there is a folder on disk."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

import structlog

from monitor.model.service import Service
from monitor.store.deploy_files import DeployFiles
from monitor.store.deploys import Spec, before, with_service

MOST_SERVICES = 5000
"""Services of which deploys are kept; those seen to change last."""

RETRY = 30.0
"""Seconds until a file that could not be written is tried again."""


class DeployKeeper:
    """Each manager's agent keeps its own, by what its mirror reads. `run` does the disk's work.

    folder: None: what is known ends with the agent. Before the folder was read nothing is known.
    """

    def __init__(self, folder: Path | None) -> None:
        self._files = None if folder is None else DeployFiles(folder)
        self._loaded = self._files is None
        self._past: dict[str, tuple[Spec, ...]] = {}
        self._versions: dict[str, int] = {}
        self._early: dict[str, Service] = {}
        self._dirty: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._log = structlog.get_logger("monitor.store")

    def seen(self, services: Iterable[Service]) -> None:
        """As a manager tells them now."""
        for service in services:
            if service.mode.is_job or self._versions.get(service.id) == service.version:
                continue
            self._versions[service.id] = service.version
            if self._loaded:
                self._take(service)
            else:
                self._early[service.id] = service

    def gone(self, service_ids: Iterable[str]) -> None:
        """Services that were removed: their ids never come back."""
        for service_id in service_ids:
            self._versions.pop(service_id, None)
            self._early.pop(service_id, None)
            if self._past.pop(service_id, None) is not None:
                self._mark(service_id)

    def known(self) -> frozenset[str]:
        """Ids of the services of which a deploy is kept."""
        return frozenset(self._past)

    def before(self, service: Service) -> Spec | None:
        """The spec of the last deploy before the service's present one; None: none is known."""
        spec = service.raw.get("Spec")
        if not isinstance(spec, Mapping):
            return None
        return before(with_service(self._past.get(service.id, ()), service), spec)

    async def run(self) -> NoReturn:
        """Reads what is there, then writes what changes; no fault of the disk is raised."""
        await self._load()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._files is not None:
                await self._write(self._files)

    async def _load(self) -> None:
        if self._files is not None:
            try:
                found, unreadable = await asyncio.to_thread(self._files.load)
                self._past = found
                if unreadable:
                    self._log.warning(f"{unreadable} files of earlier deploys cannot be read")
            except OSError as error:
                self._log.warning(f"earlier deploys cannot be read: {error}")
        self._loaded = True
        for service in self._early.values():
            self._take(service)
        self._early.clear()

    async def _write(self, files: DeployFiles) -> None:
        while self._dirty:
            service_id = next(iter(self._dirty))
            del self._dirty[service_id]
            specs = self._past.get(service_id, ())
            try:
                await asyncio.to_thread(files.write, service_id, specs)
            except OSError as error:
                self._dirty[service_id] = None
                self._log.warning(f"a deploy cannot be kept on disk: {error}")
                await asyncio.sleep(RETRY)

    def _take(self, service: Service) -> None:
        known = self._past.get(service.id)
        past = with_service(known or (), service)
        if past == known:
            return
        self._past.pop(service.id, None)
        self._past[service.id] = past
        self._mark(service.id)
        while len(self._past) > MOST_SERVICES:
            oldest = next(iter(self._past))
            del self._past[oldest]
            self._mark(oldest)

    def _mark(self, service_id: str) -> None:
        self._dirty[service_id] = None
        self._wake.set()
