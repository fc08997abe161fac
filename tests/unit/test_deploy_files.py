"""What deploy/ holds for Prometheus and Grafana is right, and speaks of metrics that are there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.dashboards import FOLDER, panel_queries

DEPLOY = Path(__file__).parents[2] / "deploy"
METRICS = Path(__file__).parents[2] / "docs" / "metrics.md"
# Labels that Prometheus itself gives, by its scrape configs.
TARGET_LABELS = {"job", "instance", "node"}
_WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless"}
_WORDS |= {"bool", "offset"}


@pytest.fixture(scope="module")
def promtool() -> str:
    """Where promtool is; a loud skip without it, a failure where all tools are required."""
    found = shutil.which("promtool")
    if found is None:
        reason = "promtool is missing (package prometheus): deploy/ was not checked"
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=DEPLOY, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus-dockerswarm.yml"])
def test_the_scrape_configs_are_valid(promtool: str, name: str) -> None:
    """promtool accepts each whole configuration, with the rule files that it names."""
    run(promtool, "check", "config", name)


def test_every_alert_fires_when_it_must_and_not_otherwise(promtool: str) -> None:
    """The tests beside the rules pass, and there is a firing and a quiet case for each alert."""
    run(promtool, "test", "rules", *(path.name for path in DEPLOY.glob("*.test.yml")))
    firing, quiet = set(), set()
    for path in DEPLOY.glob("*.test.yml"):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case.get("promql_expr_test", ()):
                alert = re.search(r'alertname="(\w+)"', check["expr"])[1]
                (firing if check["exp_samples"] else quiet).add(alert)
    assert firing == alerts()
    assert quiet == alerts()


def test_the_queries_of_dashboards_parse(promtool: str, tmp_path: Path) -> None:
    """Each panel's query is PromQL, for what Grafana puts in for its variables."""
    rules = [
        {"record": f"panel:{number}", "expr": query.expression}
        for number, query in enumerate(panel_queries())
    ]
    assert len(rules) > 50
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run(promtool, "check", "rules", str(path))


def test_only_metrics_that_are_exported_are_asked_for() -> None:
    """Dashboards and rules name only metrics of docs/metrics.md and recorded ones."""
    known = set(exported()) | recorded() | {"up"}
    for where, expression in expressions():
        unknown = set(names(expression)) - known
        assert not unknown, f"{where}: {unknown} in {expression}"


def test_only_labels_that_a_metric_has_are_matched() -> None:
    """A matcher on a label that a metric lacks would find nothing, without a word."""
    have = exported()
    for where, expression in expressions():
        for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression):
            used = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)"', matchers))
            wrong = used - have.get(metric, used) - TARGET_LABELS
            assert not wrong, f"{where}: {metric} has no label {wrong}"


def test_dashboards_can_be_told_apart_and_take_their_data_source_from_a_variable() -> None:
    """Each has an id of its own, and works with whatever the data source is called."""
    found = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    assert len({dashboard["uid"] for dashboard in found}) == len(found) == 4
    for dashboard in found:
        for panel in dashboard["panels"]:
            sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            assert {source["uid"] for source in sources} == {"${datasource}"}, panel["title"]


def expressions() -> Iterator[tuple[str, str]]:
    """Where each PromQL expression that ships is, and the expression."""
    for query in panel_queries():
        yield f"{query.dashboard}/{query.panel}", query.expression
    for name in ("recording.yml", "alerts.yml"):
        for group in yaml.safe_load((DEPLOY / name).read_text())["groups"]:
            for rule in group["rules"]:
                yield f"{name}/{rule.get('record') or rule['alert']}", rule["expr"]
    for path in FOLDER.glob("*.json"):
        for variable in json.loads(path.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                inside = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
                yield f"{path.name}/{variable['name']}", f"max by ({inside[2]}) ({inside[1]})"


def exported() -> dict[str, set[str]]:
    """The metrics of docs/metrics.md with their labels; a histogram as its three series."""
    found: dict[str, set[str]] = {}
    row = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
    for name, kind, labels in row.findall(METRICS.read_text()):
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + suffix] = set(re.findall(r"`([\w*]+)`", labels))
    assert len(found) > 100
    return found


def recorded() -> set[str]:
    text = yaml.safe_load((DEPLOY / "recording.yml").read_text())
    return {rule["record"] for group in text["groups"] for rule in group["rules"]}


def alerts() -> set[str]:
    text = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
    return {rule["alert"] for group in text["groups"] for rule in group["rules"]}


def names(expression: str) -> Iterator[str]:
    """The metric names in a PromQL expression: what is left without all else that has letters."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    lists = r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
    bare = re.sub(lists, " ", bare)
    for found in re.finditer(r"[a-zA-Z_:][\w:]*", bare):
        called = bare[found.end() :].lstrip().startswith("(")
        if not called and found[0] not in _WORDS:
            yield found[0]
