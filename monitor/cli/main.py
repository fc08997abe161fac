"""The command `swarm-monitor`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor import __version__
from monitor.cli.ask import run_ps, run_status, run_why
from monitor.cli.check import run_check, run_schema
from monitor.cli.client import DEFAULT_AGENT
from monitor.cli.demo import demo
from monitor.cli.keep_replicas import run_keep_replicas
from monitor.cli.operate import explain, pause, resume, rollback, unpark
from monitor.cli.options import AgentUrl, AsJson, TokenFile
from monitor.cli.replay import replay
from monitor.cli.run import (
    DEFAULT_DOCKER,
    DEFAULT_FLEET_LISTEN,
    DEFAULT_LISTEN,
    RunOptions,
    run_run,
)
from monitor.cli.simulate import simulate
from monitor.control.ceiling import DEFAULT_WRITES_PER_MINUTE
from monitor.control.restarts import DEFAULT_RESTARTS_AT_ONCE

app = typer.Typer(
    name="swarm-monitor",
    help="Watches a Docker Swarm as it happens, exports it to Prometheus, "
    "and scales and heals services by YAML rules.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"swarm-monitor {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # printed by its callback


@app.command()
def run(  # noqa: PLR0917  # each is an option of the command
    docker: Annotated[
        str,
        typer.Option(
            envvar="SWARM_MONITOR_DOCKER", metavar="URL", help="The local engine's socket or URL."
        ),
    ] = DEFAULT_DOCKER,
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            envvar="SWARM_MONITOR_RULES",
            metavar="PATH",
            help="A rule file or a folder of them, watched while running. May be given again. "
            "Without it the agent only watches and exports.",
        ),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            envvar="SWARM_MONITOR_LISTEN",
            metavar="HOST:PORT",
            help="Where /metrics, the API and the page are served.",
        ),
    ] = DEFAULT_LISTEN,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            envvar="SWARM_MONITOR_DRY_RUN",
            help="Decide everything, write nothing.",
        ),
    ] = False,
    log_format: Annotated[
        str | None,
        typer.Option(
            envvar="SWARM_MONITOR_LOG_FORMAT",
            metavar="json|console",
            help="Console on a terminal, JSON else.",
            show_default=False,
        ),
    ] = None,
    log_level: Annotated[
        str,
        typer.Option(envvar="SWARM_MONITOR_LOG_LEVEL", metavar="debug|info|warning|error"),
    ] = "info",
    cgroup_root: Annotated[
        Path,
        typer.Option(
            envvar="SWARM_MONITOR_CGROUP_ROOT",
            help="Where the host's /sys/fs/cgroup is seen (a mount, in a container).",
        ),
    ] = Path("/sys/fs/cgroup"),
    proc_root: Annotated[
        Path,
        typer.Option(
            envvar="SWARM_MONITOR_PROC_ROOT",
            help="Where the host's /proc is seen (a mount, in a container).",
        ),
    ] = Path("/proc"),
    service_label: Annotated[
        list[str] | None,
        typer.Option(
            envvar="SWARM_MONITOR_SERVICE_LABELS",
            help="A service label to export in swarm_service_labels. May be given again.",
        ),
    ] = None,
    node_label: Annotated[
        list[str] | None,
        typer.Option(
            envvar="SWARM_MONITOR_NODE_LABELS",
            help="A node label to export in swarm_node_labels. May be given again.",
        ),
    ] = None,
    task_labels: Annotated[
        str,
        typer.Option(
            envvar="SWARM_MONITOR_TASK_LABELS",
            metavar="task|slot",
            help="Tell series of tasks apart by task id, or by slot: fewer series.",
        ),
    ] = "task",
    prometheus: Annotated[
        str | None,
        typer.Option(
            envvar="SWARM_MONITOR_PROMETHEUS",
            metavar="URL",
            help="The Prometheus server that metrics of rules are asked of, if they name no other.",
            show_default=False,
        ),
    ] = None,
    label_rules: Annotated[
        bool,
        typer.Option(
            "--label-rules/--no-label-rules",
            envvar="SWARM_MONITOR_LABEL_RULES",
            help="Whether services may bring rules along in their labels.",
        ),
    ] = True,
    label_max_replicas: Annotated[
        int,
        typer.Option(
            min=1,
            max=10_000,
            envvar="SWARM_MONITOR_LABEL_MAX_REPLICAS",
            help="No rule in labels scales beyond this.",
        ),
    ] = 20,
    label_urls: Annotated[
        bool,
        typer.Option(
            "--label-urls/--no-label-urls",
            envvar="SWARM_MONITOR_LABEL_URLS",
            help="Whether rules in labels may name servers for the agent to ask.",
        ),
    ] = False,
    label_restarts: Annotated[
        bool,
        typer.Option(
            "--label-restarts/--no-label-restarts",
            envvar="SWARM_MONITOR_LABEL_RESTARTS",
            help="Whether rules in labels may restart their service.",
        ),
    ] = True,
    max_writes_per_minute: Annotated[
        int,
        typer.Option(
            min=1,
            max=100_000,
            envvar="SWARM_MONITOR_MAX_WRITES_PER_MINUTE",
            help="How many writes in a minute the whole Swarm has to bear; more wait their turn.",
        ),
    ] = DEFAULT_WRITES_PER_MINUTE,
    max_restarts_at_once: Annotated[
        int,
        typer.Option(
            min=1,
            max=100_000,
            envvar="SWARM_MONITOR_MAX_RESTARTS_AT_ONCE",
            help="How many tasks of the whole Swarm rules may restart at once; more wait.",
        ),
    ] = DEFAULT_RESTARTS_AT_ONCE,
    token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="SWARM_MONITOR_TOKEN_FILE",
            metavar="FILE",
            help="Holds the token that whoever pauses or resumes must show; read at each use. "
            "Without one (or SWARM_MONITOR_TOKEN) nobody may.",
            show_default=False,
        ),
    ] = None,
    fleet_listen: Annotated[
        str,
        typer.Option(
            envvar="SWARM_MONITOR_FLEET_LISTEN",
            metavar="HOST:PORT",
            help="Where this agent streams its node's samples and events to managers' agents.",
        ),
    ] = DEFAULT_FLEET_LISTEN,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            envvar="SWARM_MONITOR_SECRET_FILE",
            metavar="FILE",
            help="Holds the secret that all agents of the Swarm share. Without it agents do not "
            "talk to each other, and each knows its own node's usage alone.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="SWARM_MONITOR_DATA",
            metavar="DIR",
            help="A folder for the history of decisions, so that `why` knows what was before a "
            "restart. Without it history is kept in memory alone.",
            show_default=False,
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            envvar="SWARM_MONITOR_NOTIFY",
            metavar="FORM=URL|FILE",
            help="Who is told of actions, failures and open problems: webhook, slack or "
            "alertmanager, and its URL or a file that holds it; several times for several.",
            show_default=False,
        ),
    ] = None,
    notify_scaling: Annotated[
        bool,
        typer.Option(
            "--notify-scaling/--no-notify-scaling",
            envvar="SWARM_MONITOR_NOTIFY_SCALING",
            help="Whether they are told of each scaling, too.",
        ),
    ] = False,
    service_id: Annotated[
        str | None,
        typer.Option(
            envvar="SWARM_MONITOR_SERVICE_ID",
            help="The service this agent runs as, if it cannot find out itself.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the agent until SIGTERM or Ctrl-C."""
    options = RunOptions(
        docker=docker,
        rules=tuple(rules or ()),
        listen=listen,
        dry_run=dry_run,
        log_format=log_format,
        log_level=log_level,
        cgroup_root=cgroup_root,
        proc_root=proc_root,
        service_labels=tuple(service_label or ()),
        node_labels=tuple(node_label or ()),
        task_labels=task_labels,
        service_id=service_id,
        writes_per_minute=max_writes_per_minute,
        restarts_at_once=max_restarts_at_once,
        token_file=token_file,
        fleet_listen=fleet_listen,
        secret_file=secret_file,
        data=data,
        prometheus=prometheus,
        label_rules=label_rules,
        label_max_replicas=label_max_replicas,
        label_urls=label_urls,
        label_restarts=label_restarts,
        notify=tuple(notify or ()),
        notify_scaling=notify_scaling,
    )
    raise typer.Exit(run_run(options))


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
) -> None:
    """Check rule files: one line per problem, `file:line:col: message`; exit 1 if there are any."""
    raise typer.Exit(run_check(paths))


