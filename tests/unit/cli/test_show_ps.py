import io
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from monitor.cli.show_ps import show_ps
from monitor.web.ps import present_task
from tests.unit.web.test_ps import DEAD, LIVE

LATER = datetime.fromtimestamp(62.0, UTC)


def shown(*tasks) -> list[str]:
    console = Console(file=io.StringIO(), width=180)
    show_ps(console, [present_task(task) for task in tasks], LATER)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_a_line_says_what_became_of_a_task_and_why():
    """One line per task, in the order of the answer."""
    head, live, dead = shown(LIVE, DEAD)
    assert head.startswith("id slot node image desired state since exit cause evidence")
    assert live == "t2 work:1 running pending 1 min ago"
    assert dead == "t1 2 m1 work:1 shutdown failed 1 min ago 137 oom the kernel killed in it"


def test_ages_are_told_in_one_unit():
    """As long as it has been, never less than nothing where clocks differ."""
    ages = [shown(replace(DEAD, since=since))[1] for since in (61.0, 90.0, 62.0 - 7200)]
    assert ["1 s ago" in ages[0], "0 s ago" in ages[1], "2 h ago" in ages[2]] == [True] * 3


def test_no_tasks_is_said():
    """Rather than an empty table."""
    assert shown() == ["no tasks"]


def test_what_a_container_or_image_is_called_is_no_markup():
    """Names come from whoever may deploy."""
    odd = replace(DEAD, image="[red]x", evidence="[bold]no[/bold]", node_name="[/]")
    line = shown(odd)[1]
    assert "[red]x" in line
    assert "[bold]no[/bold]" in line
    assert "[/]" in line


def test_log_lines_stand_below_the_table_as_they_are():
    """No markup, no wrapping; why there are none; nothing of tasks that were not asked about."""
    console = Console(file=io.StringIO(), width=40)
    lines = ["[red]" + "x" * 60, ""]
    tasks = [
        present_task(LIVE) | {"log": None},
        present_task(DEAD) | {"log": {"lines": lines, "why": None}},
        present_task(DEAD) | {"log": {"lines": [], "why": "it was removed"}},
    ]
    show_ps(console, tasks, LATER)
    printed = [line.rstrip() for line in console.file.getvalue().splitlines()]
    at = printed.index("log of t1, slot 2")
    assert printed[at + 1 :] == [
        "  [red]" + "x" * 60,
        "",
        "",
        "log of t1, slot 2: it was removed",
    ]
