"""The command `replay`."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli.main import app

RULES = """\
version: 1
rules:
  - name: web
    services: [web]
    scale:
      min: 1
      max: 10
      metrics: [{type: cpu, target: 60%}]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "other.yml").write_text(RULES.replace("60%", "80%"))
    lines = (f"2026-01-01 {n // 60:02}:{n % 60:02},{100 + 900 * (20 < n < 40)}" for n in range(60))
    (tmp_path / "load.csv").write_text("time,requests\n" + "\n".join(lines) + "\n")
    return tmp_path


def replayed(place: Path, *more: str, rules: str = "rules.yml"):
    words = ["replay", str(place / rules), "--trace", str(place / "load.csv"), *more]
    if "--report" not in more:
        words += ["--report", str(place / "replay.html")]
    return CliRunner().invoke(app, words)


def test_figures_stand_side_by_side_and_charts_in_a_page(place: Path) -> None:
    """A column per contender and one for the ideal; the page is one file that loads nothing."""
    result = replayed(place, "--against", str(place / "other.yml"), "--against", "hpa")
    assert result.exit_code == 0, result.output
    assert re.search(r"web +web \(other.yml\) +HPA defaults +ideal", result.stdout)
    assert re.search(r"accuracy θU +\d+\.\d\d %", result.stdout)
    assert "carries the peak" in result.stdout
    assert f"charts are in {place / 'replay.html'}" in result.stderr
    page = (place / "replay.html").read_text()
    assert page.count("<svg") == 5  # the whole hour, and its quarters
    assert "<title>00:21:0" in page
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)
    assert "width=device-width" in page


def test_json_is_for_programs(place: Path) -> None:
    """Every figure by its key, every change with its reason, and nothing else on stdout."""
    result = replayed(place, "--json", "--per-replica", "200", "--report", "-")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["terms"]["per_replica"] == 200
    assert found["trace"]["points"] == 60
    [run] = found["runs"]
    assert run["actions"] == len(run["steps"]) > 0
    assert {"under_accuracy", "over_timeshare", "instability", "replica_hours"} <= run.keys()
    assert run["steps"][0]["reason"] == "above_target"
    assert not (place / "replay.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rule", "api"], "holds no rule api; its scale rules are web"),
        (["--against", "nowhere.yml"], "nowhere.yml is no file, and no rule of"),
        (["--column", "cost"], "no column cost: it has requests"),
        (["--from", "yesterday"], "'yesterday' is no moment"),
        (["--from", "2027-01-01"], "no points there"),
        (["--per-replica", "0"], "--per-replica must be more than 0, not 0"),
        (["--good-until", "0%"], "--good-until must be more than 0% and at most 100%"),
        (["--report", "/nonexistent/a.html"], "/nonexistent/a.html cannot be written"),
    ],
)
def test_what_cannot_be_used_is_told(place: Path, words: list[str], message: str) -> None:
    """Exit code 1 and one sentence on stderr."""
    result = replayed(place, *words)
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--for", "7"], "--for"),
        (["--start-time", "soon"], "--start-time"),
        (["--good-until", "0.8"], "--good-until"),
        (["--cpu", "0"], "0.001"),
    ],
)
def test_options_that_are_spelled_wrong_are_told(
    place: Path, words: list[str], message: str
) -> None:
    """Exit code 2, as for any command, with the option's name."""
    result = replayed(place, *words)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (RULES.replace("type: cpu, target: 60%", "type: memory, target: 60%"), "--memory"),
        (RULES.replace("type: cpu, target: 60%", "type: network_receive, target: 1MiB"), "network"),
        (RULES + RULES.split("rules:\n")[1].replace("web", "api"), "--rule one of api, web"),
        (
            RULES.partition("scale:")[0] + "restart: {when: {memory_above: 90%, for: 5m}}\n",
            "holds no scale rule",
        ),
        (RULES.replace("max: 10", "max: ten"), "rules.yml:7:12"),
    ],
)
def test_rules_that_cannot_be_replayed_are_told(place: Path, rules: str, message: str) -> None:
    """What a load trace says nothing about, what is ambiguous and what is wrong."""
    (place / "rules.yml").write_text(rules)
    result = replayed(place)
    assert result.exit_code == 1
    assert message in result.stderr


def test_what_tasks_use_of_memory_can_be_said(place: Path) -> None:
    """With --memory a rule with a memory metric is replayed; the CPU's proposal wins."""
    both = "{type: cpu, target: 60%}, {type: memory, target: 200MiB}"
    (place / "rules.yml").write_text(RULES.replace("{type: cpu, target: 60%}", both))
    assert replayed(place, "--memory", "100MiB").exit_code == 0
