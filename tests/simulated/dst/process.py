"""One agent of a fleet under test: with rule files, numbers from Prometheus and /metrics."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitor.act.permit import Permit
from monitor.control.by_hand import BY_HAND
from monitor.control.observer import Observer
from monitor.control.writes import GIVEN_UP
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome
from monitor.model.peer import Command, CommandResult, PeerState
from monitor.model.rule import RuleSet, ScaleRule
from monitor.model.view import ServiceView
from monitor.ports.clock import Clock
from monitor.sources.numbers import Numbers
from tests.simulated.agent_process import Process
from tests.simulated.dst.exposed import Exposed
from tests.simulated.dst.hasty import Wishes
from tests.simulated.dst.history import Decided, Learned, Life, Misjudged, Ruled, Sent
from tests.simulated.dst.prometheus import ADDRESS
from tests.simulated.dst.rule_files import FollowedRules
from tests.simulated.dst.said import Outcomes

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

LOST = "its node is down"
DOWN_LATELY = 60.0
"""Seconds for which an agent may not know yet that a node is there again."""

IN_TOUCH = 5.0
"""Seconds for which two agents must have known of each other's rules before it counts."""


@dataclass
class Told:
    """Puts decisions and outcomes into the history; of those alike in a row only the first."""

    process: "FleetProcess"

    def __post_init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[object, ...]] = {}
        self._wishes = Wishes(self.process)
        self.outcomes: Outcomes = Counter()

    def decided(self, decision: Decision, new: bool) -> None:
        self.process.exposed.reports.decided(decision, new)
        self._left_out(decision)
        self._wishes.decided(decision)
        key = decision.rule, decision.service_name or decision.node_name
        what = (decision.action, decision.reason, decision.current, decision.version)
        self.process.latest[key] = decision
        if decision.action is None and self._last.get(key) == what:
            return
        self._last[key] = what
        world, name = self.process.world, self.process.name
        world.history.add(Decided(world.now(), name, self.process._named(decision)))

    def _left_out(self, decision: Decision) -> None:
        """Only a node that is down takes its tasks with it; not one of which nobody knows."""
        world = self.process.world
        for one in decision.inputs:
            task = world.swarm.store.tasks.get(one.task_id)
            if one.note != LOST or task is None or task.state.ended:
                continue
            if world.now() - world.was_down.get(task.node_id, float("-inf")) > DOWN_LATELY:
                state = world.swarm.node(task.node_id).state
                what = f"{one.task_id} as lost, on a node that is {state}"
                name = f"{self.process.name}|{decision.rule}/{decision.service_name}"
                world.note(Misjudged(world.now(), name, what))

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        self.process.exposed.reports.wrote(decision, outcome)
        world, name = self.process.world, self.process.name
        if decision.service_id:
            self.outcomes[decision.rule, decision.service_name, str(outcome.kind)] += 1
        awaited = outcome.detail != GIVEN_UP
        known = Learned(world.now(), name, f"{name}|{decision.id}", str(outcome.kind), awaited)
        world.history.add(known)

    def learned(self, decision: Decision, outcome: Outcome | None) -> None: ...

    def forgot(self, rule: str, service_name: str) -> None:
        self.process.exposed.reports.forgot(rule, service_name)
        self._keep(lambda of, name: (of, name) != (rule, service_name))

    def keep_rules(self, rules: RuleSet) -> None:
        """What other rules did is not told any more."""
        names = {BY_HAND, *(rule.name for rule in rules.rules)}
        self._keep(lambda rule, _: rule in names)

    def _keep(self, wanted: Callable[[str, str], bool]) -> None:
        self.outcomes = Counter({key: n for key, n in self.outcomes.items() if wanted(*key[:2])})


UNHINDERED = 13.0
"""Seconds before its end in which nothing was between an agent and its engine: it takes 10 s to
stop, and what it had to write before."""


