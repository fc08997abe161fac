"""A Swarm to play with: `python -m tests.real.lab [MANAGERS [WORKERS]]`, until Ctrl-C.

Prints one line of JSON when it is ready: {"name": ..., "nodes": [{"name", "url", "address"}]}.
Also ends on SIGTERM and at the end of its standard input.
"""

from __future__ import annotations

import json
import signal
import sys

from tests.real.lab import LabError, Swarm


def main(arguments: list[str]) -> int:
    """Start it, say where it is, wait, remove it; the exit status."""
    managers = int(arguments[0]) if arguments else 1
    workers = int(arguments[1]) if len(arguments) > 1 else 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Swarm.start(managers, workers) as swarm:
            nodes = [{"name": n.name, "url": n.url, "address": n.address} for n in swarm.nodes]
            print(json.dumps({"name": swarm.name, "nodes": nodes}), flush=True)
            sys.stdin.read()
    except KeyboardInterrupt:
        return 130
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