@app.command("test")
def rule_tests(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="*.test.yml files, or folders of them.")
    ],
) -> None:
    """Run unit tests of rules on virtual time: series in, expectations at times."""
    # Only here: `run` would hold for good what rule tests need.
    from monitor.cli.ruletest import run_rule_tests  # noqa: PLC0415

    raise typer.Exit(run_rule_tests(paths))


@app.command()
def schema() -> None:
    """Print the JSON Schema of rule files, for editors."""
    raise typer.Exit(run_schema())


@app.command()
def status(agent: AgentUrl = DEFAULT_AGENT, as_json: AsJson = False) -> None:
    """Show the Swarm, its services and the rules at a glance."""
    raise typer.Exit(run_status(agent, as_json=as_json))


@app.command()
def top(
    agent: AgentUrl = DEFAULT_AGENT,
    interval: Annotated[
        float,
        typer.Option(min=0.5, max=3600.0, metavar="SECONDS", help="Between two looks."),
    ] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help="Print once and end, as without a terminal.")
    ] = False,
) -> None:
    """Show what `status` shows, live, until Ctrl-C."""
    from monitor.cli.top import run_top  # noqa: PLC0415  # `run` holds nothing of it

    raise typer.Exit(run_top(agent, interval=interval, once=once))


@app.command()
def ps(
    service: Annotated[str, typer.Argument(help="The service's name.")],
    logs: Annotated[
        bool,
        typer.Option(
            "--logs",
            help="With the last log lines of ended tasks, of a service with the label "
            "swarm-monitor.logs=20. Needs the token.",
        ),
    ] = False,
    agent: AgentUrl = DEFAULT_AGENT,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List a service's tasks, also those that the Swarm has forgotten, with why they ended."""
    raise typer.Exit(run_ps(agent, service, logs=logs, token_file=token_file, as_json=as_json))


@app.command()
def why(
    service: Annotated[str, typer.Argument(help="The service's name, or a node's.")],
    agent: AgentUrl = DEFAULT_AGENT,
    rule: Annotated[str | None, typer.Option(help="Only decisions of this rule.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many decisions.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Say why a service was scaled or restarted or a node drained, or was not."""
    raise typer.Exit(run_why(agent, service, rule=rule, limit=limit, as_json=as_json))


@app.command("keep-replicas")
def keep_replicas(
    compose: Annotated[
        Path, typer.Argument(metavar="COMPOSE.yml", help="A compose file, or - for standard input.")
    ],
    stack: Annotated[
        str | None, typer.Option(help="The stack's name, where the file's services do not tell.")
    ] = None,
    agent: AgentUrl = DEFAULT_AGENT,
) -> None:
    """Print a compose file with the replica counts that run now, so that a deploy keeps them.

    swarm-monitor keep-replicas shop.yml | docker stack deploy -c - shop
    """
    raise typer.Exit(run_keep_replicas(agent, compose, stack))


for command in (pause, resume, rollback, unpark, explain, replay, simulate, demo):
    app.command()(command)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
