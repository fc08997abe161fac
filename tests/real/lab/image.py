"""The product's own image, built from its Dockerfile without any image registry.

`python -m tests.real.lab.image` builds it and prints where its archive is. The base image that
the Dockerfile names is stood in for by a Debian tree with the same Python, made by debootstrap.
All is kept: only what changed is built again, and nothing where nothing did.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.real.lab import builder
from tests.real.lab.engine_root import CACHE, build_tree
from tests.real.lab.errors import LabError
from tests.real.lab.requirements import find_tool, tool
from tests.real.lab.shell import run

ROOT = Path(__file__).parents[3]
IMAGE = "swarm-monitor:test"
_SUITE = "trixie"  # its python3 is 3.13, as in the Dockerfile
_PACKAGES = "python3,python3-venv,ca-certificates"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_ARCHIVES_KEPT = 3
# What a slim image has not got either; it makes every node's copy smaller.
_LEFT_OUT = (
    *("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/info"),
    *("./var/cache/apt", "./var/lib/apt/lists", "./var/log", "./usr/lib/locale"),
    *("./usr/share/zoneinfo", "./usr/share/perl5", "./usr/share/terminfo", "./var/lib/dpkg"),
    *("./usr/lib/*/gconv", "./usr/lib/*/perl-base", "./boot", "./dev/*", "./proc/*", "./sys/*"),
)


def product_image() -> Path:
    """The archive (`docker save`) of image IMAGE as the sources are now, built where needed.

    Takes about two minutes the first time, seconds after a change of the code, and none
    otherwise. Raises LabError where it cannot be built.
    """
    archive = CACHE / f"image-{_fingerprint()}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _build(archive)
    archive.touch()
    return archive


def missing_for_image() -> list[str]:
    """What this machine lacks beyond what a lab needs, one sentence each."""
    if (CACHE / f"python-{_SUITE}").is_dir() or find_tool("debootstrap"):
        return []
    return ["debootstrap is missing, which makes the base of the agent's image (same package)"]


def _build(archive: Path) -> None:
    began = time.monotonic()
    tree = build_tree(f"python-{_SUITE}", _SUITE, _PACKAGES)
    base = _base_name()
    unfinished = archive.with_suffix(".unfinished")
    with builder.running(CACHE / "builder") as engine:
        if not {base, _stand_in()} <= _tags(engine):
            _import_base(engine, tree, base)
        # The first stage has a tag too, else it would be swept away and built from nothing.
        for options in (("--target", "build", "--tag", "swarm-monitor-build"), ("--tag", IMAGE)):
            engine.docker("build", "--network", "host", *options, str(ROOT), timeout=900)
        engine.docker("save", "--output", str(unfinished), IMAGE, timeout=120)
        engine.docker("image", "prune", "--force", timeout=120)
    unfinished.rename(archive)
    old = sorted(CACHE.glob("image-*.tar"), key=lambda path: path.stat().st_mtime)
    for path in old[:-_ARCHIVES_KEPT]:
        path.unlink()
    print(f"built {archive} in {time.monotonic() - began:.1f} s", file=sys.stderr)


def _import_base(engine: builder.Builder, tree: Path, name: str) -> None:
    """Make the stand-in; with the machine's certificates pip gets through a proxy of its own."""
    if _CERTIFICATES.exists():
        shutil.copyfile(_CERTIFICATES, f"{tree}{_CERTIFICATES}")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        tar = Path(folder) / "base.tar"
        left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        run(
            [tool("tar"), *left_out, "--create", f"--file={tar}", f"--directory={tree}", "."],
            timeout=120,
        )
        changes = ("--change", f"ENV PIP_CERT={_CERTIFICATES}", "--change", 'CMD ["python3"]')
        engine.docker("import", *changes, str(tar), _stand_in(), timeout=120)
        engine.docker("tag", _stand_in(), name)


def _stand_in() -> str:
    """A name that changes with what goes into the stand-in."""
    parts = " ".join((_SUITE, _PACKAGES, *_LEFT_OUT))
    return f"stand-in:{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def _tags(engine: builder.Builder) -> set[str]:
    return set(engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines())


def _base_name() -> str:
    """The image in the Dockerfile's FROM lines; all of them must name the same."""
    text = (ROOT / "Dockerfile").read_text()
    names = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    if len(names) != 1:
        raise LabError(f"the Dockerfile builds from {sorted(names)}: a stand-in is made for one")
    (name,) = names
    return str(name)


def _fingerprint() -> str:
    digest = hashlib.sha256(_stand_in().encode())
    for path in _inputs():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _inputs() -> Iterator[Path]:
    """Every file that the builder is given, in order, as .dockerignore lets them through."""
    for line in ["!Dockerfile", *(ROOT / ".dockerignore").read_text().splitlines()]:
        if not line.startswith("!"):
            continue
        top = ROOT / line[1:]
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (f for f in files if f.is_file() and "__pycache__" not in f.parts)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("building the image needs root")
    print(product_image())
