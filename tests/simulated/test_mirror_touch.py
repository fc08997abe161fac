"""The mirror knows whether it is in touch, on what kind of node, and says so once."""

import asyncio

import pytest
from structlog.testing import capture_logs

from monitor.model.event import Event
from monitor.model.node import NodeState
from tests.simulated.mirrored import mirrored
from tests.simulated.virtual import node_id, small_swarm, virtual


@virtual()
async def test_a_worker_has_no_swarm_and_becomes_a_manager_when_promoted() -> None:
    """On a worker the mirror is empty and quiet; after promotion it fills within 10 s."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    with capture_logs() as logs:
        async with mirrored(swarm, "w1") as watched:
            assert watched.mirror.state == "worker"
            assert not watched.mirror.fresh
            assert "worker" in watched.mirror.why
            start = watched.now()
            await asyncio.sleep(600)
            assert watched.calls_since(start, "nodes") <= 121
            assert watched.calls_since(start, "services", "tasks") == 0
            swarm.set_node(node_id(swarm, "w1"), role="manager")
            await asyncio.sleep(10.1)
            assert watched.mirror.state == "manager"
            assert watched.mirror.fresh
            assert watched.differences() == []
    assert len([log for log in logs if log["log_level"] != "debug"]) <= 4


@virtual()
async def test_a_demoted_manager_empties_itself() -> None:
    """A worker must not go on with what it knew as a manager; everybody is told."""
    swarm = small_swarm()
    swarm.add_node("m2", "manager")
    web = swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    async with mirrored(swarm, "m2") as watched:
        await asyncio.sleep(5)
        watched.changed.clear()
        # The first of them to know is not the engine: it answers for a moment still.
        watched.mirror.hint(
            Event("node", "update", node_id(swarm, "m2"), 1, {"role.new": "worker"}, "swarm")
        )
        await asyncio.sleep(1)
        assert watched.mirror.state == "manager"
        swarm.set_node(node_id(swarm, "m2"), role="worker")
        await asyncio.sleep(2.1)
        assert watched.mirror.state == "worker"
        assert dict(watched.mirror.services()) == {}
        assert dict(watched.mirror.nodes()) == {}
        assert watched.mirror.view(web) is None
        assert any(web in ids for _, ids in watched.changed)


@virtual()
async def test_a_manager_without_a_leader_keeps_old_facts() -> None:
    """Quorum lost: not fresh at once, nothing dropped, back as soon as there is a leader."""
    swarm = small_swarm()
    web = swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        swarm.has_leader = False
        watched.mirror.expect([web])
        await asyncio.sleep(0.01)
        assert not watched.mirror.fresh
        assert watched.mirror.state == "unreachable"
        assert "leader" in watched.mirror.why
        assert watched.mirror.view(web).fresh is False
        assert len(watched.mirror.view(web).running_tasks) == 3
        await asyncio.sleep(120)
        swarm.has_leader = True
        await asyncio.sleep(30.1)
        assert watched.mirror.fresh
        assert watched.differences() == []


@virtual()
async def test_an_engine_that_is_away_is_asked_ever_more_rarely() -> None:
    """Away for ten minutes: some thirty attempts, one line when lost and one when back."""
    swarm = small_swarm()
    web = swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    with capture_logs() as logs:
        async with mirrored(swarm) as watched:
            await asyncio.sleep(5)
            watched.engine.cut_off()
            await asyncio.sleep(31)
            start = watched.now()
            assert not watched.mirror.fresh
            assert watched.mirror.state == "unreachable"
            await asyncio.sleep(600)
            assert watched.calls_since(start, "services") <= 45
            swarm.scale("web", 5)
            watched.engine.restore()
            await asyncio.sleep(31)
            assert watched.mirror.fresh
            assert watched.mirror.view(web).service.replicas == 5
            assert watched.differences() == []
    told = [log["event"] for log in logs if "touch" in log["event"]]
    assert told == ["not in touch with the Swarm", "in touch with the Swarm again"]


@virtual()
async def test_a_reconnected_stream_makes_it_try_at_once() -> None:
    """`resync` cuts a long pause short: back within the call's own time."""
    swarm = small_swarm()
    async with mirrored(swarm, events=False) as watched:
        watched.engine.cut_off()
        await asyncio.sleep(300)
        assert not watched.mirror.fresh
        watched.engine.restore()
        watched.mirror.resync("the event stream was connected")
        await asyncio.sleep(0.01)
        assert watched.mirror.fresh


@virtual()
async def test_a_frozen_engine_is_noticed_and_survived() -> None:
    """Not fresh 10 s after the first call without an answer; right again after the thaw."""
    swarm = small_swarm()
    web = swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        watched.engine.freeze()
        watched.mirror.expect([web])
        await asyncio.sleep(9.9)
        assert watched.mirror.fresh
        await asyncio.sleep(0.2)
        assert not watched.mirror.fresh
        assert watched.mirror.view(web).fresh is False
        start = watched.now()
        await asyncio.sleep(300)
        assert watched.calls_since(start, "services") <= 12
        assert watched.mirror.state == "unreachable"
        swarm.scale("web", 6)
        watched.engine.thaw()
        await asyncio.sleep(31)
        assert watched.mirror.fresh
        assert watched.differences() == []


@virtual()
async def test_a_slow_engine_never_has_overlapping_reads_of_a_service() -> None:
    """Every call takes 5 s: at most the three of a list or two per service are under way."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3, cpu_reservation=100.0)
    async with mirrored(swarm) as watched:
        watched.engine.faults.slow = 5.0
        watched.engine.most_at_once = 0
        await asyncio.sleep(300)
        assert watched.engine.most_at_once <= 4  # the event stream's own call is one more
        assert watched.mirror.state == "manager"


@virtual()
async def test_a_restart_of_the_daemon_does_not_look_like_a_demotion() -> None:
    """The daemon that is only starting refuses like a worker; nothing is dropped for it."""
    swarm = small_swarm()
    web = swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        real = swarm.catalogue.identity
        swarm.has_leader = False
        swarm.catalogue.identity = lambda node: _pending(real(node))
        watched.mirror.expect([web])
        await asyncio.sleep(60)
        assert watched.mirror.state == "unreachable"
        assert watched.mirror.view(web) is not None
        swarm.has_leader = True
        swarm.catalogue.identity = real
        await asyncio.sleep(31)
        assert watched.mirror.fresh


def _pending(identity):
    from dataclasses import replace

    return replace(identity, swarm_state="pending", is_manager=False)


@virtual()
async def test_a_callback_that_fails_is_not_swallowed() -> None:
    """A fault of our own ends `run` with that very exception."""
    from monitor.cluster.mirror import Mirror

    swarm = small_swarm()
    swarm.create_service("web")
    engine = swarm.engine(node_id(swarm, "m1"))

    def fail(_: frozenset[str]) -> None:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        await Mirror(engine, swarm.clock, fail).run()


@virtual()
async def test_last_sync_is_when_the_list_was_asked_for() -> None:
    """Facts are at least as new as `last_sync`; both clocks agree on it."""
    swarm = small_swarm()
    async with mirrored(swarm) as watched:
        before = watched.now()
        await asyncio.sleep(100)
        mirror = watched.mirror
        assert before < mirror.last_sync_mono <= watched.now()
        assert watched.now() - mirror.last_sync_mono < 31
        wall_age = swarm.clock.now().wall - mirror.last_sync_wall
        assert wall_age == pytest.approx(watched.now() - mirror.last_sync_mono, abs=1e-3)
        assert swarm.store.nodes[watched.engine.node_id].state is NodeState.READY
