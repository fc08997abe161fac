"""Real Swarms of several engines on one Linux machine, for tests and the demo."""

from tests.real.lab.api import ApiError
from tests.real.lab.errors import LabError
from tests.real.lab.images import WORK_IMAGE, WORK_IMAGE_2
from tests.real.lab.node import Node
from tests.real.lab.reaper import reap_stale
from tests.real.lab.requirements import docker_bin, missing_requirements
from tests.real.lab.swarm import Swarm, eventually

__all__ = [
    "WORK_IMAGE",
    "WORK_IMAGE_2",
    "ApiError",
    "LabError",
    "Node",
    "Swarm",
    "docker_bin",
    "eventually",
    "missing_requirements",
    "reap_stale",
]
