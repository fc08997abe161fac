"""What real Swarms printed, by the version of the client: each words some things its own way."""

import subprocess
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "recordings"


@cache
def version_of(client: str) -> str:
    """`28`, of a docker client's path."""
    done = subprocess.run([client, "--version"], capture_output=True, text=True, timeout=30)
    return done.stdout.removeprefix("Docker version ").partition(".")[0]


def recording(client: str, name: str) -> str | None:
    """The transcript of a script, None where no client of this version was recorded."""
    path = _path(client, name)
    return path.read_text() if path.exists() else None


def recorded_versions() -> list[str]:
    return sorted(folder.name.removeprefix("docker-") for folder in _FOLDER.iterdir())


def write_recording(client: str, name: str, transcript: str) -> Path:
    path = _path(client, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(transcript)
    return path


def _path(client: str, name: str) -> Path:
    return _FOLDER / f"docker-{version_of(client)}" / f"{name}.txt"
