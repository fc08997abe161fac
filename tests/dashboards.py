"""The queries of the shipped Grafana dashboards, as Grafana would send them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "deploy" / "dashboards"
# What Grafana puts in for its variables; "All" of ours is a pattern that matches everything.
_VARIABLES = {"$__rate_interval": "1m", "$service": ".*", "$node": ".*", "$rule": ".*"}


@dataclass(frozen=True)
class PanelQuery:
    """One query of a panel, with the variables filled in."""

    dashboard: str
    panel: str
    expression: str


def panel_queries(variables: Mapping[str, str] | None = None) -> Iterator[PanelQuery]:
    """Every query of every panel; `variables` ("$service": "web") go before the defaults."""
    for path in sorted(FOLDER.glob("*.json")):
        dashboard: dict[str, Any] = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                filled = fill(target["expr"], variables or {})
                yield PanelQuery(dashboard["title"], panel["title"], filled)


def fill(expression: str, variables: Mapping[str, str]) -> str:
    """The expression with its variables put in; ValueError where one is not known."""
    for name, value in {**_VARIABLES, **variables}.items():
        expression = expression.replace(name, value)
    if left := re.search(r"\$\w+", expression):
        raise ValueError(f"{left[0]} in {expression!r} is no known variable")
    return expression
