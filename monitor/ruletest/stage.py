"""What a test's Swarm consists of, and what happens to it while the test runs."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

from monitor.model.task import TaskState
from monitor.ruletest.models import DeployGiven, NodeGiven, RuleTest, ServiceGiven
from monitor.simulate.executor import Behaviour
from monitor.simulate.state import Spec
from monitor.simulate.swarm import Swarm

_FAILS_EVERY = 2.0
_ROOMY_CORES, _ROOMY_BYTES = 10_000.0, 2**50


class Stage:
    """Nodes and services that are there before the start, and in `run` all that comes later.

    The agent's own node is a manager with room for everything; where the test has nodes of its
    own it is drained, so that tasks run on those alone.
    """

    def __init__(self, swarm: Swarm, test: RuleTest) -> None:
        self._swarm = swarm
        self._test = test
        self._deploys: Counter[str] = Counter()
        self._nodes: dict[str, str] = {}
        self.node_id = swarm.add_node(
            "m1", "manager", cpu_cores=_ROOMY_CORES, memory_bytes=_ROOMY_BYTES
        )
        if test.nodes:
            swarm.drain(self.node_id)
        for node in test.nodes:
            if node.joins == 0:
                self._join(node)
        for service in test.services:
            self._create(service)

    def id_of(self, node: str) -> str | None:
        """The id of a node of the test's own; None before it has joined."""
        return self._nodes.get(node)

    def availability(self, node: str) -> str:
        """ "" before it has joined."""
        node_id = self._nodes.get(node)
        return "" if node_id is None else self._swarm.node(node_id).availability.value

    async def spoil(self) -> None:
        """From the test's start on: tasks fail on the nodes that have become bad."""
        start = self._swarm.mono()
        bad = {node.name: node.breaks for node in self._test.nodes if node.breaks is not None}
        while bad:
            await asyncio.sleep(_FAILS_EVERY)
            for name, at in bad.items():
                if name in self._nodes and self._swarm.mono() - start >= at:
                    self._fail_tasks(self._nodes[name])

    def _fail_tasks(self, node_id: str) -> None:
        for task in list(self._swarm.store.tasks_on[node_id].values()):
            if task.state is TaskState.RUNNING and task.desired <= TaskState.RUNNING:
                self._swarm.end_task(task.id, 1)

    async def run(self) -> None:
        """From the test's start on: nodes join and leave and services are deployed, in order."""
        start = self._swarm.mono()
        for at, happen in sorted(self._happenings(), key=itemgetter(0)):
            await asyncio.sleep(max(start + at - self._swarm.mono(), 0.0))
            happen()

    def pending(self, service: str) -> int:
        """Tasks of the service that wait for a node."""
        return sum(
            task.state is TaskState.PENDING and task.desired <= TaskState.RUNNING
            for task in self._swarm.tasks(service)
        )

    def on(self, service: str) -> Counter[str]:
        """Running tasks of the service by the name of their node."""
        running = self._swarm.running(service)
        return Counter(self._swarm.node(task.node_id).name for task in running)

    def replicas(self, service: str) -> int:
        return int(self._swarm.service(service).spec["Mode"]["Replicated"]["Replicas"])

    def _happenings(self) -> Iterator[tuple[float, Callable[[], None]]]:
        for node in self._test.nodes:
            if node.joins > 0:
                yield node.joins, partial(self._join, node)
            if node.leaves is not None:
                yield node.leaves, partial(self._leave, node)
        for deploy in self._test.deploys:
            yield deploy.at, partial(self._deploy, deploy)

    def _join(self, given: NodeGiven) -> None:
        self._nodes[given.name] = self._swarm.add_node(
            given.name, cpu_cores=given.cpus, memory_bytes=given.memory
        )
        if given.labels:
            self._swarm.set_node(self._nodes[given.name], labels=dict(given.labels))

    def _leave(self, given: NodeGiven) -> None:
        self._swarm.node_down(self._nodes[given.name])

    def _create(self, given: ServiceGiven) -> None:
        labels = dict(given.labels)
        if given.stack is not None:
            labels["com.docker.stack.namespace"] = given.stack
        self._swarm.create_service(
            given.name,
            image=self._image(given, given.fails_after),
            replicas=given.replicas,
            labels=labels,
            cpu_limit=given.cpu_limit,
            cpu_reservation=given.cpu_reservation,
            memory_limit=given.memory_limit,
            memory_reservation=given.memory_reservation,
            start_period=given.start_period,
        )

    def _image(self, given: ServiceGiven, fails_after: float | None) -> str:
        """The next one of the service; all of them start alike."""
        self._deploys[given.name] += 1
        image = f"{given.name}:{self._deploys[given.name]}"
        self._swarm.behaviours[image] = Behaviour(start=given.start_time, exit_after=fails_after)
        return image

    def _deploy(self, deploy: DeployGiven) -> None:
        given = next(one for one in self._test.services if one.name == deploy.service)
        image = self._image(given, deploy.fails_after)

        def edit(spec: Spec) -> None:
            spec["TaskTemplate"]["ContainerSpec"]["Image"] = image
            spec["Mode"]["Replicated"]["Replicas"] = deploy.replicas

        self._swarm.change(deploy.service, edit)
