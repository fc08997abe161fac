"""A chart as inline SVG: demand as an area, replicas as lines, changes as ticks with titles."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

from monitor.replay.panels import DAY, Panel

WIDTH, _PLOT = 360, 120
_LEFT, _RIGHT, _TOP, _LANE = 24, 4, 6, 9
_AXIS = 14

At = Callable[[float], float]


def chart(panel: Panel, *, axes: bool = True) -> str:
    """axes: with numbers; without them it may be drawn at any size."""
    left, bottom = (_LEFT, _AXIS) if axes else (0, 0)
    lanes = len(panel.lines) * _LANE if axes else 0
    height, base = _PLOT + lanes + bottom, _PLOT
    span, scale = panel.end - panel.begin, (base - _TOP) / max(1, panel.top)

    def x(at: float) -> float:
        return left + (at - panel.begin) / span * (WIDTH - left - _RIGHT)

    def y(count: float) -> float:
        return base - count * scale

    parts = [_area(panel, x, y)]
    if axes:
        parts += [_scale(panel.top, y), _clock(panel, x, height - 3)]
    for number, line in enumerate(panel.lines):
        points = " ".join(_stairs(line.supply, x, y))
        parts.append(f'<path class="line c{number % 6}" d="{points}"/>')
        if axes:
            parts.append(_ticks(panel, number, base + number * _LANE, x))
    fit = "" if axes else ' preserveAspectRatio="none"'
    return f'<svg viewBox="0 0 {WIDTH} {height}"{fit} role="img">{"".join(parts)}</svg>'


def day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%a %Y-%m-%d")


def clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _area(panel: Panel, x: At, y: At) -> str:
    width = (panel.end - panel.begin) / len(panel.ideal)
    points = [f"M{x(panel.begin):.1f} {y(0):.1f}"]
    before = None
    for number, count in enumerate(panel.ideal):
        if count != before:
            points.append(f"H{x(panel.begin + number * width):.1f}V{y(count):.1f}")
        before = count
    points.append(f"H{x(panel.end):.1f}V{y(0):.1f}Z")
    return f'<path class="demand" d="{"".join(points)}"/>'


def _stairs(supply: tuple[tuple[float, int], ...], x: At, y: At) -> list[str]:
    if not supply:
        return []
    found = [f"M{x(supply[0][0]):.1f} {y(supply[0][1]):.1f}"]
    found += [f"H{x(at):.1f}V{y(count):.1f}" for at, count in supply[1:]]
    return found


def _scale(top: int, y: At) -> str:
    every = next(step for size in (1, 10, 100, 1000, 10**9) for step in (size, 2 * size, 5 * size)
                 if top / step <= 5)  # fmt: skip
    return "".join(
        f'<path class="grid" d="M{_LEFT} {y(count):.1f}H{WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 3}" y="{y(count) + 3:.1f}" text-anchor="end">{count}</text>'
        for count in range(0, top + 1, every)
    )


def _clock(panel: Panel, x: At, y: float) -> str:
    """Four parts of the chart; days where it is longer than one."""
    spell = "%H:%M" if panel.end - panel.begin <= DAY else "%m-%d"
    found = []
    for part in range(5):
        at = panel.begin + (panel.end - panel.begin) * part / 4
        text = datetime.fromtimestamp(at, UTC).strftime(spell)
        if part == 4 and text == "00:00":
            text = "24:00"
        anchor = ("start", "middle", "middle", "middle", "end")[part]
        found.append(f'<text x="{x(at):.1f}" y="{y:.0f}" text-anchor="{anchor}">{text}</text>')
    return "".join(found)


def _ticks(panel: Panel, number: int, lane: float, x: At) -> str:
    """Triangles that point where it goes, in the contender's lane."""
    line = panel.lines[number]
    found = []
    for step in line.steps:
        middle, high, low = x(step.at), lane + 1.5, lane + _LANE - 1.5
        tip, foot = (high, low) if step.after > step.before else (low, high)
        shape = f"M{middle - 2:.1f} {foot:.1f}h4L{middle:.1f} {tip:.1f}Z"
        title = escape(f"{clock(step.at)} {line.label}: {step.sentence}")
        found.append(f'<path class="tick t{number % 6}" d="{shape}"><title>{title}</title></path>')
    return "".join(found)
