"""One task stopped on its node: that one, once, and nothing else whatever is sent."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from monitor.act.permit import Permit
from monitor.act.stop_desk import ANSWER_AFTER, StopDesk
from monitor.act.writer import Writer
from monitor.model.action import RestartTask
from monitor.model.cause import Cause
from monitor.model.outcome import OutcomeKind
from monitor.model.peer import Command, CommandResult
from monitor.model.stop_task import STOP_TASK, StopOrder
from monitor.model.task import TaskState
from monitor.ports.errors import Unreachable
from monitor.simulate.executor import Behaviour
from monitor.simulate.state import SimTask
from monitor.simulate.swarm import Swarm
from tests.simulated.agents import Agents
from tests.simulated.fleet_rules import fleet_of
from tests.simulated.virtual import node_id, small_swarm, virtual
from tests.unit.build import decision


def desk(swarm: Swarm, node: str, own: str | None = None, **parts: Any) -> StopDesk:
    """The desk of a node's agent, whose own service is `own`."""
    where = node_id(swarm, node)
    engine = swarm.engine(where)
    return StopDesk(engine, swarm.clock, node_id=lambda: where, own_service_id=lambda: own, **parts)


def order_of(task: SimTask, **changed: Any) -> StopOrder:
    order = StopOrder(task.id, task.service_id, task.node_id, task.container_id)
    return replace(order, **changed)


def command(order: StopOrder | dict[str, Any], number: int = 1, **fields: Any) -> Command:
    arguments = order if isinstance(order, dict) else order.as_arguments()
    return replace(Command(f"d{number}", STOP_TASK, 1, 5.0, arguments), **fields)


async def two_services(workers: int = 1) -> Swarm:
    """`web` and `db`, two tasks each, all on w1 where there is one worker."""
    swarm = small_swarm(workers=workers)
    for name in ("web", "db"):
        swarm.create_service(name, replicas=2, constraints=("node.role==worker",))
        await swarm.converged(name)
    return swarm


def alive(swarm: Swarm) -> set[str]:
    return {task.id for name in ("web", "db") for task in swarm.running(name)}


@virtual()
async def test_the_task_is_stopped_and_swarm_replaces_it() -> None:
    """Its service is back at two tasks, the other one is the same as before."""
    swarm = await two_services()
    first, second = swarm.running("web")
    result = await desk(swarm, "w1").carry_out(command(order_of(first)))
    assert result == CommandResult("d1", done=True, detail="its container has stopped")
    await swarm.converged("web")
    left = {task.id for task in swarm.running("web")}
    assert second.id in left
    assert first.id not in left
    assert len(left) == 2


@pytest.mark.parametrize("node", ["m1", "w1"])
@virtual()
async def test_forged_orders_stop_nothing(node: str) -> None:
    """Any mixture of ids of what there is, and of what there is not, on a manager and a worker."""
    swarm = small_swarm(workers=1)
    here = (f"node.hostname=={node}",)
    for name in ("web", "db"):
        swarm.create_service(name, replicas=2, constraints=here)
        await swarm.converged(name)
    web, db = swarm.running("web")[0], swarm.running("db")[0]
    other = swarm.running("web")[1]
    before = alive(swarm)
    good = order_of(web)
    forged: list[Any] = [
        order_of(web, container_id=db.container_id),
        order_of(web, container_id=other.container_id),
        order_of(web, container_id="0" * 64),
        order_of(web, task_id=db.id),
        order_of(web, task_id=other.id),
        order_of(web, task_id="nosuchtask"),
        order_of(web, service_id=db.service_id),
        order_of(web, service_id="nosuchservice"),
        order_of(web, node_id=node_id(swarm, "w1" if node == "m1" else "m1")),
        good.as_arguments() | {"container_id": web.container_id[:12]},
        good.as_arguments() | {"container_id": web.name},
        good.as_arguments() | {"grace": -1},
        {},
    ]
    table = desk(swarm, node)
    for number, order in enumerate(forged):
        result = await table.carry_out(command(order, number))
        assert not result.done, order
        assert result.known
    for fields in ({"kind": "kill_task"}, {"expires_in": 0.0}):
        assert not (await table.carry_out(command(good, 99, **fields))).done
    await asyncio.sleep(30)
    assert alive(swarm) == before
    assert (await table.carry_out(command(good, 100))).done


