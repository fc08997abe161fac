"""What the containers of a simulated Swarm write."""

from typing import TYPE_CHECKING

from monitor.simulate.state import SimTask

if TYPE_CHECKING:
    from monitor.simulate.swarm import Swarm


def written(swarm: "Swarm", task: SimTask) -> tuple[str, ...]:
    """The lines of the task's log: what was put in `Swarm.logs`, else how it began and ended."""
    if (lines := swarm.logs.get(task.id)) is not None:
        return tuple(lines)
    began = f"{task.service_name}: simulated task {task.id} began"
    if not task.state.ended:
        return (began,)
    return began, f"{task.service_name}: ended with {task.exit_code or 0}"


def framed(lines: tuple[str, ...]) -> bytes:
    """As the Engine API sends the log of a container without a terminal; all to stdout."""
    parts = []
    for line in lines:
        content = f"{line}\n".encode()
        parts.append(b"\x01\0\0\0" + len(content).to_bytes(4, "big") + content)
    return b"".join(parts)
