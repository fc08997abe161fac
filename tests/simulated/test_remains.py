"""After all agents of a Swarm were restarted, causes come from the engines' ended containers."""

from monitor.model.cause import Cause
from monitor.model.task import TaskState
from tests.simulated.agents import Agents
from tests.simulated.fleet_rules import ON_WORKERS, fleet_of


@fleet_of(limit=300.0)
async def test_all_agents_restarted_still_know_why_tasks_ended(made: Agents) -> None:
    """An end for want of memory on a worker, by exit code, and by a signal: the last is unknown
    afterwards, and nothing is made up."""
    wanted = {}
    for name in ("greedy", "failing", "killed"):
        await made.service(name, replicas=1, constraints=ON_WORKERS)
        (task,) = made.swarm.running(name)
        wanted[name] = task.id
    made.swarm.end_task(wanted["greedy"], oom=True)
    made.swarm.end_task(wanted["failing"], 3)
    made.swarm.kill_container(wanted["killed"])

    def causes() -> list[Cause | None]:
        ends = made.actor().core.ends
        return [
            next((end.cause for end in ends.of(name) if end.task_id == task_id), None)
            for name, task_id in wanted.items()
        ]

    await made.until(lambda: causes() == [Cause.OOM, Cause.EXIT_ERROR, Cause.KILLED_BY_HAND])
    before = list(made.all)
    for node in list(made.processes):
        made.kill(node)
    await made.until(lambda: any(one not in before for one in made.actors()), within=40)
    await made.until(lambda: causes() == [Cause.OOM, Cause.EXIT_ERROR, Cause.UNKNOWN])
    ended = [end for end in made.actor().core.ends.of("greedy") if end.state is TaskState.FAILED]
    assert [end.exit_code for end in ended] == [137]
