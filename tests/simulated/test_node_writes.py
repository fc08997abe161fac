"""The writer's last look at a node before it is drained or taken back."""

from typing import Any

import pytest

from monitor.act.permit import Permit
from monitor.act.writer import MAX_DECISION_AGE, Writer
from monitor.model.action import SetAvailability
from monitor.model.decision import Decision
from monitor.model.node import Availability
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.simulate.engine import SimulatedEngine
from monitor.simulate.swarm import Swarm
from tests.simulated.virtual import virtual

DRAIN, ACTIVE = Availability.DRAIN, Availability.ACTIVE


class Acts:
    """An actorship that is held under term 7, or not at all."""

    def __init__(self) -> None:
        self.held = 7

    def term(self) -> int:
        return self.held

    def why_not(self) -> str:
        return "another agent acts"


class Scene:
    """A manager, a worker with a label, and a writer on the manager."""

    def __init__(self) -> None:
        self.swarm = Swarm()
        self.manager = self.swarm.add_node("m1", "manager")
        self.worker = self.swarm.add_node("w1")
        self.swarm.set_node(self.worker, labels={"disk": "ssd"})
        self.acts = Acts()
        self.engine: SimulatedEngine = self.swarm.engine(self.manager)
        self.writer = Writer(self.engine, self.acts, self.swarm.clock)

    def decision(self, to: Availability = DRAIN, **changes: Any) -> Decision:
        now = self.swarm.clock.now()
        parts = {"version": self.swarm.node(self.worker).version, "time": now} | changes
        return Decision(
            rule="sick",
            service_id="",
            service_name="",
            current=None,
            desired=None,
            action=SetAvailability(self.worker, to, 600.0),
            reason=Reason.CONDITION_MET,
            sentence="",
            node_id=self.worker,
            node_name="w1",
            **parts,
        )

    async def write(self, decision: Decision, **permit: Any) -> Outcome:
        return await self.writer.write(decision, Permit(7, **permit))


@virtual()
async def test_nothing_but_availability_differs_from_what_was_read():
    """Role and labels stay, there and back; each is one write."""
    scene = Scene()
    before = (await scene.engine.node(scene.worker)).spec
    assert (await scene.write(scene.decision())).kind is OutcomeKind.APPLIED
    drained = (await scene.engine.node(scene.worker)).spec
    assert drained == {**before, "Availability": "drain"}
    assert (await scene.write(scene.decision(ACTIVE))).kind is OutcomeKind.APPLIED
    assert (await scene.engine.node(scene.worker)).spec == before
    assert scene.engine.calls["update_node"] == 2


async def _gone(scene: Scene) -> Outcome:
    decision = scene.decision()
    scene.swarm.remove_node(scene.worker)
    return await scene.write(decision)


async def _changed(scene: Scene) -> Outcome:
    decision = scene.decision()
    scene.swarm.set_node(scene.worker, labels={})
    return await scene.write(decision)


async def _drained(scene: Scene) -> Outcome:
    scene.swarm.drain(scene.worker)
    return await scene.write(scene.decision())


async def _paused(scene: Scene) -> Outcome:
    scene.swarm.set_node(scene.worker, availability=Availability.PAUSE)
    return await scene.write(scene.decision())


async def _pausing_is_kept(scene: Scene) -> Outcome:
    scene.swarm.set_node(scene.worker, availability=Availability.PAUSE)
    return await scene.write(scene.decision(ACTIVE))


async def _old(scene: Scene) -> Outcome:
    now = scene.swarm.clock.now()
    return await scene.write(scene.decision(time=Now(now.mono - MAX_DECISION_AGE - 1, now.wall)))


async def _not_actor(scene: Scene) -> Outcome:
    scene.acts.held = 8
    return await scene.write(scene.decision())


async def _withdrawn(scene: Scene) -> Outcome:
    return await scene.write(scene.decision(), withdrawn=lambda: "rule sick is paused")


async def _spared(scene: Scene) -> Outcome:
    return await scene.write(scene.decision(), spares=lambda nodes: f"one of {len(nodes)} nodes")


@pytest.mark.parametrize(
    ("attempt", "kind", "words"),
    [
        (_gone, OutcomeKind.REFUSED, "not part of the Swarm any more"),
        (_changed, OutcomeKind.CONFLICT, "changed since it was decided on"),
        (_drained, OutcomeKind.REFUSED, "already as wanted"),
        (_paused, OutcomeKind.REFUSED, "somebody has set w1 to pause"),
        (_pausing_is_kept, OutcomeKind.REFUSED, "somebody has set w1 to pause"),
        (_old, OutcomeKind.REFUSED, "s old, over 5 s"),
        (_not_actor, OutcomeKind.REFUSED, "does not act any more"),
        (_withdrawn, OutcomeKind.REFUSED, "rule sick is paused"),
        (_spared, OutcomeKind.REFUSED, "one of 2 nodes"),
    ],
)
def test_the_writer_refuses(attempt, kind, words):
    """Each with a reason that a person can read, and nothing is sent."""

    @virtual()
    async def run() -> None:
        scene = Scene()
        outcome = await attempt(scene)
        assert outcome.kind is kind
        assert words in outcome.detail
        assert scene.engine.calls["update_node"] == 0

    run()
