"""`run`: checks the options, sets up logs, and runs the agent."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from monitor.agent.logs import FORMATS, LEVELS, configure_logs
from monitor.agent.run import run_agent
from monitor.agent.settings import Settings
from monitor.cli.token import TOKEN_VARIABLE
from monitor.control.ceiling import DEFAULT_WRITES_PER_MINUTE
from monitor.control.restarts import DEFAULT_RESTARTS_AT_ONCE
from monitor.engine.address import parse_address as parse_engine_address
from monitor.export.family import TaskLabels
from monitor.notify.target import Target, TargetError, parse_targets
from monitor.rulefile.label_limits import LabelCeilings
from monitor.sources.fault import SourceFault
from monitor.web.door import TokenSource
from monitor.web.server import parse_address

DEFAULT_DOCKER = "unix:///var/run/docker.sock"
DEFAULT_LISTEN = "0.0.0.0:9580"
DEFAULT_FLEET_LISTEN = "0.0.0.0:9581"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of `run` as they were given."""

    docker: str
    rules: tuple[Path, ...]
    listen: str
    dry_run: bool
    log_format: str | None
    log_level: str
    cgroup_root: Path
    proc_root: Path
    service_labels: tuple[str, ...]
    node_labels: tuple[str, ...]
    task_labels: str
    service_id: str | None
    prometheus: str | None = None
    label_rules: bool = True
    label_max_replicas: int = 20
    label_urls: bool = False
    label_restarts: bool = True
    writes_per_minute: int = DEFAULT_WRITES_PER_MINUTE
    restarts_at_once: int = DEFAULT_RESTARTS_AT_ONCE
    token_file: Path | None = None
    fleet_listen: str = DEFAULT_FLEET_LISTEN
    secret_file: Path | None = None
    data: Path | None = None
    notify: tuple[str, ...] = ()
    notify_scaling: bool = False


class OptionError(ValueError):
    """An option is wrong; `str()` says which and what to write instead."""


def run_run(options: RunOptions) -> int:
    """Exit code: 0 stopped in order, 1 failed, 2 an option is wrong."""
    try:
        settings = settings_from(options)
    except OptionError as error:
        print(f"swarm-monitor run: {error}", file=sys.stderr)
        return 2
    configure_logs(options.log_format, options.log_level)
    doubt = token_doubt(settings)
    if doubt is not None:
        log = structlog.get_logger("monitor.agent")
        log.warning("the token cannot be read: nobody may pause or resume until it can", why=doubt)
    return run_agent(settings)


def token_doubt(settings: Settings) -> str | None:
    """Why the token cannot be read now; no error, for it is read again at each use."""
    try:
        TokenSource(settings.token_file, settings.token).read()
    except SourceFault as fault:
        return str(fault)
    return None


def settings_from(options: RunOptions) -> Settings:
    """Raises OptionError."""
    host, port = _listen("--listen", options.listen)
    fleet_host, fleet_port = _listen("--fleet-listen", options.fleet_listen)
    _one_of("--task-labels", options.task_labels, [str(mode) for mode in TaskLabels])
    _one_of("--log-format", options.log_format or FORMATS[0], FORMATS)
    _one_of("--log-level", options.log_level, LEVELS)
    return Settings(
        docker=_docker(options.docker),
        rules=options.rules,
        host=host,
        port=port,
        dry_run=options.dry_run,
        cgroup_root=options.cgroup_root,
        proc_root=options.proc_root,
        own_service_id=options.service_id,
        prometheus=_prometheus(options.prometheus),
        service_labels=options.service_labels,
        node_labels=options.node_labels,
        task_labels=TaskLabels(options.task_labels),
        labels=LabelCeilings(
            enabled=options.label_rules,
            max_replicas=options.label_max_replicas,
            allow_urls=options.label_urls,
            allow_restart=options.label_restarts,
        ),
        writes_per_minute=options.writes_per_minute,
        restarts_at_once=options.restarts_at_once,
        token_file=options.token_file,
        token=os.environ.get(TOKEN_VARIABLE, ""),
        fleet_host=fleet_host,
        fleet_port=fleet_port,
        secret_file=options.secret_file,
        data=options.data,
        notify=_targets(options.notify),
        notify_scaling=options.notify_scaling,
    )


def _listen(option: str, address: str) -> tuple[str, int]:
    try:
        return parse_address(address)
    except ValueError as error:
        raise OptionError(f"{option}: {error}") from None


def _docker(url: str) -> str:
    """Checks the address; a bare path is taken as a Unix socket's."""
    full = f"unix://{url}" if url.startswith("/") else url
    try:
        parse_engine_address(full)
    except ValueError as error:
        raise OptionError(f"--docker: {error}") from None
    return full


def _prometheus(url: str | None) -> str | None:
    """Checks the address; "" is as good as none."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise OptionError("--prometheus: write the server's URL, as in http://prometheus:9090")
    return url


def _targets(texts: tuple[str, ...]) -> tuple[Target, ...]:
    try:
        return parse_targets(texts)
    except TargetError as error:
        raise OptionError(f"--notify: {error}") from None


def _one_of(option: str, given: str, known: list[str] | tuple[str, ...]) -> None:
    if given not in known:
        raise OptionError(f"{option} {given!r}: write one of {', '.join(known)}")
