"""Which service this very program belongs to, so that it never writes to itself."""

import re
from pathlib import Path

from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError

_CONTAINER = re.compile(r"/containers/([0-9a-f]{64})/")


def own_container_id(mountinfo: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The id of the container this process runs in, from the mounts that an engine makes.

    Docker mounts /etc/hostname and its like from a folder named after the container, whatever
    the host name, cgroup version or driver. None outside a container.
    """
    try:
        found = _CONTAINER.search(mountinfo.read_text(errors="replace"))
    except OSError:
        return None
    return found.group(1) if found else None


async def find_own_service(engine: Engine, container_id: str | None) -> str | None:
    """The id of the service whose task this process is; None if it is none's."""
    if container_id is None:
        return None
    try:
        return (await engine.container(container_id)).service_id or None
    except EngineError:
        return None