class FleetProcess(Process):
    fleet: "World"
    rules: FollowedRules
    exposed: Exposed
    told: Told

    def __init__(self, fleet: "World", node: str, node_id: str, number: int) -> None:
        self.world = fleet
        self.stopping = False
        self.out_of_touch_at = self.digest_since = fleet.now()
        self.steps_left: int | None = None
        self._up_since: dict[str, tuple[str, float]] = {}
        super().__init__(fleet, node, node_id, number)
        self.tell("begins")
        self.run.add_done_callback(self._ended)

    def tell(self, what: str, note: str = "") -> None:
        self.world.history.add(Life(self.world.now(), self.name, self.node, what, note))

    def _ended(self, _: object) -> None:
        """By itself, or because it was told to; not where it was killed."""
        if not self.killed:
            touch = self.world.touch(self.name)
            self.tell("ended", "" if touch > UNHINDERED else "something was in its way")

    # Its parts

    def observer(self) -> Observer:
        self.told = Told(self)
        return self.told

    def core_parts(self, clock: Clock) -> dict[str, Any]:
        self._clock, prometheus = clock, self.world.prometheus
        self.rules = FollowedRules(
            lambda: self.world.files[self.node], self._use_rules, self._looked, clock=clock
        )
        self._digest_before, self._in_force = "", RuleSet()
        self.numbers = Numbers(clock, prometheus=ADDRESS, opened=prometheus.opened)
        return {
            "numbers": self.numbers,
            "on_change": self._views_changed,
        }

    def use_first_rules(self) -> None:
        self.exposed = Exposed(self, self._clock)
        self._record_orders()
        self.rules.look()

    def beside(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {
            "fleet": self.streams.run,
            "rules": self.rules.run,
            "sources": self.numbers.run,
        }

    def digest(self) -> str:
        return self.rules.current().digest

    def _views_changed(self, service_ids: frozenset[str]) -> None:
        self.exposed.series.changed(service_ids)

    def _use_rules(self, rules: RuleSet) -> None:
        self._in_force = rules
        self.digest_since = self.world.now()
        self.exposed.reports.use_rules(rules)
        self.told.keep_rules(rules)
        self.core.controller.use_rules(rules)

    def _looked(self) -> None:
        before, self._digest_before = self._digest_before, self.digest()
        bounds = {
            rule.name: (rule.min, rule.max)
            for rule in self._in_force.rules
            if isinstance(rule, ScaleRule)
        }
        good = self.rules.status().last_reload_successful
        world = self.world
        problems = self.rules.problems()
        world.history.add(
            Ruled(
                *(world.now(), self.name, good, before, self.digest()),
                *(self.core.controller.rules.digest, bounds, problems),
            )
        )

    # What is put on record

    def _record_orders(self) -> None:
        """What the actor has done on a node is sent as a write is."""
        hands = self.core.hands
        command = hands.command

        async def recorded(node_id: str, order: Command) -> CommandResult:
            self.sends(str(order.arguments["service_id"]))
            return await command(node_id, order)

        hands.command = recorded  # type: ignore[method-assign]
        writes = self.core.controller.writes
        carry_out = writes.carry_out

        async def by_hand(decision: Decision, permit: Permit, view: ServiceView) -> Outcome:
            """A person's wish is decided nowhere else, and carried out by who asks."""
            self.world.note(Decided(self.world.now(), self.name, self._named(decision)))
            task = asyncio.current_task()
            assert task is not None
            task.set_name(f"write {decision.id}")
            return await carry_out(decision, permit, view)

        writes.carry_out = by_hand  # type: ignore[method-assign]

    def _named(self, decision: Decision) -> Decision:
        return replace(decision, id=f"{self.name}|{decision.id}")

    async def stop_container(self, container_id: str, grace: int | None) -> None:
        task = self.world.ward.stops(self, container_id)
        await super().stop_container(container_id, grace)
        if task is not None:
            self.world.ward.was_stopped(task)

    def sets(self, node_id: str) -> None:
        self._sent(f"node {self.world.swarm.node(node_id).name}", 0.0)

    def sends(self, service_id: str) -> None:
        services = self.world.swarm.store.services
        name = services[service_id].name if service_id in services else ""
        self._sent(name, self.world.unheard(self, service_id))

    def _sent(self, what: str, unheard: float) -> None:
        task = asyncio.current_task()
        decision = task.get_name().removeprefix("write ") if task else ""
        world = self.world
        holder, written_at = world.holder
        world.history.add(
            Sent(
                world.now(),
                self.name,
                f"{self.name}|{decision}",
                what,
                self.core.lease.term(),
                holder,
                written_at,
                unheard,
                self.digest(),
                self._other_rules(),
            )
        )

    def look_at_peers(self) -> None:
        """Since when it has been in touch with which run of which agent."""
        before, self._up_since = self._up_since, {}
        for node_id, peer in self.streams.peers().items():
            if peer.state is PeerState.UP and peer.about is not None:
                boot, since = before.get(node_id, ("", 0.0))
                if boot != peer.about.boot_id:
                    boot, since = peer.about.boot_id, self.world.now()
                self._up_since[node_id] = (boot, since)

    def _other_rules(self) -> tuple[str, ...]:
        """Digests that other managers' agents have had for a while, and that it should know."""
        self.look_at_peers()
        latest = self.world.now() - IN_TOUCH
        known = {node_id for node_id, (_, since) in self._up_since.items() if since < latest}
        return tuple(
            other.digest()
            for other in self.world.managers_agents()
            if other is not self
            and other.node_id in known
            and max(other.digest_since, other.out_of_touch_at, self.out_of_touch_at) < latest
            and not self.world.cut_lately(self.node, other.node)
        )

    def freeze(self) -> None:
        if self.alive:
            self.tell("frozen")
        super().freeze()

    def thaw(self) -> None:
        if self.host.frozen:
            self.tell("thawed")
        self.out_of_touch_at = self.world.now()
        super().thaw()

    def kill(self) -> None:
        if not self.run.done() and not self.killed:
            self.tell("killed")
        super().kill()
