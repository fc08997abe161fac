"""What the agent does not need it does not load."""

import subprocess
import sys

import pytest

OTHERS = [
    "simulate.host",
    "simulate.swarm",
    "demo.run",
    "ruletest.run",
    "replay.contest",
    "cli.top",
]


@pytest.mark.parametrize("room", OTHERS)
def test_the_agent_holds_nothing_of_other_commands(room: str) -> None:
    """The command line alone, as `run` has it, leaves modules out that only other commands need."""
    code = f"import sys, monitor.cli.main; sys.exit('monitor.{room}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
