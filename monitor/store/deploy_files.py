"""Deploys on this node's disk: one file for each service, which nobody but its owner can read."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from monitor.store.deploys import Spec

MOST_BYTES = 4 << 20
"""Of one file; a spec is some kilobytes."""

_FORMAT = 1
_ID = re.compile(r"[0-9a-zA-Z]{1,64}")


class DeployFiles:
    """All methods block, for as long as the disk takes; they raise OSError.

    folder: made with mode 0700 where it is not there. Its files have mode 0600, since specs hold
    passwords, and are replaced as a whole: one that was cut off never takes another's place.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> tuple[dict[str, tuple[Spec, ...]], int]:
        """By service id, and how many files could not be read and are passed over."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found: dict[str, tuple[Spec, ...]] = {}
        unreadable = 0
        for path in sorted(self._folder.iterdir()):
            if path.suffix == ".new":
                path.unlink(missing_ok=True)
            elif path.suffix == ".json" and _ID.fullmatch(path.stem):
                specs = _read(path)
                unreadable += specs is None
                if specs:
                    found[path.stem] = specs
        return found, unreadable

    def write(self, service_id: str, specs: tuple[Spec, ...]) -> None:
        """None of them: the file is removed."""
        if not _ID.fullmatch(service_id):
            return
        path = self._folder / f"{service_id}.json"
        if not specs:
            path.unlink(missing_ok=True)
            return
        new = path.with_suffix(".new")
        content = json.dumps({"format": _FORMAT, "specs": list(specs)}).encode()
        new.unlink(missing_ok=True)
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)


def _read(path: Path) -> tuple[Spec, ...] | None:
    """None for what is no such file, or one of a release that writes another format."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        return None
    specs = data.get("specs")
    if not isinstance(specs, list) or not all(isinstance(one, Mapping) for one in specs):
        return None
    return tuple(specs)
