"""The bytes of rule files, read at one moment."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from monitor.rulefile.text import MAX_BYTES

MAX_FILES = 1_000
MAX_TOTAL = 8 * 1024 * 1024
_SUFFIXES = (".yml", ".yaml")
_TESTS = (".test.yml", ".test.yaml")


@dataclass(frozen=True, slots=True)
class Source:
    """One file; `fault` says why `data` could not be read."""

    file: str
    data: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Equal to another where every file's name and content are."""

    sources: tuple[Source, ...]
    warnings: tuple[str, ...] = ()


def read(paths: Iterable[Path]) -> Snapshot:
    """All rule files of folders (not of folders inside) and single files, each once."""
    sources: list[Source] = []
    warnings: list[str] = []
    seen: set[str] = set()
    total = 0
    for path in paths:
        listed = _files(path, warnings)
        if isinstance(listed, Source):
            sources.append(listed)
            continue
        for file in listed:
            real = os.path.realpath(file)
            if real in seen:
                continue
            seen.add(real)
            source = _read(file)
            total += len(source.data)
            if len(sources) >= MAX_FILES or total > MAX_TOTAL:
                text = f"more than {MAX_FILES} files or 8 MiB of rules: load fewer"
                sources.append(Source(str(path), fault=text))
                return Snapshot(tuple(sources), tuple(warnings))
            sources.append(source)
    return Snapshot(tuple(sources), tuple(warnings))


def _files(path: Path, warnings: list[str]) -> list[Path] | Source:
    try:
        if not path.is_dir():
            if path.name.endswith(_TESTS):
                warnings.append(f"{path}: holds rule tests, no rules: skipped")
                return []
            return [path]
        names = sorted(entry.name for entry in os.scandir(path) if _is_rule_file(entry.name))
    except OSError as error:
        return Source(str(path), fault=_reason(error))
    if not names:
        warnings.append(f"{path}: no rule files (*.yml, *.yaml) in this folder: no rules")
    return [path / name for name in names]


def _is_rule_file(name: str) -> bool:
    return name.endswith(_SUFFIXES) and not name.endswith(_TESTS) and not name.startswith(".")


def _read(path: Path) -> Source:
    try:
        # Non-blocking: opening a named pipe would else wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Source(str(path), fault="not a regular file: remove or rename it")
            return Source(str(path), file.read(MAX_BYTES + 1))
    except OSError as error:
        return Source(str(path), fault=_reason(error))


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "no such file or folder: check the path"
        case PermissionError():
            return "not readable: permission denied"
        case IsADirectoryError():
            return "is a folder: rename it, or give it as a path of its own"
        case _:
            return f"not readable: {error.strerror}"
