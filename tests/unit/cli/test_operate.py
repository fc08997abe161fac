"""`pause`, `resume`, `explain`, `status` and `why` against a server in this process."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from monitor.cli.main import app
from monitor.model.pause import Pause, PauseScope
from monitor.web.app import build_app
from monitor.web.door import Door, TokenSource
from monitor.web.server import serve
from monitor.web.state import RuleStatus, ServiceStatus, Status
from tests.unit.export.things import decision
from tests.unit.web.test_operator import CPU, OWN_SERVER, RULE, TOKEN, OperatedState


@dataclass
class Shell:
    """Runs commands against an agent at `url`; the token is in the environment if at all."""

    state: OperatedState
    url: str

    async def __call__(self, *words: str, token: str | None = TOKEN) -> Result:
        # None takes a variable away that the person who runs the tests may have set.
        environment = dict.fromkeys(
            name for name in os.environ if name.startswith("SWARM_MONITOR_")
        )
        environment |= {"SWARM_MONITOR_AGENT": self.url, "SWARM_MONITOR_TOKEN": token}
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)


@pytest.fixture
async def shell() -> AsyncIterator[Shell]:
    state = OperatedState()
    state.now = Status(
        services=tuple(
            ServiceStatus(name, name, "replicated", 1, 1) for name in ("web", "api", "twin")
        ),
        rules=tuple(RuleStatus(name, "scale", "act") for name in ("load", "twin")),
    )
    door = Door(TokenSource(direct=TOKEN))
    async with serve(build_app(state, door), "127.0.0.1", 0) as port:
        yield Shell(state, f"http://127.0.0.1:{port}")


def one_line(text: str) -> str:
    """Without the terminal's line breaks."""
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize(
    ("words", "scope", "name", "seconds"),
    [
        (["web", "--for", "2h"], PauseScope.SERVICE, "web", 7200.0),
        (["load"], PauseScope.RULE, "load", None),
        (["--service", "twin"], PauseScope.SERVICE, "twin", None),
        (["--rule", "twin"], PauseScope.RULE, "twin", None),
        (["--all", "--for", "90s"], PauseScope.ALL, "", 90.0),
    ],
)
async def test_pausing_and_resuming(shell: Shell, words, scope, name, seconds) -> None:
    """A name is found among services and rules; one sentence says what was done."""
    done = await shell("pause", *words, "--note", "load test")
    assert done.exit_code == 0, done.output
    ((got_scope, got_name, got_seconds, note, by),) = shell.state.desk.asked
    assert (got_scope, got_name, got_seconds, note) == (scope, name, seconds, "load test")
    assert "@" in by
    assert done.output == f"{shell.state.desk.paused[0].sentence}.\n"
    target = [word for word in words if word not in ("--for", "2h", "90s")]
    done = await shell("resume", *target)
    assert done.exit_code == 0, done.output
    assert "is not paused any more.\n" in done.output
    assert shell.state.desk.paused == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["twin"], 2, "write --service twin or --rule twin"),
        (["wbe"], 1, "did you mean web"),
        ([], 2, "name one service or rule, or write --all"),
        (["web", "--all"], 2, "name one service or rule, or write --all"),
        (["--service", "a", "--rule", "b"], 2, "name one service or rule, or write --all"),
        (["web", "--for", "soon"], 1, "must be a duration such as 30s"),
    ],
)
async def test_pausing_what_is_not_one_thing(shell: Shell, words, code, said) -> None:
    """Nothing is paused, and the message says what to write."""
    done = await shell("pause", *words)
    assert done.exit_code == code
    assert said in one_line(done.stderr)
    assert shell.state.desk.paused == []


async def test_resuming_looks_among_the_pauses(shell: Shell) -> None:
    """A rule that is gone from the files can still be resumed; what is not paused is told."""
    shell.state.desk.paused = [Pause(PauseScope.RULE, "gone")]
    done = await shell("resume", "web")
    assert done.exit_code == 1
    assert "no service and no rule 'web' is paused" in one_line(done.stderr)
    assert (await shell("resume", "gone")).exit_code == 0
    shell.state.desk.paused = [Pause(scope, "twin") for scope in (PauseScope.RULE, "service")]
    done = await shell("resume", "twin")
    assert done.exit_code == 2
    assert "--rule twin" in done.stderr


