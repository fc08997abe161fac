"""Services that bring their rules along in their labels."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from monitor.agent.operations import OperatorDesk
from monitor.model.rule import AnyRule, RuleSet
from monitor.rulefile.label_limits import LabelCeilings
from monitor.rulefile.labels import label_rules
from monitor.web.state import Refused
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


@virtual(limit=600)
async def test_explain_weighs_files_and_labels_as_the_agent_does() -> None:
    """Labels are judged where no file scales the service; a note says where the rule is from."""
    async with reading_labels(max_replicas=6) as b:
        given = {**labels(30), "swarm-monitor.restart.memory_above": "90%",
                 "swarm-monitor.restart.for": "5m"}  # fmt: skip
        await b.service(replicas=2, labels=given, memory_limit=2**30, **HALF)
        b.swarm.set_load("web", 5.0)
        await asyncio.sleep(3)
        at = OperatorDesk(
            controller=b.core.controller,
            mirror=b.core.mirror,
            actorship=b.core.actorship,
            clock=b.swarm.clock,
        )
        claim, others = at.claim(RuleSet(()), "web", None)
        assert (claim.rule.name, others) == ("label:web", ("label:web:restart",))
        found = await at.explain(claim, "web")
        assert "rule label:web is from labels of web" in found.notes
        assert any("6 is taken" in note for note in found.notes)
        file = replace(scale_rule(name="load", max=4), source="web.yml:3")
        claim, others = at.claim(RuleSet((file,)), "web", None)
        assert (claim.rule.name, others) == ("load", ("label:web:restart",))
        found = await at.explain(claim, "web")
        assert "rule load is from web.yml:3" in found.notes
        assert "its labels swarm-monitor.scale.* do not count beside rule load" in found.notes
        with pytest.raises(Refused, match="not about web; about web are: load, label:web:restart"):
            at.claim(RuleSet((file,)), "web", "label:web")


@virtual(limit=600)
async def test_explain_says_what_is_wrong_with_labels() -> None:
    """Where they make no rule for that, it is the answer."""
    async with reading_labels() as b:
        await b.service(replicas=2, labels={"swarm-monitor.scale.mni": "2"}, **HALF)
        at = OperatorDesk(
            controller=b.core.controller,
            mirror=b.core.mirror,
            actorship=b.core.actorship,
            clock=b.swarm.clock,
        )
        with pytest.raises(Refused, match=r"its labels hold none; label .*unknown field"):
            at.claim(RuleSet(()), "web", None)
