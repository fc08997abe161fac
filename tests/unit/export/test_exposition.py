"""The whole document: both formats, what is in it when, and that it equals its documentation."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.export.block import joined
from monitor.export.document import document
from monitor.export.exposition import SLICE
from monitor.export.facts import AgentFacts, StreamFacts
from monitor.export.family import TaskLabels
from monitor.export.local import LocalExposition
from monitor.model.now import Now
from monitor.model.reason import Reason
from tests.unit.export.things import Whole, decision, node, service, task, usage, view

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


async def scrape(whole: Whole, *, openmetrics: bool = False, **options: bool) -> str:
    settings = {"cluster": True, "fresh": True} | options
    return joined(await whole.exposition.scrape(openmetrics=openmetrics, **settings)).decode()


def family_names(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


async def test_documentation_equals_the_exposition() -> None:
    """Every exported metric is documented, every documented one exported, types included."""
    text = await scrape(Whole().fill())
    exported = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE))
    documented = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCS.read_text(), re.MULTILINE))
    assert exported.keys() == documented.keys()
    as_text = {name: "gauge" if kind == "info" else kind for name, kind in documented.items()}
    assert exported == as_text


def test_documentation_is_as_generated() -> None:
    """docs/metrics.md is what `python -m monitor.export.document` writes."""
    assert DOCS.read_text() == document()


async def test_documented_labels_are_the_exported_ones() -> None:
    """Each metric's series carry the labels that the documentation lists."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", DOCS.read_text(), re.MULTILINE)
    documented = {name: set(re.findall(r"`([^`]+)`", labels)) for name, _, labels in rows}
    text = await scrape(Whole().fill())
    for family in parse_text(text):
        for sample in family.samples:
            name = re.sub(r"_(bucket|count|sum)$", "", sample.name)
            name = name if name in documented else sample.name
            labels = {re.sub(r"^label_.*", "label_*", label) for label in sample.labels} - {"le"}
            assert labels == documented[name], name