@virtual()
async def test_its_own_tasks_and_container_are_never_stopped() -> None:
    """Whether it knows itself by its service or by its container alone."""
    swarm = await two_services()
    task = swarm.running("web")[0]
    by_service = desk(swarm, "w1", own=task.service_id)
    by_container = desk(swarm, "w1", own_container_id=task.container_id)
    for table in (by_service, by_container):
        result = await table.carry_out(command(order_of(task)))
        assert result.detail == "That is a task of this very program."
    assert task.state is TaskState.RUNNING


@virtual()
async def test_a_container_that_is_stopping_is_not_stopped_again() -> None:
    """The sender has its answer long before a long grace period is over."""
    swarm = await two_services()
    swarm.behaviours[swarm.service("web").spec["TaskTemplate"]["ContainerSpec"]["Image"]] = (
        Behaviour(stop=60.0)
    )
    task = swarm.running("web")[0]
    table = desk(swarm, "w1")
    async with table.open():
        began = swarm.mono()
        result = await table.carry_out(command(order_of(task, grace=40)))
        assert result.done
        assert "40 s" in result.detail
        assert swarm.mono() - began == pytest.approx(ANSWER_AFTER, abs=0.1)
        again = await table.carry_out(command(order_of(task, grace=40), 2))
        assert again.detail == "That container is being stopped."
        await asyncio.sleep(30)
        assert task.state is TaskState.RUNNING
        await asyncio.sleep(10)
        assert (task.state, task.exit_code) == (TaskState.FAILED, 137)


@virtual()
async def test_a_term_that_is_over_is_refused() -> None:
    """An actor that was cut off and comes back late has its commands refused."""
    swarm = await two_services()
    first, second = swarm.running("web")
    table = desk(swarm, "w1")
    assert (await table.carry_out(command(order_of(first), 1, term=7))).done
    late = await table.carry_out(command(order_of(second), 2, term=6))
    assert late.detail == "Another agent acts since this was decided."
    assert second.state is TaskState.RUNNING


@virtual()
async def test_what_becomes_of_it_is_not_known_where_the_engine_goes_away() -> None:
    """The stop may have begun: that is neither done nor refused."""
    swarm = await two_services()
    task = swarm.running("web")[0]
    engine = swarm.engine(task.node_id)
    engine.faults.fail_next("stop", Unreachable("gone"))
    result = await desk(swarm, "w1").carry_out(command(order_of(task)))
    assert (result.done, result.known) == (False, False)
    engine.faults.fail_next("containers", Unreachable("gone"))
    result = await desk(swarm, "w1").carry_out(command(order_of(task), 2))
    assert (result.done, result.known) == (False, True)


# The actor's side


class Line:
    """Hands that carry out on the node's desk; `sent` are the commands."""

    def __init__(self, *desks: tuple[str, StopDesk]) -> None:
        self.desks = dict(desks)
        self.sent: list[Command] = []

    async def command(self, node: str, order: Command) -> CommandResult:
        self.sent.append(order)
        return await self.desks[node].carry_out(order)


class Always:
    def term(self) -> int:
        return 3

    def why_not(self) -> str:
        return ""


def stopping(swarm: Swarm, task: SimTask, **fields: Any) -> Any:
    service = swarm.service(task.service_id)
    given: dict[str, Any] = {
        "time": swarm.clock.now(),
        "service_id": service.id,
        "version": service.version,
    }
    return decision(
        RestartTask(task.id, task.node_id, task.container_id, str(task.place)), **(given | fields)
    )


