"""Images made from nothing: a static busybox and links to it, so no registry is needed."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from pathlib import Path

from tests.real.lab.errors import LabError
from tests.real.lab.requirements import static_busybox
from tests.real.lab.shell import run

WORK_IMAGE = "work:1"
WORK_IMAGE_2 = "work:2"  # other content, so another image id: what a rollout goes to


@cache
def work_tar(version: str) -> bytes:
    """A root file system as tar: /bin/busybox, its applets, /tmp, /www and /version."""
    busybox = static_busybox()
    if busybox is None:
        raise LabError("a static busybox is missing; install busybox-static")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("www", 0o755), ("etc", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add_file(tar, "bin/busybox", Path(busybox).read_bytes(), 0o755)
        _add_file(tar, "version", f"{version}\n".encode(), 0o644)
        _add_file(tar, "www/index.html", f"work {version}\n".encode(), 0o644)
        for applet in run([busybox, "--list"]).split():
            if applet == "busybox":
                continue
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return buffer.getvalue()


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
