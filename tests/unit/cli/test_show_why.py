import io

from rich.console import Console

from monitor.cli.show_why import MOST_INPUTS, show_why
from monitor.model.decision import Input
from monitor.web.present import present_entry
from monitor.web.state import DecisionEntry
from tests.unit.export.things import decision


def shown(*entries: DecisionEntry) -> list[str]:
    console = Console(file=io.StringIO(), width=160)
    show_why(console, "web", [present_entry(entry) for entry in entries])
    text = console.file.getvalue()
    return [" ".join(line.split()) for line in text.splitlines()]


def entry(**changes) -> DecisionEntry:
    made = decision(**changes)
    return DecisionEntry(made, made.time.wall)


def tasks(count: int, **fields) -> tuple[Input, ...]:
    return tuple(
        Input("cpu", f"t{number}", float(number), **({"used": True} | fields))
        for number in range(count)
    )


def test_few_tasks_are_shown_one_by_one():
    """With value, used or not, and why not."""
    lines = shown(entry(inputs=(*tasks(MOST_INPUTS - 1), Input("cpu", "x", None, False, "gone"))))
    assert "cpu t0 0 yes" in lines
    assert "cpu x - no gone" in lines


def test_many_tasks_are_folded_except_those_with_something_to_tell():
    """Their number, mean and span; those ignored stay visible, up to a bound."""
    ignored = tuple(Input("cpu", f"bad{n}", 9e9, False, "too old") for n in range(12))
    other = (Input("memory", "m", 1.0, True),)
    lines = shown(entry(inputs=(*tasks(101), *ignored, *other)))
    assert "cpu 101 tasks mean 50 (0 to 100) yes" in lines
    assert "cpu bad0 9000000000 no too old" in lines
    assert f"cpu {12 - MOST_INPUTS} more no" in lines
    assert "memory m 1 yes" in lines
    assert not [line for line in lines if line.startswith("cpu t")]


def test_older_decisions_are_a_line_each():
    """Time, how often, outcome and sentence."""
    older = decision(sentence="web stays at 2")
    lines = shown(entry(), DecisionEntry(older, older.time.wall - 600, 600, "applied"))
    assert lines[-1] == "2023-11-14T22:13:20.000Z x600 applied web stays at 2"


def test_no_markup_from_outside():
    """What looks like the terminal library's markup is shown as it is."""
    assert shown(entry(sentence="[red]x[/red]"))[0] == "[red]x[/red]"
    inputs = (Input("[b]m", "[i]t", 1.0, True, "[u]n"),)
    assert "[b]m [i]t 1 yes [u]n" in shown(entry(inputs=inputs))


def test_without_a_decision():
    """The question back: does any rule select it?"""
    console = Console(file=io.StringIO(), width=160)
    show_why(console, "web", [])
    assert "does any rule select it" in console.file.getvalue()
