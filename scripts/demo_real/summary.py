"""What the show has shown, in figures, one decision whole, and where to go on."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from monitor.cli.show_why import show_why
from scripts.demo_real.play import LOAD_DEMAND, Result
from scripts.demo_real.stage import SERVICE

_NEXT = """\
Where to go on
  README.md, "Run it"     run the agent on a manager of your own Swarm
  rules/scale-cpu.yml     a rule to copy; docs/rules/ has every field
  docs/metrics.md         what Prometheus gets"""


def summarize(console: Console, result: Result, began: float) -> None:
    """Print the figures, `why` of one scale-up, and what to read next.

    began: monotonic seconds, when the demo began.
    """
    console.print(Text("\nSummary", style="bold"))
    figures = [
        (f"load of {LOAD_DEMAND} cores began", f"at {result.load_at - began:.1f} s"),
        ("first scale-up", _after(result.first_up, "later")),
        (f"all {result.peak} replicas ran (most)", _after(result.at_peak, "after its begin")),
        ("back at 1 replica", _after(result.back, "after its end")),
    ]
    for what, when in figures:
        console.print(Text(f"  {what:<32} {when}"))
    chosen = _interesting(result)
    if chosen is not None:
        console.print(
            Text(f"\nOne decision whole, as `swarm-monitor why {SERVICE}` shows it", style="bold")
        )
        show_why(console, SERVICE, [chosen])
    console.print(Text(f"\n{_NEXT}"))


def _after(seconds: float | None, words: str) -> str:
    return "did not happen" if seconds is None else f"{seconds:.1f} s {words}"


def _interesting(result: Result) -> dict[str, object] | None:
    """The last scale-up: it judged the most tasks. Else the newest decision."""
    ups = [entry for entry in result.decisions if entry["action"] == "scale_up"]
    chosen = (ups or result.decisions)[-1:]
    return chosen[0] if chosen else None
