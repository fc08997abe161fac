"""A replay as one HTML page that needs nothing else."""

from collections.abc import Sequence
from html import escape

from monitor.replay.chart import chart, clock, day
from monitor.replay.contest import Contest, figures
from monitor.replay.drive import Run
from monitor.replay.figure_words import spelled, terms_of
from monitor.replay.panels import panels, whole

_PARTS = 330
MOST_LISTED = 2000
"""Changes listed per contender."""

_HOW_TO_READ = (
    "Replicas over time, in UTC. A triangle is a change of replicas, up or down; its title says "
    "why."
)

_STYLE = (
    """
:root{--ink:#1c2430;--faint:#667;--paper:#fff;--grid:#d9dde3;--demand:#c9d3df;
--c0:#0b62c4;--c1:#c4480b;--c2:#26803a;--c3:#8a2fb0;--c4:#7a6a00;--c5:#a01a4a}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--faint:#9aa3b0;--paper:#14181e;
--grid:#2c333d;--demand:#37424f;--c0:#6cb0ff;--c1:#ff9a62;--c2:#6cd083;--c3:#d59af0;
--c4:#d8c64a;--c5:#ff87b0}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:80rem;color:var(--ink);background:var(--paper);
font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
p{margin:.3rem 0}.faint{color:var(--faint);font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{padding:.25rem .5rem;text-align:right;border-bottom:1px solid var(--grid)}
td:first-child,th:first-child{text-align:left}td.text{text-align:left}
.figures tr>*{font-variant-numeric:tabular-nums}
.charts{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}
figure{margin:0;break-inside:avoid}figcaption{font-size:.9rem;font-weight:600}
svg{display:block;width:100%;height:auto;overflow:visible}
svg.flat,.flat svg{height:6rem}
svg text{font:10px system-ui,sans-serif;fill:var(--faint)}
.demand{fill:var(--demand)}.grid{stroke:var(--grid);stroke-width:.5;fill:none}
.line{fill:none;stroke-width:1.4;vector-effect:non-scaling-stroke}
.key i{display:inline-block;width:1.6em;height:0;border-top:3px solid;margin:0 .4em .25em 0}
.key i.area{border-top:.8em solid var(--demand);margin-bottom:0}.key span{margin-right:1.2em}
"""
    + "".join(
        f".c{n}{{stroke:var(--c{n})}}.t{n}{{fill:var(--c{n})}}.k{n}{{color:var(--c{n})}}"
        for n in range(6)
    )
    + """
.c1,.c3,.c5{stroke-dasharray:5 2}
@media print{body{max-width:none;font-size:11px}.charts{grid-template-columns:1fr 1fr}
details:not([open]){display:none}}
"""
)


def report(contest: Contest, version: str) -> str:
    """Figures first, then the whole trace, then each day of it, then all changes."""
    labels = [run.label for run in contest.runs]
    title = f"Replay of {' and '.join(labels)}"
    body = [
        f"<h1>{escape(title)}</h1>",
        *(f'<p class="faint">{escape(line)}</p>' for line in terms_of(contest)),
        _figures(contest),
        "<h2>The whole trace</h2>",
        _key(labels),
        f'<div class="flat">{chart(whole(contest, _PARTS * 2), axes=False)}</div>',
        "<h2>In parts</h2>",
        f'<p class="faint">{_HOW_TO_READ}</p>',
        '<div class="charts">',
        *(
            f"<figure><figcaption>{_span(panel.begin)}</figcaption>{chart(panel)}</figure>"
            for panel in panels(contest, _PARTS)
        ),
        "</div>",
        "<h2>All changes</h2>",
        *(_changes(run) for run in contest.runs),
        f'<p class="faint">swarm-monitor {escape(version)}</p>',
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _span(begin: float) -> str:
    at = clock(begin)
    return day(begin) + ("" if at == "00:00:00" else f" {at[:5]}")


def _key(labels: Sequence[str]) -> str:
    lines = "".join(
        f'<span><i class="k{number % 6}"></i>{escape(label)}</span>'
        for number, label in enumerate(labels)
    )
    return f'<p class="key"><span><i class="area"></i>ideal</span>{lines}</p>'


def _figures(contest: Contest) -> str:
    heads = "".join(f"<th>{escape(run.label)}</th>" for run in contest.runs)
    rows = []
    for figure in figures(contest):
        cells = "".join(f"<td>{spelled(figure, value)}</td>" for value in figure.values)
        best = "" if figure.ideal is None else spelled(figure, figure.ideal)
        rows.append(f"<tr><td>{escape(figure.title)}</td>{cells}<td>{best}</td></tr>")
    return (
        f'<div class="wide"><table class="figures"><tr><th></th>{heads}<th>ideal</th></tr>'
        f"{''.join(rows)}</table></div>"
    )


def _changes(run: Run) -> str:
    rows = "".join(
        f"<tr><td>{day(step.at)} {clock(step.at)}</td><td>{step.before} → {step.after}</td>"
        f'<td class="text">{escape(step.sentence)}</td></tr>'
        for step in run.steps[:MOST_LISTED]
    )
    rest = len(run.steps) - MOST_LISTED
    more = f'<p class="faint">and {rest:,} more</p>' if rest > 0 else ""
    return (
        f"<details><summary>{escape(run.label)}: {len(run.steps):,} changes</summary>"
        f'<div class="wide"><table>{rows}</table></div>{more}</details>'
    )
