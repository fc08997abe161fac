"""Plays the suite on a real Swarm and keeps its transcripts: python -m tests.conformance.record.

Arguments name scenarios; without any, all are recorded anew. --compare keeps nothing and prints
what differs from the recordings.
"""

from __future__ import annotations

import asyncio
import sys

from tests.conformance import recorded
from tests.conformance.real import play_real
from tests.conformance.suite import SCENARIOS


def main(arguments: list[str]) -> int:
    """Status 1 where a scenario failed or, with --compare, differs."""
    compare = "--compare" in arguments
    names = [one for one in arguments if not one.startswith("-")]
    unknown = set(names) - {one.name for one in SCENARIOS}
    if unknown:
        print(f"no scenario is called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [one for one in SCENARIOS if not names or one.name in names]
    status = 0
    for name, found in asyncio.run(play_real(chosen)).items():
        if isinstance(found, Exception):
            print(f"{name}: {type(found).__name__}: {found}")
            status = 1
        elif compare:
            different = recorded.differences(name, found, "real")
            print(f"{name}: {different or 'as recorded'}")
            status = status or int(bool(different))
        else:
            recorded.save(name, found)
            print(f"{name}: recorded, {len(found)} looks")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