async def test_both_formats_say_the_same() -> None:
    """Text and OpenMetrics parse to equal series; one `# EOF`, at the end."""
    whole = Whole().fill()
    await scrape(whole)
    text, openmetrics = await scrape(whole), await scrape(whole, openmetrics=True)
    assert openmetrics.endswith("# EOF\n")
    assert openmetrics.count("# EOF") == 1

    def samples(families: object) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        found = {
            (s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples
        }
        return {
            key: value
            for key, value in found.items()
            if not key[0].startswith(("process_", "python_gc"))
        }

    assert samples(parse_text(text)) == samples(parse_openmetrics(openmetrics))


async def test_no_created_twins() -> None:
    """No counter or summary is accompanied by a `_created` series."""
    whole = Whole().fill()
    assert "_created{" not in await scrape(whole) + await scrape(whole, openmetrics=True)


async def test_help_begins_with_the_stability() -> None:
    """Every help text of our own starts with [STABLE] or [EXPERIMENTAL]."""
    for name, text in re.findall(r"^# HELP (\S+) (.*)", await scrape(Whole().fill()), re.MULTILINE):
        if name.startswith("swarm_"):
            assert text.startswith(("[STABLE] ", "[EXPERIMENTAL] ")), name


@pytest.mark.parametrize("options", [{"cluster": False}, {"fresh": False}])
async def test_series_of_the_swarm_need_the_acting_agent_in_touch(options: dict[str, bool]) -> None:
    """Elsewhere, and out of touch, they are left out; the node's own and the agent's stay."""
    names = family_names(await scrape(Whole().fill(), **options))
    # Counted by the acting agent alone, and what has happened stays true when touch is lost.
    names.discard("swarm_service_recovery_seconds")
    assert not [n for n in names if re.match(r"swarm_(service|node|cluster)_|swarm_task_state", n)]
    assert {"swarm_task_cpu_usage_seconds_total", "swarm_agent_up", "process_open_fds"} <= names
    assert "swarm_rule_actions_total" in names
    assert ("swarm_rule_decision" in names) is options.get("fresh", True)


async def test_back_in_touch_everything_is_there_again() -> None:
    """Series left out for a while come back as they are known then."""
    whole = Whole().fill()
    before = await scrape(whole)
    await scrape(whole, fresh=False)
    assert family_names(await scrape(whole)) == family_names(before)


async def test_an_old_sample_is_not_shown_as_current() -> None:
    """A task whose sampling stopped has no usage series after the bound; a new one brings them."""
    whole = Whole().fill()
    whole.time = Now(mono=5.0 + 15.1, wall=0.0)
    assert "swarm_task_cpu_usage_seconds_total" not in await scrape(whole)
    whole.local.set_rows([usage(sampled_at=Now(mono=20.0, wall=1.0))])
    assert "swarm_task_cpu_usage_seconds_total{" in await scrape(whole)


async def test_while_the_engine_is_away() -> None:
    """Without an Engine the scrape answers and says so."""
    facts = AgentFacts(docker_up=False, role="none", acting=False, stream=StreamFacts())
    text = await scrape(Whole(facts), cluster=False, fresh=False)
    assert "swarm_docker_up 0.0\n" in text
    assert "swarm_agent_event_stream_connected 0.0\n" in text
    assert "swarm_agent_up 1.0\n" in text
    assert "swarm_agent_last_event_timestamp_seconds" not in text


async def test_by_slot_an_overlapping_replacement_is_one_series() -> None:
    """Two tasks of a slot that run for a moment together: the newer one is shown."""
    local = LocalExposition(task_labels=TaskLabels.SLOT)
    new = usage("t2", started_at=1600000001.0)
    for rows in ([usage("t1"), new], [new, usage("t1")]):
        local.set_rows(rows)
        local.prepare(now=5.0)
        text = local.render(openmetrics=False).decode()
        assert text.count("swarm_task_start_timestamp_seconds{") == 1
        assert "1600000001.0" in text
        assert 'slot="1"' in text
        assert "task_id" not in text


async def test_rule_series_go_with_their_rule_and_service() -> None:
    """Series of a rule that is gone, or of a service that is, are dropped; others stay."""
    whole = Whole()
    for rule in ("load", "leak"):
        for name in ("web", "api"):
            whole.agent.rule_evaluated(rule)
            whole.agent.bounds(rule, name, 1, 2)
            whole.agent.decision(decision(rule, name, reason=Reason.COOLDOWN))
    whole.agent.keep_rules(["load"])
    whole.agent.drop_service("api")
    text = await scrape(whole)
    assert "leak" not in text
    assert 'service_name="api"' not in text
    assert 'swarm_rule_evaluations_total{rule="load"} 2\n' in text
    assert 'blocked_total{rule="load",service_name="web",reason="cooldown"} 1\n' in text
    assert 'swarm_rule_replicas_max{rule="load",service_name="web"} 2\n' in text


async def test_input_value_is_the_mean_of_used_samples() -> None:
    """Ignored samples do not count."""
    text = await scrape(Whole().fill())
    assert 'swarm_rule_input_value{rule="load",service_name="web",metric="cpu"} 0.6\n' in text


async def test_event_actions_lose_what_follows_a_colon() -> None:
    """`health_status: healthy` and commands after `exec_start:` do not become label values."""
    text = await scrape(Whole())
    assert 'swarm_agent_events_total{action="health_status",type="container"} 1.0\n' in text


async def test_request_durations_are_a_histogram() -> None:
    """Buckets are cumulative, the last is the count, and both formats parse it."""
    whole = Whole()
    text = await scrape(whole)
    name = "swarm_agent_docker_request_duration_seconds"
    [family] = [f for f in parse_text(text) if f.name == name]
    assert family.type == "histogram"
    values = {s.labels.get("le", s.name.removeprefix(name)): s.value for s in family.samples}
    assert values == {"0.01": 1, "0.1": 3, "+Inf": 4, "_count": 4, "_sum": 0.5}
    assert name in {f.name for f in parse_openmetrics(await scrape(whole, openmetrics=True))}


async def test_delays_of_remote_events_are_a_histogram() -> None:
    """One histogram per action, with cumulative buckets."""
    text = await scrape(Whole())
    name = "swarm_agent_remote_event_delay_seconds"
    [family] = [f for f in parse_text(text) if f.name == name]
    assert family.type == "histogram"
    assert {s.labels["action"] for s in family.samples} == {"die"}
    values = {s.labels.get("le", s.name.removeprefix(name)): s.value for s in family.samples}
    assert values == {"0.01": 1, "0.1": 3, "+Inf": 3, "_count": 3, "_sum": 0.2}


async def test_a_big_change_is_rendered_in_slices() -> None:
    """While thousands of changed objects are rendered, the event loop has its turns."""
    whole = Whole()
    whole.cluster.set_nodes([node()])
    for number in range(50):
        tasks = [
            task(f"t{number}-{slot}", service_id=f"s{number}", slot=slot) for slot in range(20)
        ]
        whole.cluster.set_view(view(service(f"s{number}", f"web{number}"), *tasks))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(other())
    text = await scrape(whole)
    running.cancel()
    assert text.count("swarm_task_state{") == 1000
    assert turns >= 2000 // SLICE


async def test_single_metrics_by_name() -> None:
    """Asked for two names, nothing else is in the answer, agent's metrics included."""
    whole = Whole().fill()
    blocks = await whole.exposition.scrape(
        openmetrics=False,
        cluster=True,
        fresh=True,
        names=frozenset({"swarm_task_state", "swarm_agent_up"}),
    )
    assert family_names(joined(blocks).decode()) == {"swarm_task_state", "swarm_agent_up"}


@pytest.mark.skipif(
    shutil.which("promtool") is None and not os.environ.get("REQUIRE_REAL"),
    reason="promtool is not installed",
)
async def test_promtool_finds_nothing() -> None:
    """`promtool check metrics` is content with everything there is."""
    text = await scrape(Whole().fill())
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"")
