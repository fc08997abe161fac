"""The load: a demand in cores that is shared by the replicas, as requests are by a load balancer.

No requests are sent. Each replica is a shell loop that reads its share of the demand from a file in
a folder mounted into it, and uses that much CPU time; the demo divides the demand by the number of
replicas that run. So more replicas really lower the load of each, and a replica at its CPU limit
really is held there.
"""

from __future__ import annotations

import math
from pathlib import Path

MOUNT = "/load"
WHAT_IT_IS = (
    "each replica is a shell loop that burns its share of a demand in cores; "
    "the demo divides the demand by the replicas that run, as a load balancer would"
)

# Shares are thousandths of a core. Time passed and CPU time used (own and of the `usleep`s waited
# for) are read from /proc in hundredths of a second, without a process of their own. Each second
# counts for itself: what the CPU limit withheld is not made up for later.
_REPLICA = """
trap 'exit 0' TERM
clock() { read -r now rest </proc/uptime; now=${now%.*}${now#*.}; }
cpu() { read -r line </proc/self/stat; set -- ${line##*) }
  used=$((${12} + ${13} + ${14} + ${15})); }
while :; do
  read -r share </load/share || share=0
  clock; cpu; began=$now; before=$used
  while clock; [ $((now - began)) -lt 100 ]; do
    cpu
    if [ $(((used - before) * 1000)) -lt $(((now - began) * share)) ]; then
      i=0; while [ $i -lt 300 ]; do i=$((i + 1)); done
    else
      usleep 50000
    fi
  done
done
"""


def replica_command() -> tuple[str, ...]:
    """What a replica runs; expects the load folder at MOUNT."""
    return ("sh", "-c", _REPLICA)


class Load:
    """The demand and its division; the files that replicas read are in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self.folder = folder
        self.demand_file = folder / "demand"
        self.demand = 0.0

    def set(self, cores: float) -> None:
        """Demand so much from now on, in cores, of all replicas together."""
        self.demand = cores
        _write(self.demand_file, f"{cores:g}")

    def divide(self, replicas: int) -> None:
        """Tell each replica its share. A person may have changed the demand in its file."""
        try:
            cores = float(self.demand_file.read_text())
        except (OSError, ValueError):
            cores = self.demand  # half written, or no number
        if math.isfinite(cores) and cores >= 0:
            self.demand = cores
        _write(self.folder / "share", str(round(1000 * self.demand / max(1, replicas))))


def _write(path: Path, text: str) -> None:
    # Renamed into place: a replica never reads half a number.
    new = path.with_suffix(".new")
    new.write_text(f"{text}\n")
    new.rename(path)
