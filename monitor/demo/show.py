"""The two ways to show it: lines for logs and pipes, a picture for terminals."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.demo.watch import News, Row, bar, share

_PROGRESS_EVERY = 5.0
_KEPT = 8
_STYLES = {"up": "bold green", "down": "bold cyan", "!": "bold red", "": "dim"}


class Display(Protocol):
    """Shows the services and what happened. now: monotonic seconds; shown are those since then."""

    def say(self, text: str) -> None: ...

    def show(self, now: float, rows: Sequence[Row], news: Sequence[News]) -> None: ...

    def close(self) -> None: ...


class Lines:
    """A line for each thing that happened, and every five seconds how each service is."""

    def __init__(self, console: Console, began: float) -> None:
        self._console = console
        self._began = began
        self._next = began

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, now: float, rows: Sequence[Row], news: Sequence[News]) -> None:
        for one in news:
            mark = f"[{one.mark}]" if one.mark else ""
            self.say(f"{one.at - self._began:6.0f} s  {mark:6} {one.text}")
        if now >= self._next:
            self._next = now + _PROGRESS_EVERY
            states = (f"{row.name} {row.running}/{row.desired}{_percent(row)}" for row in rows)
            self.say(f"{now - self._began:6.0f} s         {'  '.join(states)}")

    def close(self) -> None:
        """Nothing to close."""


class Picture:
    """Redrawn each second: a row for each service, and below it the newest happenings."""

    def __init__(self, console: Console, began: float, foot: str) -> None:
        self._drawing = Drawing(began, foot)
        self._live = Live(console=console, auto_refresh=False, screen=False)
        self._live.start()

    def say(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def show(self, now: float, rows: Sequence[Row], news: Sequence[News]) -> None:
        drawn = self._drawing.fitting(self._live.console, now, rows, news)
        self._live.update(drawn, refresh=True)

    def close(self) -> None:
        self._live.stop()


class Drawing:
    """What a picture shows at a moment. began: monotonic seconds; foot: the last line."""

    def __init__(self, began: float, foot: str) -> None:
        self._began = began
        self._foot = foot
        self._news: deque[News] = deque(maxlen=_KEPT)

    def fitting(
        self, console: Console, now: float, rows: Sequence[Row], news: Sequence[News]
    ) -> Panel:
        """As many of the newest happenings as the terminal has lines for, but one at least."""
        drawn = self.draw(now, rows, news)
        excess = len(console.render_lines(drawn, pad=False)) - console.height
        if excess <= 0:
            return drawn
        return self._panel(now, rows, list(self._news)[-max(1, len(self._news) - excess) :])

    def draw(self, now: float, rows: Sequence[Row], news: Sequence[News]) -> Panel:
        """The services, and the newest happenings, those before included."""
        self._news.extend(news)
        return self._panel(now, rows, list(self._news))

    def _panel(self, now: float, rows: Sequence[Row], news: Sequence[News]) -> Panel:
        happened = Table.grid(padding=(0, 1))
        for one in news:
            happened.add_row(
                Text(f"{one.at - self._began:5.0f} s", style="dim"),
                Text(one.mark, style=_STYLES[one.mark]),
                Text(one.text, overflow="ellipsis", no_wrap=True),
            )
        body = Group(_table(rows), Text(""), happened, Text(""), Text(self._foot, style="dim"))
        title = f"a simulated Swarm, {now - self._began:.0f} s"
        return Panel(body, title=title, box=box.ROUNDED)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    for heading in ("service", "replicas", "", "wants", "of limit", "", "rollout"):
        table.add_column(heading)
    for row in rows:
        used = share(row)
        whole = row.running == row.desired
        table.add_row(
            row.name,
            Text(f"{row.running}/{row.desired}", style="" if whole else "yellow"),
            Text("▪" * min(row.running, 12), style="green"),
            f"{row.demand:.2f} cores",
            "" if used is None else f"{used:.0%}",
            "" if used is None else Text(bar(used, 12), style="red" if used > 0.6 else "green"),
            Text(row.update, style="dim"),
        )
    return table


def _percent(row: Row) -> str:
    used = share(row)
    return "" if used is None else f" ({used:.0%})"
