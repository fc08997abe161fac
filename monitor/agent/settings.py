"""What an operator can set, checked once at start."""

from dataclasses import dataclass, field
from pathlib import Path

from monitor.control.ceiling import DEFAULT_WRITES_PER_MINUTE
from monitor.control.restarts import DEFAULT_RESTARTS_AT_ONCE
from monitor.export.family import TaskLabels
from monitor.notify.target import Target
from monitor.rulefile.label_limits import LabelCeilings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """docker: URL of the local engine. rules: files or folders, watched while running.

    cgroup_root, proc_root: where the host's /sys/fs/cgroup and /proc are seen; in a container
    they are mounts. service_labels, node_labels: Docker labels exported as metric labels.
    task_labels: whether a task's series carry its id, or its slot alone.
    labels: what rules in service labels may do.
    writes_per_minute: how many writes the whole Swarm has to bear at most. restarts_at_once: how
    many of its tasks rules may restart at the same time.
    token_file, token: what a person must show to change anything; the file goes first and is
    read at each use. None and "": nobody may.
    prometheus: the server to ask where a metric names none; None: there is none.
    fleet_host, fleet_port: where other agents are served this one's samples and events.
    secret_file: holds what all agents of the Swarm share; read at each use. None: this agent
    talks to no other.
    data: folder of the journal; None: there is none.
    own_service_id: the service this agent runs as; None lets the agent find out.
    notify: who is told of actions, failures and open problems; of each scaling, too, with
    notify_scaling.
    """

    docker: str
    rules: tuple[Path, ...]
    host: str
    port: int
    dry_run: bool = False
    labels: LabelCeilings = field(default_factory=LabelCeilings)
    cgroup_root: Path = Path("/sys/fs/cgroup")
    proc_root: Path = Path("/proc")
    own_service_id: str | None = None
    prometheus: str | None = None
    service_labels: tuple[str, ...] = ()
    node_labels: tuple[str, ...] = ()
    task_labels: TaskLabels = TaskLabels.TASK
    writes_per_minute: int = DEFAULT_WRITES_PER_MINUTE
    restarts_at_once: int = DEFAULT_RESTARTS_AT_ONCE
    token_file: Path | None = None
    token: str = field(default="", repr=False)
    fleet_host: str = "0.0.0.0"  # noqa: S104  # other nodes' agents reach it there
    fleet_port: int = 9581
    secret_file: Path | None = None
    data: Path | None = None
    notify: tuple[Target, ...] = ()
    notify_scaling: bool = False
