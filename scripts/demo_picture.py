"""The README's moving picture, from a run of the demo: python -m scripts.demo_picture OUT.svg

Runs what `scripts/demo` runs, faster than real time, keeps what its picture shows at every few
seconds of the simulated Swarm, and writes one SVG that shows the frames one after the other.
Nothing in it is made up, and it loads nothing from elsewhere.
"""

import asyncio
import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI

from monitor.agent.logs import configure_logs
from monitor.cli.simulate_run import real_clock
from monitor.demo.run import DemoOptions, run_demo, shipped_rules
from monitor.demo.show import Drawing
from monitor.demo.watch import News, Row
from monitor.simulate.pace import run_paced
from monitor.simulate.scenario.load import load_scenario

COLUMNS = 104
SPEED = 6.0
LASTS = 270.0  # seconds of the simulated Swarm
EVERY = 6.0  # of them, a frame
SHOWN = 0.5  # seconds, each frame but the last
REST = 3.0  # seconds, the last one
CELL, LINE = 8.4, 18  # of a monospaced letter of 14 px

Line = tuple[tuple[int, str, Style], ...]
"""Pieces of one line: column, text, style."""


@dataclass
class Recorder:
    """A display of the demo that keeps what is to be seen."""

    foot: str
    began: float
    frames: list[list[Line]] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    due: float = 0.0

    def __post_init__(self) -> None:
        self.drawing = Drawing(self.began, self.foot)

    def say(self, text: str) -> None:
        print(text)

    def show(self, now: float, rows: Sequence[Row], news: Sequence[News]) -> None:
        self.news.extend(news)
        if now < self.due or not rows:
            return
        self.due = now + EVERY
        console = Console(width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False)
        drawn = console.render_lines(self.drawing.draw(now, rows, self.news), pad=False)
        self.news.clear()
        self.frames.append([tuple(_pieces(line)) for line in drawn])
        print(f"\r{now - self.began:4.0f} of {LASTS:.0f} s", end="", flush=True)

    def close(self) -> None:
        print()


def _pieces(line: Sequence[Segment]) -> Iterator[tuple[int, str, Style]]:
    column = 0
    for style, parts in groupby(line, key=lambda segment: segment.style or Style()):
        text = "".join(part.text for part in parts)
        for run in re.finditer(r"\S+(?: \S+)*", text):  # no renderer agrees on wide gaps
            yield column + run.start(), run.group(), style
        column += len(text)


def svg(frames: Sequence[Sequence[Line]]) -> str:
    """All frames on one place, each to be seen in its own part of the time."""
    height = max(len(frame) for frame in frames) * LINE + 24
    width = COLUMNS * CELL + 24
    whole = SHOWN * (len(frames) - 1) + REST
    inks = sorted({_ink(style) for frame in frames for line in frame for _, _, style in line})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img"',
        ' aria-label="swarm-monitor scales the services of a simulated Swarm">\n',
        "<style>text{font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
        # Where nothing moves, the last one is to be seen.
        ".f{visibility:hidden}.f:last-of-type{visibility:visible}",
        "@media (prefers-reduced-motion:reduce){.f{animation:none!important}}\n",
        *(f".c{place}{{{ink}}}" for place, ink in enumerate(inks)),
    ]
    parts += [_moment(place, len(frames), whole) for place in range(len(frames))]
    parts.append(f'</style><rect width="100%" height="100%" rx="8" fill="{_paper()}"/>\n')
    for place, frame in enumerate(frames):
        parts.append(f'<g class="f" style="animation:k{place} {whole:.1f}s step-end infinite">')
        parts += [_line(row, line, inks) for row, line in enumerate(frame) if line]
        parts.append("</g>\n")
    parts.append("</svg>\n")
    return "".join(parts)


def _moment(place: int, frames: int, whole: float) -> str:
    """When the frame is to be seen, in percent of the whole; the last one rests until the end."""
    begin = SHOWN * place / whole * 100
    shown = f"{begin:.2f}%{{visibility:visible}}"
    hidden = "" if place == 0 else "0%{visibility:hidden}"
    if place + 1 == frames:
        return f"@keyframes k{place}{{{hidden}{shown}}}\n"
    end = SHOWN * (place + 1) / whole * 100
    return f"@keyframes k{place}{{{hidden}{shown}{end:.2f}%{{visibility:hidden}}}}\n"


def _line(row: int, line: Line, inks: Sequence[str]) -> str:
    spans = (
        f'<tspan x="{12 + column * CELL:.0f}" class="c{inks.index(_ink(style))}">'
        f"{escape(text)}</tspan>"
        for column, text, style in line
    )
    return f'<text y="{12 + (row + 1) * LINE - 5}">{"".join(spans)}</text>'


def _paper() -> str:
    return "#{:02x}{:02x}{:02x}".format(*MONOKAI.background_color)


def _ink(style: Style) -> str:
    """The style in CSS."""
    color = style.color.get_truecolor(MONOKAI) if style.color else MONOKAI.foreground_color
    strength = 0.6 if style.dim else 1.0
    mixed = (
        round(front * strength + back * (1 - strength))
        for front, back in zip(color, MONOKAI.background_color, strict=True)
    )
    weight = ";font-weight:bold" if style.bold else ""
    return "fill:#{:02x}{:02x}{:02x}".format(*mixed) + weight


async def record() -> Recorder:
    made: list[Recorder] = []

    def opener(url: str, path: Path) -> Recorder:
        foot = f"page {url}/   metrics {url}/metrics   time goes {SPEED:g} times as fast"
        made.append(Recorder(foot, asyncio.get_running_loop().time()))
        return made[0]

    options = DemoOptions(
        loaded=load_scenario(None),
        rules=(shipped_rules(),),
        speed=SPEED,
        seconds=LASTS / SPEED,
    )
    await run_demo(options, real_clock(0), asyncio.Event(), opener)
    return made[0]


def main() -> None:
    """Writes the picture to the file named, or says how it is called."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m scripts.demo_picture OUT.svg")
    configure_logs(None, "error")
    path = Path(sys.argv[1])
    recorder = run_paced(record(), SPEED)
    path.write_text(svg(recorder.frames), encoding="utf-8")
    print(f"{path}: {len(recorder.frames)} frames, {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
