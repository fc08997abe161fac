"""Finding a container's cgroup directories."""

import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.model.container import Container
from monitor.usage.cgroup_v1 import CONTROLLERS
from monitor.usage.files import slurp
from monitor.usage.layout import Pattern, cut_at, id_in, patterns

_MOST_PATTERNS = 16
_MOST_DIRECTORIES = 5000
_DEEPEST = 8
_PER_STEP = 32


@dataclass(frozen=True, slots=True)
class Location:
    """v1: directories by controller, `cpuacct` always among them. v2: one, under ""."""

    version: int
    directories: Mapping[str, str]


class Locator:
    """Finds cgroups in a tree that may be the host's, mounted anywhere.

    In this order: what `/proc/PID/cgroup` says, if it mentions the container (the engine counts
    pids in its own namespace, so the number may mean another process here); where cgroups were
    found before; where the drivers put them; at last, on request, a bounded search by id.
    """

    def __init__(self, proc_root: Path, cgroup_root: Path) -> None:
        self._proc = str(proc_root)
        self._root = str(cgroup_root)
        self._known: list[Pattern] = []
        self._mounts: dict[str, str] = {}
        self.version: int | None = None
        self._detect()

    def find(self, container: Container) -> Location | None:
        """Where the container's cgroup is; None if it takes a search, or is not here at all."""
        if self.version is None:
            self._detect()
        return self._from_proc(container) or self._from_patterns(container)

    def search(self, wanted: set[str], found: dict[str, Location]) -> Iterator[None]:
        """Look for the ids in `wanted` through the tree and put what is there into `found`.

        Pauses (yields) every few directories, so that the caller may let others run. Ends when
        all are found, or after 5,000 directories or 8 levels. Where one was found is remembered,
        so that the next container beside it needs no search.
        """
        top = self._mounts.get("cpuacct" if self.version == 1 else "")
        queue = deque([("", 0)] if top is not None else [])
        seen = 0
        while queue and seen < _MOST_DIRECTORIES and len(found) < len(wanted):
            path, depth = queue.popleft()
            for name in _folders(f"{top}/{path}"):
                seen += 1
                below = f"{path}/{name}".lstrip("/")
                container_id = id_in(name)
                if container_id in wanted:
                    if location := self._at(below, container_id):
                        found[container_id] = location
                elif not container_id and depth < _DEEPEST:
                    queue.append((below, depth + 1))
                if seen % _PER_STEP == 0:
                    yield

    def host_memory(self) -> int:
        """The machine's memory in bytes, 0 if /proc does not say."""
        for line in (slurp(f"{self._proc}/meminfo") or b"").splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == b"MemTotal:" and words[1].isdigit():
                return int(words[1]) * 1024
        return 0

    def _detect(self) -> None:
        if _is_file(f"{self._root}/cgroup.controllers"):
            self.version, self._mounts = 2, {"": self._root}
            return
        self._mounts = {}
        for name in _folders(self._root, links=True):
            # Mounted together, they are one directory with both names, and links to it.
            for controller in name.split(","):
                if controller in CONTROLLERS:
                    self._mounts.setdefault(controller, f"{self._root}/{name}")
        self.version = 1 if "cpuacct" in self._mounts else None

    def _from_proc(self, container: Container) -> Location | None:
        if container.pid <= 0:
            return None
        paths: dict[str, str] = {}
        content = slurp(f"{self._proc}/{container.pid}/cgroup") or b""
        for line in content.decode(errors="replace").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            path = cut_at(path, container.id)
            if path:
                paths.update(dict.fromkeys(controllers.split(","), path))
        if self.version == 2:
            return self._at(paths[""], container.id) if "" in paths else None
        if "cpuacct" not in paths:
            return None
        return self._existing_v1(paths, container.id)

    def _from_patterns(self, container: Container) -> Location | None:
        for pattern in (*self._known, *patterns(container.cgroup_parent)):
            if location := self._at(pattern.path(container.id), container.id):
                return location
        return None

    def _at(self, path: str, container_id: str) -> Location | None:
        """The location where every controller has the container at the same path."""
        if self.version == 2:
            directory = f"{self._root}/{path}"
            if ".." in path.split("/") or not _is_file(f"{directory}/cpu.stat"):
                return None
            self._remember(path, container_id)
            return Location(2, {"": directory})
        return self._existing_v1(dict.fromkeys(CONTROLLERS, path), container_id)

    def _existing_v1(self, paths: Mapping[str, str], container_id: str) -> Location | None:
        directories = {
            controller: f"{self._mounts[controller]}/{paths[controller]}"
            for controller in CONTROLLERS
            if controller in paths
            and controller in self._mounts
            and ".." not in paths[controller].split("/")
        }
        directories = {key: path for key, path in directories.items() if _is_folder(path)}
        if not _is_file(f"{directories.get('cpuacct', '')}/cpuacct.usage"):
            return None
        self._remember(paths["cpuacct"], container_id)
        return Location(1, directories)

    def _remember(self, path: str, container_id: str) -> None:
        pattern = Pattern.of(path, container_id)
        if self._known[:1] == [pattern]:
            return
        others = [known for known in self._known if known != pattern]
        self._known = [pattern, *others][:_MOST_PATTERNS]


def _folders(path: str, *, links: bool = False) -> list[str]:
    """Names of the folders in `path`, in order; none where it cannot be read."""
    try:
        with os.scandir(path) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=links))
    except OSError:
        return []


def _is_file(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - a Path per look-up costs more than the look-up


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112
