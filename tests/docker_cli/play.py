"""Plays a script of docker commands against one Swarm and writes down what is printed.

A line of a script is a command of the docker client, and `#` begins a comment. In front of it:

`sorted`         the lines below the heading are sorted: their order is left to the engine
`lines PATTERN`  only lines that begin with the pattern are written down
`hidden`         nothing of it is written down
`until PATTERN`  it is repeated until it prints the pattern, and nothing is written down

`$(docker ...)` stands for what that prints, `{work}` for a container that ends in order when it is
told to, `{began}` and `{now}` for the times (epoch seconds) when
the script began and of this command; what follows `<<<` is its standard input.
"""

import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docker_cli.normalise import normalised

HERE = Path(__file__).parent
_PATIENCE = 60.0  # seconds that a state is waited for, or a command may take
_BETWEEN = 0.1
_WORK = ("work:1", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done")


@dataclass(frozen=True, slots=True)
class Client:
    """A docker client (a path) and the engine it is to talk to (a URL)."""

    path: str
    host: str

    def run(self, words: list[str], given: str = "") -> tuple[str, int]:
        """What it prints, errors last, and its exit code."""
        with tempfile.TemporaryDirectory(prefix="client-") as settings:
            kept = {key: value for key, value in os.environ.items() if "DOCKER" not in key}
            done = subprocess.run(
                [self.path, "--host", self.host, *words],
                input=given,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                cwd=HERE / "files",
                env={**kept, "DOCKER_CONFIG": settings},
            )
        return done.stdout + done.stderr, done.returncode


def scripts() -> list[str]:
    """Names of the scripts, in the order in which they are played."""
    return sorted(path.stem for path in (HERE / "scripts").glob("*.txt"))


def play(name: str, client: Client) -> str:
    """The transcript: each command, what it printed without what may differ, its exit code."""
    began = time.time()
    lines = (HERE / "scripts" / f"{name}.txt").read_text().splitlines()
    shown = (_step(line, client, began) for line in lines if line and not line.startswith("#"))
    return "\n".join(part for part in shown if part) + "\n"


def _step(line: str, client: Client, began: float) -> str:
    how, words, given = _read(line)
    words = [part for word in words for part in _filled(word, client, began)]
    if how.startswith("until "):
        _wait(client, words, how.removeprefix("until "))
        return ""
    printed, code = client.run(words, given)
    if how == "hidden":
        return ""
    body = normalised(printed).splitlines()
    if how.startswith("lines "):
        pattern = how.removeprefix("lines ").strip("'")
        body = [text for text in body if re.match(pattern, text)]
    if how == "sorted":
        head = 1 if re.match(r"[A-Z ]+  ", body[0]) else 0
        body = [*body[:head], *sorted(body[head:])]
    return "\n".join([f"$ {line}", *body, *([f"exit code {code}"] if code else []), ""])


def _read(line: str) -> tuple[str, list[str], str]:
    found = re.fullmatch(r"(.*?) ?docker (.*?)(?: <<< (.*))?", line)
    assert found, f"not a command of docker: {line}"
    how, command, given = found.groups()
    # $(...) is one word, whatever is in it.
    words = [
        shlex.split(part)[0] if not part.startswith("$(") else part
        for part in re.findall(r"\$\([^)]*\)|(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+", command)
    ]
    return how, words, given or ""


def _filled(word: str, client: Client, began: float) -> Iterator[str]:
    if word == "{work}":
        yield from _WORK
    elif word.startswith("$("):
        printed, code = client.run(shlex.split(word[2:-1])[1:])
        assert code == 0, printed
        yield from printed.split()
    else:
        yield word.replace("{began}", f"{began:.3f}").replace("{now}", f"{time.time():.3f}")


def _wait(client: Client, words: list[str], pattern: str) -> None:
    pattern = pattern.strip("'")
    end = time.monotonic() + _PATIENCE
    while True:
        printed, _ = client.run(words)
        if re.search(pattern, printed):
            return
        assert time.monotonic() < end, f"no {pattern!r} in what {words} prints: {printed}"
        time.sleep(_BETWEEN)
