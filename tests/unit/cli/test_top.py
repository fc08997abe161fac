"""`top`: in place on a terminal, once without one, and it goes on without its agent."""

import io
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from rich.console import Console

from monitor.cli.client import AskError
from monitor.cli.top import show_live, show_once
from monitor.web.present import present_status
from monitor.web.state import NodeStatus, ServiceStatus, Status

NODE = NodeStatus("n1", "m1", "manager", "ready", "active", leader=True)


def status(running: int) -> Any:
    service = ServiceStatus("s1", "web", "replicated", desired=9, running=running)
    return present_status(Status(nodes=(NODE,), services=(service,)))


def questions(*answers: Any) -> Any:
    """Gives or raises them in turn."""
    left: Iterator[Any] = iter(answers)

    def ask() -> Any:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return ask


def frames(*answers: Any) -> list[str]:
    """What a terminal is shown after each answer; ended by Ctrl-C."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=30, color_system=None)
    shown: list[str] = []
    before = 0

    def pause() -> None:
        nonlocal before
        shown.append(out.getvalue()[before:])
        before = len(out.getvalue())
        if len(shown) == len(answers):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_live(console, questions(*answers), pause)
    end = out.getvalue()[before:]
    assert "\x1b[?1049l" in end  # the screen as it was before
    assert "\x1b[?25h" in end  # with its cursor
    return shown


def test_each_answer_takes_the_place_of_the_one_before() -> None:
    """On one screen: the cursor goes home, nothing scrolls."""
    first, second = frames(status(3), status(5))
    assert "3/9" in first
    assert second.startswith("\x1b[H")
    assert "5/9" in second
    assert "3/9" not in second


def test_without_its_agent_it_says_so_and_goes_on() -> None:
    """What was known stays, marked as old; the next answer ends that."""
    away = AskError("no agent answers at http://m1:9580")
    never, known, lost, still, back = frames(away, status(3), away, away, status(4))
    assert "no agent answers at http://m1:9580" in never
    assert "may be over" not in never
    assert "no agent answers" not in known
    assert "may be over by now" in lost
    assert "3/9" in lost
    assert "2 times in a row" in still
    assert "no agent answers" not in back
    assert "4/9" in back


def test_more_than_fits_is_cut_off() -> None:
    """A screen of 30 lines stays one, however many services there are."""
    services = tuple(ServiceStatus(f"s{n}", f"web{n}", "replicated", 1, 1) for n in range(200))
    many = present_status(Status(services=services))
    _, shown = frames(many, many)
    assert shown.count("\n") < 30


def test_without_a_terminal_it_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain text, and 1 where nobody answers."""
    out = io.StringIO()
    assert show_once(Console(file=out, width=100), questions(status(3))) == 0
    assert "3/9" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert show_once(Console(file=out), questions(AskError("nobody there"))) == 1
    assert "nobody there" in capsys.readouterr().err


def test_ctrl_c_ends_the_command_in_order() -> None:
    """On a real terminal, with nobody at the address: no traceback, exit code 0."""
    with socket.socket() as taken:  # bound and not listening: refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "monitor.cli.main", "top", "--agent", url]
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=_terminal()
        )
        os.close(theirs)
        try:
            seen = b""
            while b"asking again" not in seen:
                seen += os.read(ours, 65536)
            process.send_signal(signal.SIGINT)
            with suppress(OSError):  # a terminal that nobody reads from blocks who writes to it
                while os.read(ours, 65536):
                    pass
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
            os.close(ours)
    assert (process.returncode, errors) == (0, b"")


def _terminal() -> dict[str, str]:
    return os.environ | {"TERM": "xterm", "COLUMNS": "200", "LINES": "40"}
