"""What a person asks of an agent at work: explanations that change nothing, pauses that count."""

import asyncio
import copy
import json
from dataclasses import replace

import pytest

from monitor.agent.operations import NUMBERS_MAY_TAKE, OperatorDesk
from monitor.control.assignment import Claim
from monitor.decide import Recorded, replay
from monitor.model.action import ScaleTo
from monitor.model.pause import PauseScope
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, RuleMode, RuleSet
from monitor.model.scalar import JsonUrl, ScalarMetric
from monitor.model.usage import Usage
from monitor.web.state import Explanation, Refused
from tests.simulated.bench import Bench, bench
from tests.simulated.virtual import virtual
from tests.unit.build import restart_rule, scale_rule

HALF = {"cpu_limit": 0.5}


def desk(b: Bench) -> OperatorDesk:
    core = b.core
    return OperatorDesk(
        controller=core.controller,
        mirror=core.mirror,
        actorship=core.actorship,
        clock=b.swarm.clock,
    )


async def explained(b: Bench, *rules: AnyRule, rule: str | None = None) -> Explanation:
    at = desk(b)
    claim, _ = at.claim(RuleSet(rules), "web", rule)
    return await at.explain(claim, "web")


@virtual(limit=600)
async def test_an_explanation_writes_and_remembers_nothing() -> None:
    """Asked a hundred times what a rule would do: no write, no decision kept, no history."""
    async with bench() as b:
        await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 3.0)
        await asyncio.sleep(30)
        for _ in range(100):
            found = await explained(b, scale_rule(max=8))
            await asyncio.sleep(0.5)
        assert isinstance(found.decision.action, ScaleTo)
        assert found.decision.reason is Reason.ABOVE_TARGET
        assert "no rule r1 is in force for web" in found.notes[0]
        assert b.records.decisions == []
        assert b.records.writes == []
        book = b.core.controller.book
        assert book.entries() == []
        assert not book.knows(b.swarm.service("web").id, "r1")


@virtual(limit=900)
async def test_an_explanation_uses_the_history_of_the_rule_in_force() -> None:
    """A tighter target for a rule that just needed more says stabilized, as it would then; and
    what the rule in force remembers stays as it is."""
    async with bench(scale_rule(max=8)) as b:
        service_id = await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 1.5)
        await b.until(lambda: b.replicas() == 6, within=120)
        b.swarm.set_load("web", 0.3)
        await asyncio.sleep(60)
        before = copy.deepcopy(b.core.controller.book.history(service_id, "r1"))
        found = await explained(b, scale_rule(max=7))
        assert found.decision.reason is Reason.STABILIZED
        assert "judged with what rule r1, which is in force, remembers" in found.notes[0]
        assert b.core.controller.book.history(service_id, "r1") == before


@virtual(limit=900)
async def test_recorded_inputs_give_the_decision_again() -> None:
    """Of the newest three of a service and rule, also through JSON: what is replayed is what was
    decided, before anything held it back."""
    async with bench(scale_rule(max=8)) as b:
        await b.service(replicas=2, **HALF)
        b.swarm.set_load("web", 1.5)
        await b.until(lambda: b.replicas() == 6, within=120)
        await asyncio.sleep(30)
        await desk(b).pause(PauseScope.SERVICE, "web", None, note="", by="")
        b.swarm.set_load("web", 4.0)
        await b.until(lambda: b.reasons()[-1] == Reason.PAUSED, within=60)
        entries = b.core.controller.book.entries("web")
        assert [entry.recorded is not None for entry in entries[:4]] == [True, True, True, False]
        for entry in entries[1:3]:
            again = replay(Recorded.from_json(json.loads(json.dumps(entry.recorded.to_json()))))
            assert (again.action, again.reason) == (entry.decision.action, entry.decision.reason)
            assert (again.stages, again.inputs) == (entry.decision.stages, entry.decision.inputs)
        held = replay(entries[0].recorded)
        assert isinstance(held.action, ScaleTo)
        assert held.desired == entries[0].decision.desired


