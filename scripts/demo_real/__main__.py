"""`scripts/demo --real`: status 0 where the agent scaled up and back, else 1; 130 on Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

from rich.console import Console

from scripts.demo_real.agent import USUAL_PORT
from scripts.demo_real.display import Display, Scene
from scripts.demo_real.errors import DemoError
from scripts.demo_real.lines import Lines
from scripts.demo_real.load import WHAT_IT_IS
from scripts.demo_real.observe import Observer
from scripts.demo_real.picture import Picture
from scripts.demo_real.play import QUIET_DEMAND, Show
from scripts.demo_real.stage import LIMIT, SERVICE, Stage, built, remove_rest
from scripts.demo_real.summary import summarize
from tests.real.lab import ApiError, LabError, missing_requirements

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TARGET, _MAX = 0.5, 6  # of rules/demo.yml


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo --real", description=__doc__)
    parser.add_argument("--hold", action="store_true", help="go on after the show until Ctrl-C")
    parser.add_argument("--plain", action="store_true", help="lines, also on a terminal")
    options = parser.parse_args()
    missing = missing_requirements()
    if missing:
        print("The demo needs a Docker Engine of its own, and cannot start one here:")
        print("\n".join(f"  - {sentence}" for sentence in missing))
        print("As root on Debian or Ubuntu, scripts/demo --real installs what is missing.")
        return 1
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    console = Console(highlight=False)
    lines = Lines(time.monotonic())
    try:
        with built(lines.say, QUIET_DEMAND) as stage:
            try:
                _perform(stage, console, lines, plain=options.plain, hold=options.hold)
            finally:
                _ignore_signals()  # from here on all is tidying
    except KeyboardInterrupt:
        lines.say("interrupted")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody listens any more
        return 1
    except (DemoError, LabError, ApiError, OSError) as error:
        lines.say(f"the demo failed: {error}")
        return 1
    finally:
        _ignore_signals()
        remove_rest()
        lines.say("agent, engine and all they made are gone")
    return 0


def _perform(stage: Stage, console: Console, lines: Lines, *, plain: bool, hold: bool) -> None:
    """The show; raises DemoError where the agent did not scale up and back."""
    address = _address(stage)
    version = stage.swarm.manager.api("GET", "/version")["Version"]
    lines.say(f"the Swarm is up (engine {version}), service {SERVICE} has 1 task, the agent runs:")
    lines.say(f"  swarm-monitor run --docker {stage.agent.docker} --rules rules/")
    lines.say(f"the load: {WHAT_IT_IS}")
    lines.say(f"the rule (rules/demo.yml): {_TARGET:.0%} of the {LIMIT} cores each task may use")
    lines.say(address)
    display: Display = lines
    if console.is_terminal and not plain:
        display = Picture(
            console, limit=LIMIT, target=_TARGET, top=_MAX, address=address, began=lines.began
        )
    show = Show(Observer(stage.swarm, stage.agent, SERVICE), stage.load, display)
    try:
        show.play()
        if hold and show.result.whole:
            summarize(console, show.result, lines.began)
            display.begin(_holding(stage))
            with contextlib.suppress(KeyboardInterrupt):
                show.hold()
            return
    finally:
        display.close()
    summarize(console, show.result, lines.began)
    if not show.result.whole:
        raise DemoError("the agent did not scale up and back in time")


def _address(stage: Stage) -> str:
    command = f".venv/bin/swarm-monitor why {SERVICE}"
    if stage.agent.port != USUAL_PORT:
        command += f" --agent {stage.agent.url}"
    return f"look: {stage.agent.url}/ and {stage.agent.url}/metrics\n      {command}"


def _holding(stage: Stage) -> Scene:
    file = stage.load.demand_file
    return Scene("Hold", f"until Ctrl-C. Make a load of your own: echo 0.9 > {file}")


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # Once is enough: a second Ctrl-C would only disturb the tidying.
    del number, frame
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
