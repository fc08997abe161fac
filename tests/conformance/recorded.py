"""The transcripts that a real Swarm left, kept beside the suite, and what differs from them."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from tests.conformance.play import Transcript

FOLDER = Path(__file__).parent / "recorded"


def load(name: str) -> Transcript:
    """Raises FileNotFoundError where the scenario was never recorded."""
    found: Transcript = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def save(name: str, transcript: Transcript) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(spelled(transcript))


def spelled(transcript: Transcript) -> str:
    """One line for each value that a difference may lie in."""
    return json.dumps(transcript, indent=1, sort_keys=True) + "\n"


def differences(name: str, seen: Transcript, side: str) -> str:
    """What `seen` has otherwise than the recording, as a unified diff; "" where nothing."""
    before, after = spelled(load(name)).splitlines(), spelled(seen).splitlines()
    return "\n".join(difflib.unified_diff(before, after, "recorded", side, lineterm="", n=6))