async def test_the_token(shell: Shell, tmp_path: Path) -> None:
    """From a file or the environment; without or with a wrong one the agent's sentence is told."""
    done = await shell("pause", "web", token=None)
    assert done.exit_code == 1
    assert "pausing needs the agent's token" in one_line(done.stderr)
    done = await shell("pause", "web", token="wrong")
    assert (done.exit_code, "not this agent's" in done.stderr) == (1, True)
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    done = await shell("pause", "web", "--token-file", str(file), token="wrong")
    assert done.exit_code == 0
    done = await shell("pause", "web", "--token-file", str(tmp_path / "none"))
    assert done.exit_code == 1
    assert "none cannot be read" in one_line(done.stderr)
    assert "Traceback" not in done.output


async def test_status_shows_pauses(shell: Shell) -> None:
    """What is paused, until when and why, before everything else."""
    paused = Pause(PauseScope.SERVICE, "web", 1_700_049_600.0, 1_700_040_000.0, "load test", "ann")
    shell.state.now = Status(pauses=(paused,))
    done = await shell("status")
    assert "service web is paused by ann until 12:00Z: load test." in one_line(done.output)
    done = await shell("status", "--json")
    assert json.loads(done.output)["pauses"][0]["by"] == "ann"


async def test_explaining(shell: Shell, tmp_path: Path) -> None:
    """Files are checked here, then the agent is asked; --json prints the decision alone."""
    rules = tmp_path / "rules.yml"
    rules.write_text(RULE.format(name="load") + CPU)
    done = await shell("explain", str(rules), "web", token=None)
    assert done.exit_code == 0, done.output
    assert "cpu is at 95% of 60%: 2 to 4" in one_line(done.output)
    assert "note: a note" in done.output
    done = await shell("explain", str(tmp_path), "web", "--json", token=None)
    answer = json.loads(done.output)
    assert (answer["rule"], answer["action"]) == ("load", "scale_up")
    done = await shell("explain", str(rules), "wep", token=None)
    assert (done.exit_code, "did you mean web" in one_line(done.stderr)) == (1, True)


async def test_explaining_bad_files(shell: Shell, tmp_path: Path) -> None:
    """Problems are printed as `check` prints them, exit 1, and the agent is not asked."""
    rules = tmp_path / "rules.yml"
    rules.write_text("version: 1\nrules:\n- name: x\n")
    done = await shell("explain", str(rules), "web")
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{rules}:3:")
    assert shell.state.desk.explaining == 0
    done = await shell("explain", str(tmp_path / "none.yml"), "web")
    assert (done.exit_code, "no such file" in done.stdout) == (1, True)
    (tmp_path / "empty").mkdir()
    done = await shell("explain", str(tmp_path / "empty"), "web")
    assert (done.exit_code, "no rule files" in one_line(done.stderr)) == (1, True)


async def test_explaining_rules_with_servers_of_their_own(shell: Shell, tmp_path: Path) -> None:
    """The token is shown for them, and its lack is told."""
    rules = tmp_path / "rules.yml"
    rules.write_text(RULE.format(name="load") + OWN_SERVER)
    done = await shell("explain", str(rules), "web", token=None)
    assert done.exit_code == 1
    assert "servers of its own, needs the agent's token" in one_line(done.stderr)
    assert (await shell("explain", str(rules), "web")).exit_code == 0


async def test_why_shows_what_bound_it(shell: Shell) -> None:
    """One sentence on top, then rule, reason, since when, outcome, what bound and what would
    change it."""
    shell.state.kept = {"web": [decision(binding="max", would_change="max is raised")]}
    lines = (await shell("why", "web")).output.splitlines()
    assert lines[0] == "cpu is at 95% of 60%: 2 to 4"
    text = one_line(" ".join(lines))
    assert "rule load, reason above_target, action scale_up" in text
    assert "the same 61 times since 2023-11-14T22:12:20.000Z" in text
    assert "outcome: applied: late" in text
    assert "bound by: max" in text
    assert "would come out differently if: max is raised" in text


async def test_the_agent_that_is_not_there(shell: Shell) -> None:
    """One sentence that says what to do."""
    done = await shell("pause", "web", "--agent", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "no agent answers at http://127.0.0.1:9 (connection refused)" in one_line(done.stderr)
    done = await shell("resume", "web", "--agent", "127.0.0.1:9")
    assert "write http://HOST:PORT" in one_line(done.stderr)


async def test_a_compose_file_that_is_not_there(shell: Shell) -> None:
    """The file is named once, and nothing goes down the pipe into a deploy."""
    done = await shell("keep-replicas", "/nowhere/shop.yml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert one_line(done.stderr).endswith("/nowhere/shop.yml: No such file or directory")