@virtual(limit=600)
async def test_which_rule_is_explained() -> None:
    """The first that scales, or the one named; what is off or about others is said."""
    async with bench() as b:
        await b.service(replicas=2, **HALF)
        off = scale_rule(name="idle", mode=RuleMode.OFF)
        other = scale_rule(name="other", selector=replace(off.selector, names=("api",)))
        rules = RuleSet((restart_rule(), scale_rule(), off, other))
        claim, others = desk(b).claim(rules, "web", None)
        assert (claim.rule.name, others) == ("r1", ("leak",))
        claim, _ = desk(b).claim(rules, "web", "leak")
        assert claim.rule.name == "leak"
        for name, said in (
            ("idle", "is off: write mode: act"),
            ("other", "is not about web; about web are: r1, leak."),
            ("none", "no rule 'none' in these files"),
        ):
            with pytest.raises(Refused, match=said) as refused:
                desk(b).claim(rules, "web", name)
            assert refused.value.status == 404
        with pytest.raises(Refused, match="No rule in these files is about web"):
            desk(b).claim(RuleSet((off, other)), "web", None)


class Numbers:
    """A number that is there from `at` on; None before."""

    def __init__(self, b: Bench, after: float) -> None:
        self.inner = b.core.controller.preview
        self.b, self.at = b, b.now() + after

    def __call__(self, claim: Claim, view: object):
        decision, recorded = self.inner(claim, view)
        numbers = {"queue": object()} if self.b.now() >= self.at else {}
        return decision, replace(recorded, usage=Usage(numbers=numbers))


@virtual(limit=600)
async def test_numbers_never_read_before_are_waited_for() -> None:
    """Until the first answer, but no longer than 10 s; then a note names what is missing."""
    source = JsonUrl("http://127.0.0.1:9/q", "length")
    rule = scale_rule(metrics=(ScalarMetric("queue", source, 1.0),))
    async with bench() as b:
        await b.service(replicas=2, **HALF)
        for after, took, notes in ((3.0, 3.0, 1), (1000.0, NUMBERS_MAY_TAKE, 2)):
            b.core.controller.preview = Numbers(b, after)
            start = b.now()
            found = await explained(b, rule)
            assert b.now() - start == pytest.approx(took, abs=0.3)
            assert len(found.notes) == notes
            del b.core.controller.preview
        assert found.notes[1] == "queue was not read within 10 s"


@virtual(limit=600)
async def test_an_explanation_tells_of_a_pause() -> None:
    """It judges as if there were none, and notes it."""
    async with bench(scale_rule(max=8)) as b:
        await b.service(replicas=2, **HALF)
        await desk(b).pause(PauseScope.SERVICE, "web", None, note="", by="ann")
        b.swarm.set_load("web", 3.0)
        await asyncio.sleep(30)
        found = await explained(b, scale_rule(max=8))
        assert isinstance(found.decision.action, ScaleTo)
        assert "service web is paused by ann until somebody resumes it" in found.notes
        assert b.records.own == []


@virtual(limit=600)
async def test_only_what_is_there_can_be_paused() -> None:
    """A typo would leave the service unprotected: 404 with what may have been meant."""
    async with bench(scale_rule(name="web-load")) as b:
        await b.service(replicas=2, **HALF)
        at = desk(b)
        for scope, name, said in (
            (PauseScope.SERVICE, "wbe", "did you mean web"),
            (PauseScope.RULE, "web-laod", "did you mean web-load"),
        ):
            with pytest.raises(Refused, match=said):
                await at.pause(scope, name, 60.0, note="", by="")
        await at.pause(PauseScope.RULE, "web-load", 60.0, note="", by="")
        b.use()
        await asyncio.sleep(5)
        assert (await at.resume(PauseScope.RULE, "web-load")).name == "web-load"
        with pytest.raises(Refused, match="is not paused; paused is: nothing"):
            await at.resume(PauseScope.RULE, "web-load")


@virtual(limit=600)
async def test_an_agent_that_does_not_act_takes_no_pauses() -> None:
    """The one that acts would not know of it: 409 that names that one."""
    async with bench(scale_rule()) as b:
        await b.service(replicas=2, **HALF)
        b.core.actorship._node_id = lambda: "another"
        at = desk(b)
        with pytest.raises(Refused, match="the agent on m1") as refused:
            await at.pause(PauseScope.ALL, "", None, note="", by="")
        assert refused.value.status == 409
        with pytest.raises(Refused):
            await at.resume(PauseScope.ALL, "")
