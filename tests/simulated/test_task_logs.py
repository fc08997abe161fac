"""The last log lines of ended tasks, over the streams of a whole fleet."""

import asyncio

from monitor.agent.log_desk import MOST_A_MINUTE, LogDesk
from monitor.model.cause import TaskEnd
from monitor.model.logs import LOGS_LABEL, READ_LOGS, LogOrder, TaskLog, lines_wanted
from monitor.model.peer import Command
from monitor.simulate.state import SimTask
from tests.simulated.agents import Agents, five_nodes
from tests.simulated.fleet_rules import ON_WORKERS, fleet_of
from tests.simulated.virtual import virtual


async def dead(made: Agents, name: str, labels: dict[str, str], *lines: str) -> SimTask:
    """A task on a worker that wrote these lines; it runs."""
    await made.service(name, replicas=1, constraints=ON_WORKERS, labels=labels)
    (task,) = made.swarm.running(name)
    made.swarm.logs[task.id] = list(lines)
    return task


async def shown(made: Agents, name: str, task: SimTask) -> TaskLog | None:
    """What the acting agent has of that task's log."""
    core = made.actor().core
    ends: list[TaskEnd] = [end for end in core.ends.of(name) if end.task_id == task.id]
    return (await core.task_logs.of(ends)).get(task.id)


@fleet_of(limit=300.0)
async def test_lines_come_from_the_nodes_agent_and_outlive_the_container(made: Agents) -> None:
    """As many as the label says; read at the end, so that a removed container takes nothing
    away; and none of a service that does not ask for them."""
    task = await dead(made, "web", {LOGS_LABEL: "2"}, "one", "two", "three")
    quiet = await dead(made, "quiet", {}, "a password")
    assert await shown(made, "web", task) is None
    for one in (task, quiet):
        made.swarm.end_task(one.id, 3)
    await asyncio.sleep(2)
    made.swarm.remove_container(task.id)
    assert await shown(made, "web", task) == TaskLog(("two", "three"))
    refused = await shown(made, "quiet", quiet)
    assert refused is not None
    assert refused.lines == ()
    assert "give it the label swarm-monitor.logs=20" in refused.why
    managers = [made.processes[name] for name in ("m1", "m2", "m3")]
    read = [one for one in managers if one.core.task_logs._kept]
    assert read == [made.actor()]


@fleet_of(limit=300.0)
async def test_who_acts_next_reads_what_is_still_there(made: Agents) -> None:
    """Of a container that was removed meanwhile it says so; of a node without agent, too."""
    task = await dead(made, "web", {LOGS_LABEL: "5"}, "last words")
    gone = await dead(made, "gone", {LOGS_LABEL: "5"}, "never read")
    for one in (task, gone):
        made.swarm.end_task(one.id, 1)
    await asyncio.sleep(2)
    before = made.actor()
    made.kill(before.node)
    await made.acting(but=before)
    made.swarm.remove_container(gone.id)
    await made.until(lambda: made.hears_all(made.actor().node))
    assert await shown(made, "web", task) == TaskLog(("last words",))
    lost = await shown(made, "gone", gone)
    assert lost == TaskLog(why="its container was removed, and its log with it")


@virtual(limit=200)
async def test_a_node_reads_only_that_tasks_ended_container_and_not_too_often() -> None:
    """Whoever knows the secret cannot have other logs, nor keep the engine busy."""
    swarm = five_nodes()
    try:
        swarm.create_service("web", replicas=10)
        await swarm.converged("web")
        one = swarm.running("web")[0]
        other = next(
            task for task in swarm.running("web") if task.node_id == one.node_id and task != one
        )
        swarm.end_task(one.id, 1)
        desk = LogDesk(swarm.engine(one.node_id), swarm.clock)

        async def ask(task: SimTask, container: SimTask, lines: int = 3):
            order = LogOrder(task.id, task.service_id, container.container_id, lines)
            return await desk.carry_out(Command("x", READ_LOGS, 0, 5.0, order.as_arguments()))

        assert (await ask(one, one)).done
        assert "are not those of the task" in (await ask(other, one)).detail
        assert "runs" in (await ask(other, other)).detail
        assert "lines is no number" in (await ask(one, one, 10**6)).detail
        for _ in range(MOST_A_MINUTE - 3):
            assert (await ask(one, one)).done
        assert "ask again" in (await ask(one, one)).detail
        await asyncio.sleep(61)
        assert (await ask(one, one)).done
    finally:
        swarm.close()


def test_the_label_is_a_number_of_lines() -> None:
    """Anything else asks for nothing, and is answered with what to write."""
    assert lines_wanted({LOGS_LABEL: "100"}) == 100
    for bad in ("0", "101", "yes", "-1", "9" * 5000, "²"):
        assert "write a number from 1 to 100" in str(lines_wanted({LOGS_LABEL: bad}))
