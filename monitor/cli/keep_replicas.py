"""`keep-replicas`: a compose file with the replica counts that run now."""

import sys
from pathlib import Path
from typing import Any

from monitor.cli.client import AskError, ask
from monitor.cli.compose import ComposeError, declared_services, stack_name, with_replicas


def run_keep_replicas(agent: str, path: Path, stack: str | None) -> int:
    """Prints the file with live counts to standard output, what changed to standard error.

    Everything else in the file stays as it is, comments included. Exit code: 0; 1 where the
    agent could not be asked; 2 where the file or the stack's name is not usable. Nothing is
    printed to standard output then, so that a pipe into `docker stack deploy` deploys nothing.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        names = declared_services(text)
        live = _live(ask(agent, "/api/v1/status")["services"])
        chosen = stack or stack_name(text) or _guessed_stack(names, live)
        counts = {name: live[chosen][name] for name in names if name in live.get(chosen, {})}
        changed, notes = with_replicas(text, counts)
    except AskError as error:
        print(f"swarm-monitor keep-replicas: {error}", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError, ComposeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        print(f"swarm-monitor keep-replicas: {path}: {said}", file=sys.stderr)
        return 2
    for note in notes:
        print(f"{chosen}_{note}", file=sys.stderr)
    print(changed, end="")
    return 0


def _live(services: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Replicas by stack and by the service's name within it; replicated services alone."""
    live: dict[str, dict[str, int]] = {}
    for service in services:
        stack = service["stack"]
        if stack and service["mode"] == "replicated":
            short = service["name"].removeprefix(f"{stack}_")
            live.setdefault(stack, {})[short] = service["desired"]
    return live


def _guessed_stack(names: list[str], live: dict[str, dict[str, int]]) -> str:
    """The only stack that has services of these names; a stack not deployed yet has none."""
    matching = sorted(stack for stack, services in live.items() if services.keys() & set(names))
    if len(matching) > 1:
        raise ComposeError(
            f"stacks {', '.join(matching)} all have services of these names: say which with "
            "--stack NAME"
        )
    return matching[0] if matching else ""
