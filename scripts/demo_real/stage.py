"""What the show needs: a Swarm of one node, the service on it, and the agent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.demo_real.agent import Agent
from scripts.demo_real.load import MOUNT, Load, replica_command
from tests.real.lab import WORK_IMAGE, Swarm, processes, reaper

SERVICE = "web"
LABEL = "swarm-monitor.rule=demo"  # what rules/demo.yml selects
LIMIT = 0.25  # cores
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs; `load` is what the replicas are told to use."""

    swarm: Swarm
    agent: Agent
    load: Load


@contextmanager
def built(say: Say, quiet_demand: float) -> Iterator[Stage]:
    """Build it, take it away afterwards. After a failure the logs are kept, and said where."""
    say("starting a private Swarm of one node (your own Docker is not touched) ...")
    with Swarm.start(1, 0, images=(WORK_IMAGE,)) as swarm:
        log = swarm.folder / "agent.log"
        try:
            load = Load(swarm.folder / "load")
            load.set(quiet_demand)
            load.divide(1)
            _deploy(swarm, load)
            agent = Agent(swarm.manager.url, log, {processes.MARK: str(swarm.folder)})
            try:
                agent.wait_ready()
                yield Stage(swarm, agent, load)
            finally:
                agent.stop()
        except BrokenPipeError:
            raise  # nobody is left to be told
        except Exception:
            say(f"logs of agent and engine are kept in {_keep(log, swarm.manager.log)}")
            raise


def remove_rest() -> None:
    """Remove what a Swarm of this process left: a Ctrl-C may come while it is being removed."""
    for folder in reaper.BASE.glob(f"swarm-lab-{os.getpid()}-*"):
        reaper.destroy(folder)


def _deploy(swarm: Swarm, load: Load) -> None:
    swarm.create_service(
        SERVICE,
        "--replicas=1",
        f"--limit-cpu={LIMIT}",
        f"--label={LABEL}",
        f"--mount=type=bind,source={load.folder},target={MOUNT},readonly",
        command=replica_command(),
    )
    swarm.wait_running(SERVICE, 1)


def _keep(*logs: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="swarm-monitor-demo-"))
    for log in logs:
        if log.exists():
            shutil.copy(log, folder)
    return folder
