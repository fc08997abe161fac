"""What `demo` does: the simulated Swarm, the agent and the screen."""

import asyncio
import shutil
import sys
from pathlib import Path

from rich.console import Console

from monitor.agent.logs import configure_logs
from monitor.cli.simulate_run import loads_address, real_clock, refuse, stop_on_signals
from monitor.demo.run import TOKEN, DemoOptions, run_demo, shipped_rules
from monitor.demo.show import Display, Lines, Picture
from monitor.simulate.http.server import CannotServe
from monitor.simulate.pace import run_paced
from monitor.simulate.scenario.load import Loaded, load_scenario
from monitor.web.server import USUAL_PORT, CannotListen


def run_the_demo(
    *,
    nodes: int | None,
    scenario: Path | None,
    rules: list[Path] | None,
    port: int | None,
    loads: str | None,
    speed: float,
    seconds: float | None,
    plain: bool,
) -> int:
    """Until it is told to end. Exit code 1: a wrong scenario, or nothing can listen."""
    loaded = load_scenario(scenario)
    if loaded.scenario is None:
        return refuse(loaded)
    for path in rules or ():
        if not path.exists():
            print(f"swarm-monitor demo: {path}: no such file or folder", file=sys.stderr)
            return 1
    options = DemoOptions(
        loaded=loaded,
        rules=tuple(rules or [shipped_rules()]),
        nodes=nodes,
        port=port,
        loads=loads_address(loads),
        speed=speed,
        seconds=seconds,
    )
    configure_logs(None, "error")  # what the agent does is on the screen
    return run_paced(_demo(options, plain=plain), speed)


async def _demo(options: DemoOptions, *, plain: bool) -> int:
    console = Console(highlight=False)
    began = asyncio.get_running_loop().time()
    stop = asyncio.Event()
    stop_on_signals(stop)

    def opener(url: str, path: Path) -> Display:
        foot = _where_to_look(url, path, options)
        if console.is_terminal and not plain:
            return Picture(console, began, foot)
        lines = Lines(console, began)
        lines.say(f"a simulated Swarm and the agent run, with the rules of {options.rules[0]}")
        lines.say(foot)
        return lines

    scenario = options.loaded.scenario
    code = 0
    try:
        await run_demo(options, real_clock(scenario.seed if scenario else 0), stop, opener)
    except* (CannotListen, CannotServe) as errors:
        for error in errors.exceptions:
            print(f"swarm-monitor demo: {error}", file=sys.stderr)
        code = 1
    else:
        console.print("the simulated Swarm is gone", markup=False)
    return code


def _where_to_look(url: str, path: Path, options: DemoOptions) -> str:
    hurried = "" if options.speed == 1 else f" (time goes {options.speed:g} times as fast)"
    command, name = _own_command(), _a_service(options.loaded)
    agent = "" if url.endswith(f":{USUAL_PORT}") else f" --agent {url}"
    return (
        f"page {url}/   metrics {url}/metrics{hurried}\n"
        f"why a service was scaled or not: {command} why {name}{agent}\n"
        f"hands off (token {TOKEN}): SWARM_MONITOR_TOKEN={TOKEN} {command} pause {name}{agent}\n"
        f"disturb it: docker -H unix://{path} service update --image shop/{name}:2 {name}"
    )


def _own_command() -> str:
    """How it is started here: out of a clone its environment is on nobody's PATH."""
    usual = "swarm-monitor"
    beside = Path(sys.executable).parent / usual
    if shutil.which(usual) or not beside.exists():
        return usual
    near = Path.cwd()
    return str(beside.relative_to(near)) if beside.is_relative_to(near) else str(beside)


def _a_service(loaded: Loaded) -> str:
    """One to try commands on: web, or the first that there is."""
    names = [service.name for service in loaded.scenario.services] if loaded.scenario else []
    return "web" if "web" in names or not names else names[0]
