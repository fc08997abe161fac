"""Plays the suite on the simulated Swarm: python -m tests.conformance [scenario...] [--changes].

Prints what differs from the recordings of a real Swarm; with --changes, which scenarios catch each
deliberate change of the model. Status 1 where anything differs, or a change goes unnoticed.
"""

from __future__ import annotations

import sys

from tests.conformance.changes import CHANGES
from tests.conformance.simulated import difference
from tests.conformance.suite import SCENARIOS


def main(arguments: list[str]) -> int:
    names = [one for one in arguments if not one.startswith("-")]
    chosen = [one for one in SCENARIOS if not names or one.name in names]
    if "--changes" in arguments:
        unnoticed = 0
        for change in CHANGES:
            with change.apply():
                caught = [one.name for one in chosen if difference(one)]
            print(f"{change.name}: {', '.join(caught) or 'UNNOTICED'}")
            unnoticed += not caught
        return min(unnoticed, 1)
    different = {one.name: difference(one) for one in chosen}
    for name, words in different.items():
        print(f"{name}: {words or 'as recorded'}")
    return int(any(different.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