@virtual()
async def test_the_actor_sends_what_a_manager_says_of_the_task() -> None:
    """Node, container and grace period are those of the Swarm right before."""
    swarm = await two_services()
    swarm.change(
        "web",
        lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(StopGracePeriod=7 * 10**9),
    )
    await swarm.converged("web")
    await asyncio.sleep(10)
    task = swarm.running("web")[0]
    line = Line((task.node_id, desk(swarm, "w1")))
    writer = Writer(swarm.engine(node_id(swarm, "m1")), Always(), swarm.clock, hands=line)
    outcome = await writer.write(stopping(swarm, task), Permit(3))
    assert outcome.kind is OutcomeKind.APPLIED
    (sent,) = line.sent
    assert StopOrder.read(sent.arguments) == order_of(task, grace=7)
    assert 4.5 < sent.expires_in <= 5.0
    assert sent.term == 3


@virtual()
async def test_the_actor_refuses_before_anything_is_sent() -> None:
    """By the service as it is now, by its term, by the age of the decision."""
    swarm = await two_services()
    task, service = swarm.running("web")[0], swarm.service("web")
    line = Line()
    writer = Writer(swarm.engine(node_id(swarm, "m1")), Always(), swarm.clock, hands=line)
    now = swarm.clock.now()
    refused = {
        "over 5 s": stopping(swarm, task, time=replace(now, mono=now.mono - 6)),
        "has no task": stopping(swarm, swarm.running("db")[0], service_id=service.id,
                                version=service.version),
    }  # fmt: skip
    for words, made in refused.items():
        outcome = await writer.write(made, Permit(3))
        assert outcome.kind is OutcomeKind.REFUSED
        assert words in outcome.detail
    assert (await writer.write(stopping(swarm, task), Permit(2))).kind is OutcomeKind.REFUSED
    stale = await writer.write(stopping(swarm, task, version=1), Permit(3))
    assert stale.kind is OutcomeKind.CONFLICT
    swarm.change("web", lambda spec: spec["TaskTemplate"].update(
        RestartPolicy={"Condition": "on-failure"}))  # fmt: skip
    await swarm.converged("web")
    outcome = await writer.write(stopping(swarm, swarm.running("web")[0]), Permit(3))
    assert "--restart-condition any" in outcome.detail
    assert line.sent == []


# Over the streams of a whole fleet


@fleet_of()
async def test_through_the_fleet_on_every_node(made: Agents) -> None:
    """From the actor to the agents of workers, of other managers and its own; each task once, its
    end is a rule's, and no other task is touched."""
    service_id = await made.service("web", replicas=None)
    await asyncio.sleep(5)
    actor = made.actor()
    writer = actor.core.controller.writes._writer
    term = actor.core.actorship.term()
    assert term is not None
    for number, task in enumerate(made.swarm.running("web")):
        others = {one.id for one in made.swarm.running("web")} - {task.id}
        action = stopping(made.swarm, task, id=f"leak/{service_id}/{number}", rule="leak")
        outcome = await writer.write(action, Permit(term))
        assert outcome.kind is OutcomeKind.APPLIED, outcome
        actor.core.controller._observer.wrote(action, outcome)
        await made.until(lambda: len(made.swarm.running("web")) == 5, within=20)
        now = {one.id for one in made.swarm.running("web")}
        assert others < now
        assert task.id not in now
    await asyncio.sleep(20)
    causes = [end.cause for end in actor.core.ends.of("web") if end.cause is not None]
    assert causes == [Cause.RESTART_RULE] * 5
    view = actor.core.mirror.view(service_id)
    assert view is not None
    assert view.failed_at == ()


@fleet_of()
async def test_a_node_with_another_secret_is_not_reached(made: Agents) -> None:
    """Nothing is stopped there, and the outcome says that it was not sent."""
    await made.service("web", replicas=1, constraints=("node.hostname==w1",))
    made.secrets["w1"] = b"another secret than the others have"
    made.kill("w1")
    await asyncio.sleep(30)
    actor, task = made.actor(), made.swarm.running("web")[0]
    term = actor.core.actorship.term()
    assert term is not None
    writer = actor.core.controller.writes._writer
    outcome = await writer.write(stopping(made.swarm, task), Permit(term))
    assert outcome.kind is OutcomeKind.REFUSED
    assert task.state is TaskState.RUNNING
    assert "not sent" in outcome.detail
