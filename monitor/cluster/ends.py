"""Why tasks ended, kept for a day, also where the Swarm has forgotten them.

A task's end is told in pieces, in any order and minutes apart: by its container's events, by the
lists, by its service and its node. All pieces are kept, and the cause is put together from them
whenever somebody asks; so it is the same whatever came first.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

from monitor.cluster.cause_facts import Facts
from monitor.cluster.causes import cause_of
from monitor.cluster.container_past import NOTHING_HEARD, ContainerPast, with_event
from monitor.cluster.node_past import NodePasts
from monitor.cluster.recovery import Recoveries
from monitor.cluster.service_past import ServicePast
from monitor.cluster.task_past import KEPT_SECONDS, TaskPast, TaskPasts
from monitor.model.cause import Cause, TaskEnd
from monitor.model.event import Event
from monitor.model.node import Node
from monitor.model.service import Service
from monitor.model.task import Task, TaskState

STRAYS = 5_000
"""Tasks whose containers were heard of and which no list has shown yet."""

STRAYS_SECONDS = 3600.0
SETTLING = 10.0
"""Seconds after which an end is counted: by then what tells its cause has come."""

_TIDY_EVERY = 60.0
_SKEW = 5.0
"""Seconds by which the clocks of managers and nodes may differ."""


class Ends:
    """`now` is wall seconds throughout. Nothing here waits or raises."""

    def __init__(self) -> None:
        self._services: dict[str, ServicePast] = {}
        self._tasks: dict[str, TaskPasts] = {}
        self._containers: dict[str, ContainerPast] = {}
        self._strays: dict[str, float] = {}
        self._known: dict[str, str] = {}  # service by task, of all that are in _tasks
        self._nodes = NodePasts()
        self._stopped: dict[str, str] = {}
        self._uncounted: dict[str, float] = {}
        self.recoveries = Recoveries()
        self._totals: Counter[tuple[str, Cause]] = Counter()
        self._counted: deque[TaskEnd] = deque(maxlen=STRAYS)
        self._tidied_at = 0.0
        self._told = 0  # counts what containers and rules told of single tasks
        self._lists: dict[str, tuple[object, tuple[TaskEnd, ...]]] = {}  # by service, told last

    # What is told

    def heard(self, event: Event, now: float) -> None:
        """An event of any engine; only those about containers of tasks are kept."""
        task_id = event.task_id
        if event.type != "container" or not task_id:
            return
        past = self._containers.get(task_id, NOTHING_HEARD)
        after = with_event(past, event)
        if after == past:
            return
        self._containers[task_id] = after
        self._told += 1
        if task_id not in self._known and task_id not in self._strays:
            self._strays[task_id] = now
            if len(self._strays) > STRAYS:
                self._drop_stray(next(iter(self._strays)))
        self._tidy(now)

    def tasks(
        self, service: Service, before: Sequence[Task] | None, after: Sequence[Task], now: float
    ) -> None:
        """The tasks of a service as they were and are. before: None where nobody had looked."""
        known = self._services.get(service.id)
        if known is None or service.version > known.service.version:
            self.service(service, now)
        pasts = self._tasks.setdefault(service.id, TaskPasts())
        if before is not None:
            self.recoveries.tasks(service, before, after, now, lost=self._lost)
        for task in after:
            past = pasts.seen(task, now)
            self._known[task.id] = service.id
            self._strays.pop(task.id, None)
            if past.over and not past.noted:
                past.noted = True
                if before is not None:
                    self._uncounted[task.id] = now + SETTLING
        listed = {task.id for task in after}
        for task in before or ():
            if task.id not in listed:
                past = pasts.dropped(task, now)
                self._known[task.id] = service.id
                if not past.noted:
                    past.noted = True
                    self._uncounted[task.id] = now + SETTLING
        for task_id in pasts.trim(now):
            self._forget(task_id)
        self._tidy(now)

    def service(self, service: Service, now: float) -> None:
        """A service as a manager tells it."""
        past = self._services.get(service.id)
        if past is None:
            self._services[service.id] = ServicePast(service)
        else:
            past.seen(service, now)

    def service_gone(self, service_id: str, now: float) -> None:
        past = self._services.get(service_id)
        if past is not None:
            past.gone(now)

    def nodes(self, nodes: Mapping[str, Node], now: float) -> None:
        """All nodes as managers tell them."""
        self._nodes.seen(nodes, now)

    def cut(self, node_id: str, now: float) -> None:
        """The event stream of a node's engine broke off, or began anew after it had."""
        if node_id:
            self._nodes.cut(node_id, now)

    def forced(self, service_id: str, version: int, rule: str) -> None:
        """A rule restarted the service, on this version of it."""
        past = self._services.get(service_id)
        if past is not None:
            past.forced(version, rule)

    def stopped(self, task_id: str, rule: str) -> None:
        """A rule had this one task stopped."""
        self._stopped[task_id] = rule
        self._told += 1
        if len(self._stopped) > STRAYS:
            del self._stopped[next(iter(self._stopped))]

    def lost_sight(self) -> None:
        """This node is no manager any more: what is known of the Swarm ends here."""
        totals, containers = self._totals, self._containers
        recoveries = self.recoveries
        self.__init__()  # type: ignore[misc]
        self._totals, self._containers, self.recoveries = totals, containers, recoveries
        self._strays = dict.fromkeys(containers, 0.0)

    # What is asked

    def names(self) -> Iterable[str]:
        """Of all services whose tasks are known here, those that were removed included."""
        return {past.service.name for past in self._services.values()}

    def of(self, service_name: str) -> Sequence[TaskEnd]:
        """All known tasks of services of that very name, newest first; live ones too."""
        found = [
            self._list(service_id, pasts)
            for service_id, pasts in self._tasks.items()
            if self._services[service_id].service.name == service_name
        ]
        if len(found) == 1:
            return found[0]
        return sorted((end for ends in found for end in ends), key=_newest_first)

    def _list(self, service_id: str, pasts: TaskPasts) -> tuple[TaskEnd, ...]:
        """Of one service, put together anew only where a piece came since."""
        service = self._services[service_id]
        key = (pasts.changes, service.changes, self._nodes.changes, self._told)
        known = self._lists.get(service_id)
        if known is not None and known[0] == key:
            return known[1]
        shown = (self._as_known(past, service, after) for past, after in pasts.with_successors())
        found = tuple(sorted(shown, key=_newest_first))
        self._lists[service_id] = key, found
        return found

    def _as_known(
        self, past: TaskPast, service: ServicePast, successor: TaskPast | None
    ) -> TaskEnd:
        """As `_shown`: anew only where a piece of this task came, or of its service or a node."""
        task_id = past.task.id
        key = (
            *(past.task, past.told, past.told_at, past.running_since, past.gone_at),
            self._containers.get(task_id),
            self._stopped.get(task_id),
            None if successor is None else successor.task.template,
            *(service.changes, self._nodes.changes),
        )
        if past.shown is None or past.shown[0] != key:
            past.shown = key, self._shown(past, service, successor)
        return past.shown[1]

    def totals(self, now: float) -> Mapping[tuple[str, Cause], int]:
        """Ends by service name and cause since this agent started, each counted once."""
        for task_id, at in list(self._uncounted.items()):
            service_id = self._known.get(task_id)
            past = self._tasks[service_id].get(task_id) if service_id is not None else None
            if past is None or service_id is None:
                del self._uncounted[task_id]
            elif now >= at:
                del self._uncounted[task_id]
                service = self._services[service_id]
                successor = self._tasks[service_id].successor(past)
                verdict = cause_of(self._facts(past, service, successor))
                cause = verdict.cause if verdict is not None else Cause.UNKNOWN
                if past.task.state.ended or past.gone_at is not None or cause is Cause.NODE_DOWN:
                    self._totals[service.service.name, cause] += 1
                    self._counted.append(self._shown(past, service, successor))
                else:
                    past.noted = False  # still being stopped: counted when it has ended
        return dict(self._totals)

    def counted(self, now: float) -> Iterable[TaskEnd]:
        """The newest ends that this agent saw come and whose causes are settled."""
        self.totals(now)
        return self._counted

    def _shown(self, past: TaskPast, service: ServicePast, successor: TaskPast | None) -> TaskEnd:
        task = past.task
        facts = self._facts(past, service, successor)
        verdict = cause_of(facts)
        ended_at = facts.ended_at if facts.over else None
        if verdict is not None and verdict.cause is Cause.NODE_DOWN and past.told is not None:
            ended_at = past.told_at  # what the node tells once it is back is of another time
        elif ended_at is None:
            ended_at = past.gone_at
        started_at = facts.container.started_at or past.running_since
        uptime = None
        if ended_at is not None and started_at is not None:
            uptime = max(ended_at - started_at, 0.0)
        dropped = past.gone_at is not None and not task.state.ended
        return TaskEnd(
            task_id=task.id,
            service_id=task.service_id,
            service_name=service.service.name,
            slot=task.slot,
            node_id=task.node_id,
            node_name=facts.node_name,
            image=task.image,
            state=TaskState.REMOVE if dropped else task.state,
            desired_state=task.desired_state,
            since=task.since if ended_at is None else ended_at,
            exit_code=facts.exit_code if facts.over else None,
            cause=None if verdict is None else verdict.cause,
            evidence="" if verdict is None else verdict.evidence,
            uptime=uptime,
            container_id=task.container_id,
            template=task.template,
        )

    def _facts(self, past: TaskPast, service: ServicePast, successor: TaskPast | None) -> Facts:
        task, nodes = past.task, self._nodes
        container = self._containers.get(task.id, NOTHING_HEARD)
        since, until = task.created_at - _SKEW, past.until
        same_again = successor is not None and successor.task.template == task.template
        replaced, rule = service.replaced(task.template, since, until)
        if replaced is None and not same_again and successor is not None:
            replaced = service.present(task.template)
        return Facts(
            task=task,
            node_name=nodes.name(task.node_id) if task.node_id else "",
            told=past.told,
            gone=past.gone_at is not None,
            container=container,
            replaced=replaced,
            rule=rule,
            stop_rule=self._stopped.get(task.id, ""),
            scaled=service.scaled(since, until),
            same_again=same_again,
            service_gone=service.gone_at is not None,
            drained=nodes.drained(task.node_id, since, until),
            down_at=nodes.down_at(task.node_id, since, until),
            node_gone=nodes.gone(task.node_id),
            away=task.state.ended
            and nodes.away(
                task.node_id,
                container.died_at,
                task.since,
                past.running_since or task.created_at,
            )
            and (container.died_at is not None or task.exit_code == 255),
        )

    # Bounds

    def _tidy(self, now: float) -> None:
        if now - self._tidied_at < _TIDY_EVERY:
            return
        self._tidied_at = now
        for task_id in [key for key, at in self._strays.items() if now - at > STRAYS_SECONDS]:
            self._drop_stray(task_id)
        for service_id, pasts in list(self._tasks.items()):
            for task_id in pasts.trim(now):
                self._forget(task_id)
            service = self._services[service_id]
            if service.gone_at is not None and now - service.gone_at > KEPT_SECONDS:
                for past in pasts.all():
                    self._forget(past.task.id)
                del self._tasks[service_id]
                self._lists.pop(service_id, None)
        for service_id, service in list(self._services.items()):
            if service.gone_at is not None and service_id not in self._tasks:
                del self._services[service_id]
                self._forget_totals(service.service.name)
        self._nodes.forget_gone(now - KEPT_SECONDS)

    def _lost(self, task: Task) -> bool:
        return self._nodes.is_down(task.node_id)

    def _forget_totals(self, name: str) -> None:
        """Series of services that are gone are not exported for ever."""
        if name not in self.names():
            self.recoveries.forget(name)
            for key in [key for key in self._totals if key[0] == name]:
                del self._totals[key]

    def _drop_stray(self, task_id: str) -> None:
        del self._strays[task_id]
        self._containers.pop(task_id, None)

    def _forget(self, task_id: str) -> None:
        self._known.pop(task_id, None)
        self._containers.pop(task_id, None)
        self._uncounted.pop(task_id, None)
        self._stopped.pop(task_id, None)


def _newest_first(end: TaskEnd) -> tuple[float, str]:
    return -end.since, end.task_id
