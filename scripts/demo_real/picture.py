"""The show as a live picture: charts of demand and replicas, tasks, the newest decision."""

from __future__ import annotations

import time

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from scripts.demo_real.chart import History, columns, gauge
from scripts.demo_real.display import Scene
from scripts.demo_real.observe import Json, Seen

_COLOURS = {"scale_up": "bold green", "scale_down": "bold cyan", "none": "dim"}
_TASK_ROWS = 6


class Picture:
    """A display that redraws itself; decisions that changed something stay above it as lines.

    limit     CPU limit of a task in cores, the full length of its bar
    target    the share of it that the rule aims at
    top       replicas at most, the height of their chart
    address   lines on where to look while it runs
    began     monotonic seconds, when the demo began
    """

    def __init__(
        self, console: Console, *, limit: float, target: float, top: int, address: str, began: float
    ) -> None:
        self._console = console
        self._limit = limit
        self._target = target
        self._top = top
        self._address = address
        self._began = began
        self._scene = Scene("", "")
        self._newest: Json | None = None
        self._demand, self._used, self._replicas = History(), History(), History()
        # No thread of its own redraws it: all is done within the show's steps.
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def say(self, text: str) -> None:
        self._console.print(Text(text))

    def begin(self, scene: Scene) -> None:
        self._scene = scene
        self.say(f"{self._clock()}  {scene.headline.upper()}: {scene.text}")

    def show(self, seen: Seen, demand: float) -> None:
        for decision in seen.new:
            self._newest = decision
            if decision["action"] != "none":
                style = _COLOURS.get(decision["action"], "bold")
                self._console.print(
                    Text(f"{self._clock()}  "), Text(decision["sentence"], style=style), sep=""
                )
        self._demand.add(demand)
        self._used.add(seen.cpu)
        self._replicas.add(seen.running)
        self._live.update(self._drawn(seen, demand), refresh=True)

    def close(self) -> None:
        self._live.stop()

    def _clock(self) -> str:
        return f"{time.monotonic() - self._began:4.0f} s"

    def _drawn(self, seen: Seen, demand: float) -> Panel:
        title = f"[bold]{escape(self._scene.headline)}[/bold]  {self._clock().strip()}"
        body = Table.grid(padding=(0, 2))
        body.add_row(self._charts(seen, demand), self._tasks(seen))
        sentence = "no decision yet" if self._newest is None else self._newest["sentence"]
        said = Text("newest decision: ", style="bold") + Text(sentence, style="default")
        return Panel(
            Group(body, said, Text(self._address, style="dim")),
            title=title,
            title_align="left",
            # The terminal's echo of Ctrl-C must fit behind it, or the last picture is drawn twice.
            width=self._console.width - 3,
            box=box.ROUNDED,
        )

    def _charts(self, seen: Seen, demand: float) -> Group:
        width = max(20, min(60, self._console.width - 47))
        cores = max(1.0, *self._demand.values, *self._used.values)
        return Group(
            Text(f"demand {demand:.2f} cores", style="yellow"),
            Text("\n".join(columns(self._demand.last(width), cores, 2, width)), style="yellow"),
            Text(f"replicas {seen.running} (wanted {seen.desired})", style="green"),
            Text(
                "\n".join(columns(self._replicas.last(width), self._top, self._top // 2, width)),
                style="green",
            ),
            Text(f"CPU used by all {seen.cpu:.2f} cores", style="magenta"),
            Text("\n".join(columns(self._used.last(width), cores, 2, width)), style="magenta"),
        )

    def _tasks(self, seen: Seen) -> Table:
        table = Table(box=None, pad_edge=False, title_justify="left")
        table.add_column("task")
        table.add_column("of its limit", width=12)
        table.add_column("", justify="right", width=5)
        above = self._target * 1.1
        for task in seen.tasks[:_TASK_ROWS]:
            if task.cpu is None:
                table.add_row(f"web.{task.slot}", Text("starts", style="dim"), "")
                continue
            share = task.cpu / self._limit
            style = "red" if share > above else "green"
            table.add_row(f"web.{task.slot}", Text(gauge(share, 12), style=style), f"{share:.0%}")
        for _ in range(_TASK_ROWS - min(_TASK_ROWS, len(seen.tasks))):
            table.add_row("", "", "")
        table.add_row(
            Text("target", style="dim"),
            Text(gauge(self._target, 12), style="dim"),
            Text(f"{self._target:.0%}", style="dim"),
        )
        return table
