"""`run --notify` from its variable, as stack.yml sets it."""

import pytest
from typer.testing import CliRunner

from monitor.cli import main
from monitor.cli.run import OptionError, RunOptions, settings_from


def given(monkeypatch: pytest.MonkeyPatch, value: str) -> RunOptions:
    """What the command was run with."""
    seen: list[RunOptions] = []
    monkeypatch.setenv("SWARM_MONITOR_NOTIFY", value)
    monkeypatch.setattr(main, "run_run", lambda options: seen.append(options) or 0)
    assert CliRunner().invoke(main.app, ["run"]).exit_code == 0
    return seen[0]


def test_an_empty_variable_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is what a deploy without it sets."""
    assert settings_from(given(monkeypatch, "")).notify == ()


def test_several_are_separated_by_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """URLs and files that hold them, side by side."""
    value = "alertmanager=http://alerts:9093  slack=/run/secrets/swarm-monitor-notify"
    targets = settings_from(given(monkeypatch, value)).notify
    assert [target.name for target in targets] == ["alertmanager", "slack"]


def test_nonsense_is_said_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the option's name, before anything runs."""
    with pytest.raises(OptionError, match="--notify"):
        settings_from(given(monkeypatch, "pigeon=http://a"))
