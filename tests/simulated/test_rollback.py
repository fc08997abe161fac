"""Back to the deploy before: after scales and restarts, during rollouts, where there is none."""

import asyncio
from typing import Any

import pytest

from monitor.act.permit import Permit
from monitor.agent.operations import OperatorDesk
from monitor.model.action import Rollback
from monitor.model.outcome import OutcomeKind
from monitor.simulate.executor import Behaviour
from monitor.web.state import Refused
from tests.simulated.bench import Bench, bench
from tests.simulated.virtual import virtual
from tests.unit.build import decision

QUICK = {"Parallelism": 0, "Monitor": 10**9}


def desk(b: Bench) -> OperatorDesk:
    core = b.core
    return OperatorDesk(
        controller=core.controller,
        mirror=core.mirror,
        actorship=core.actorship,
        clock=b.swarm.clock,
        by_hand=core.by_hand,
    )


def image(b: Bench, name: str = "web") -> str:
    return b.swarm.service(name).spec["TaskTemplate"]["ContainerSpec"]["Image"]


async def deployed(b: Bench, tag: str) -> None:
    b.swarm.deploy("web", tag)
    await b.swarm.converged("web")
    await asyncio.sleep(5)


@virtual(limit=600)
async def test_a_deploy_is_rolled_back_after_any_number_of_scales() -> None:
    """The right image comes back, the replica count stays; Swarm's own would undo a scale."""
    async with bench() as b:
        await b.service(image="app:1", replicas=2, update=QUICK)
        await deployed(b, "app:2")
        for count in (3, 5, 4):
            b.swarm.scale("web", count)
            await b.swarm.converged("web")
        b.swarm.change("web", lambda spec: spec["TaskTemplate"].update(ForceUpdate=1))
        await b.swarm.converged("web")
        await asyncio.sleep(5)
        sentence = await desk(b).roll_back("web", by="ann")
        assert "ann" in sentence
        assert (image(b), b.replicas()) == ("app:1", 4)
        await b.swarm.converged("web")
        await asyncio.sleep(5)
        with pytest.raises(Refused, match="no earlier deploy") as refused:
            await desk(b).roll_back("web", by="")
        assert refused.value.status == 409
        assert [outcome.kind for _, outcome in b.records.outcomes] == [
            OutcomeKind.APPLIED,
            OutcomeKind.REFUSED,
        ]


@virtual(limit=600)
async def test_a_bad_deploy_that_is_paused_is_rolled_back_by_swarm_itself() -> None:
    """`rollback=previous`: its own rollback settings, and its own status."""
    async with bench() as b:
        b.swarm.behaviours["bad:1"] = Behaviour(exit_after=0.5)
        await b.service(image="app:1", replicas=3, update={**QUICK, "FailureAction": "pause"})
        b.swarm.deploy("web", "bad:1")
        await b.until(lambda: b.swarm.service("web").update_state == "paused", within=60)
        await asyncio.sleep(2)
        await desk(b).roll_back("web", by="")
        assert image(b) == "app:1"
        assert b.swarm.service("web").update_state == "rollback_started"
        await b.until(
            lambda: b.swarm.service("web").update_state == "rollback_completed", within=60
        )


@virtual(limit=600)
async def test_a_scale_in_between_does_not_lead_swarm_astray() -> None:
    """Somebody scaled the paused rollout: Swarm's previous spec is the bad one, ours is not."""
    async with bench() as b:
        b.swarm.behaviours["bad:1"] = Behaviour(exit_after=0.5)
        await b.service(image="app:1", replicas=3, update={**QUICK, "FailureAction": "pause"})
        b.swarm.deploy("web", "bad:1")
        await b.until(lambda: b.swarm.service("web").update_state == "paused", within=60)
        b.swarm.scale("web", 5)
        await asyncio.sleep(5)
        await desk(b).roll_back("web", by="")
        await b.swarm.converged("web")
        assert (image(b), b.replicas()) == ("app:1", 5)


@virtual(limit=600)
async def test_refused_where_what_it_needed_is_gone() -> None:
    """Secrets and configs by name; nothing is written."""
    async with bench() as b:
        await b.service(image="app:1", replicas=1, update=QUICK)
        config_id = b.swarm.create_config("settings", {}, b"x")

        def with_config(spec: dict[str, Any]) -> None:
            container = spec["TaskTemplate"]["ContainerSpec"]
            container["Configs"] = [{"ConfigID": config_id, "ConfigName": "settings"}]
            container["Secrets"] = [{"SecretID": "s9", "SecretName": "password"}]

        def without(spec: dict[str, Any]) -> None:
            container = spec["TaskTemplate"]["ContainerSpec"]
            del container["Configs"], container["Secrets"]
            container["Image"] = "app:2"

        for edit in (with_config, without):
            b.swarm.change("web", edit)
            await b.swarm.converged("web")
            await asyncio.sleep(3)
        with pytest.raises(Refused, match="is gone: secret password"):
            await desk(b).roll_back("web", by="")
        b.swarm.remove_config("settings")
        with pytest.raises(Refused, match="secret password, config settings"):
            await desk(b).roll_back("web", by="")


@virtual(limit=600)
async def test_a_rollback_decided_on_another_version_is_not_written() -> None:
    """A person's change in between: a conflict, and the service stays theirs."""
    async with bench() as b:
        service_id = await b.service(image="app:1", replicas=2, update=QUICK)
        await deployed(b, "app:2")
        writer = b.core.controller.writes._writer
        term = b.core.actorship.term()
        assert term is not None
        made = decision(
            Rollback("", 2),
            service_id=service_id,
            version=b.swarm.service("web").version - 1,
            time=b.swarm.clock.now(),
        )
        outcome = await writer.write(made, Permit(term))
        assert outcome.kind is OutcomeKind.CONFLICT
        assert image(b) == "app:2"


@virtual(limit=600)
async def test_what_nobody_may_roll_back() -> None:
    """On a dry run nothing, and what is not there not at all."""
    async with bench(dry_run=True) as b:
        await b.service(image="app:1", replicas=2, update=QUICK)
        await deployed(b, "app:2")
        with pytest.raises(Refused, match="dry run"):
            await desk(b).roll_back("web", by="")
        with pytest.raises(Refused, match="There is no service"):
            await desk(b).roll_back("nope", by="")
        assert image(b) == "app:2"
