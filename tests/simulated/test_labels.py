"""Services that bring their rules along in their labels."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from monitor.model.rule import AnyRule
from monitor.rulefile.label_limits import LabelCeilings
from monitor.rulefile.labels import label_rules
from tests.simulated.bench import Bench, bench
from tests.simulated.virtual import virtual
from tests.unit.build import scale_rule

HALF = {"cpu_limit": 0.5}


@asynccontextmanager
async def reading_labels(*rules: AnyRule, **ceilings: Any) -> AsyncIterator[Bench]:
    allowed = LabelCeilings(**ceilings)
    async with bench(*rules) as b:
        b.core.controller.assignments.label_source = lambda service: label_rules(service, allowed)
        yield b


def labels(most: int, **more: str) -> dict[str, str]:
    scale = {"min": "2", "max": str(most), "cpu": "50%"} | more
    return {f"swarm-monitor.scale.{key}": value for key, value in scale.items()}


def relabel(b: Bench, given: dict[str, str]) -> None:
    b.swarm.change("web", lambda spec: spec["Labels"].update(given))


@virtual(limit=600)
async def test_labels_scale_their_service_up_to_the_ceiling() -> None:
    """Load is followed by the labels' own max, and never beyond the operator's ceiling."""
    async with reading_labels(max_replicas=6) as b:
        await b.service(replicas=2, labels=labels(30), **HALF)
        b.swarm.set_load("web", 5.0)
        await b.until(lambda: b.replicas() == 6, within=60)
        await asyncio.sleep(60)
        assert b.replicas() == 6
        assert {write.decision.split("/")[0] for write in b.records.applied} == {"label:web"}
        assert "6 is taken" in b.core.controller.assignments.label_problems()[0]


@virtual(limit=600)
async def test_a_file_overrules_labels_as_long_as_it_is_about_the_service() -> None:
    """While a file scales the service its labels ask for nothing; once it does not, they do."""
    async with reading_labels(scale_rule(name="load", max=4)) as b:
        await b.service(replicas=2, labels=labels(8), **HALF)
        b.swarm.set_load("web", 5.0)
        await b.until(lambda: b.replicas() == 4, within=60)
        await asyncio.sleep(30)
        assert b.replicas() == 4
        assert {decision.rule for decision in b.decisions()} == {"load"}
        assert len(b.core.controller.assignments.conflicts()) == 1
        b.use()
        await b.until(lambda: b.replicas() == 8, within=60)
        assert b.core.controller.assignments.conflicts() == ()


@virtual(limit=600)
async def test_a_deploy_that_changes_the_labels_changes_the_rule() -> None:
    """New labels take effect with the deploy that brings them; wrong ones end the rule."""
    async with reading_labels() as b:
        await b.service(replicas=2, labels=labels(4), **HALF)
        b.swarm.set_load("web", 5.0)
        await b.until(lambda: b.replicas() == 4, within=60)
        relabel(b, labels(7))
        await b.until(lambda: b.replicas() == 7, within=60)
        relabel(b, labels(9, min="many"))
        await asyncio.sleep(30)
        (problem,) = b.core.controller.assignments.label_problems()
        assert problem.startswith("label swarm-monitor.scale.min of service web: ")
        assert b.replicas() == 7
        assert b.core.controller.ruled_services == frozenset()
