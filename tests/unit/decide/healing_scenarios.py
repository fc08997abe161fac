"""Situations of every restart condition and action, and of rebalancing, by name."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from monitor.decide import Recorded, record
from monitor.model.cause import Cause
from monitor.model.condition import (
    Cron,
    Exits,
    HealthFlapping,
    NumberBeyond,
    OlderThan,
    OomKills,
    Restarted,
    StuckIn,
    UnhealthyFor,
)
from monitor.model.container import Health
from monitor.model.evidence import Barred, Ended, Evidence, HealthChange, Moments, Spot, Target
from monitor.model.history import BreakerState, Course, Deploy, History, Trial
from monitor.model.rule import AllOf, AnyRule, RebalanceRule, RestartAction, RestartRule, When
from monitor.model.scalar import Number, PrometheusQuery
from monitor.model.selector import Selector
from monitor.model.service import RestartPolicy, Service, ServiceMode, UpdateState
from monitor.model.task import Task, TaskState
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from tests.unit.decide.make import NOW, VERSION, node, rule, service, task, view

M, W = NOW.mono, NOW.wall
CHECKED = service(2, has_health_check=True)
QUERY = PrometheusQuery("sum(errors)")
EXITS = Exits(3, 600.0)
NIGHTLY = Cron("0 4 * * *", "Europe/Berlin")
KNOWN = Deploy("t")


def restart(when: When, action: str = "restart_service", **changes: Any) -> RestartRule:
    selector = Selector(names=("web",))
    return RestartRule(
        name="heal", selector=selector, when=when, action=RestartAction(action), **changes
    )


def ended(*ago: float, cause: Cause = Cause.EXIT_ERROR, code: int | None = 1) -> tuple[Ended, ...]:
    """Ends of slot 1 on n1, so many seconds ago, the oldest first."""
    return tuple(
        Ended(f"old{n}", "1", "n1", M - seconds, cause, code) for n, seconds in enumerate(ago)
    )


def placed(slot: int, node_id: str = "n1", **changes: Any) -> Task:
    return task(slot, node_id=node_id, container_id=f"c{slot}", **changes)


def past(course: Course = Course(deploy=KNOWN), **changes: Any) -> History:  # noqa: B008
    return History(started=True, own_version=VERSION, course=course, **changes)


def of(
    the_rule: AnyRule,
    seen: ServiceView | None = None,
    evidence: Evidence = Evidence(),  # noqa: B008
    history: History | None = None,
    usage: Usage = Usage(),  # noqa: B008
) -> Recorded:
    found = view(2, tasks=[placed(1), placed(2)]) if seen is None else seen
    known = past() if history is None else history
    return record(the_rule, found, usage, known, NOW, evidence=evidence)


def seen(of: Service | None = None, tasks: list[Task] | None = None, **changes: Any) -> ServiceView:
    everyone = [placed(1), placed(2)] if tasks is None else tasks
    return view(2, of=of, tasks=everyone, **changes)


def judged() -> Iterator[tuple[str, Recorded]]:
    three = Evidence(ends=ended(300, 200, 20))
    yield "three exits", of(restart(EXITS), evidence=three)
    yield "two exits", of(restart(EXITS), evidence=Evidence(ends=ended(300, 20)))
    yield (
        "the third exit is too fresh",
        of(restart(EXITS), evidence=Evidence(ends=ended(300, 20, 4))),
    )
    yield (
        "exits before the last restart",
        of(restart(EXITS), evidence=three, history=past(restarts=(M - 100,))),
    )
    yield "exits by other codes", of(restart(Exits(1, 600.0, (3, 7))), evidence=three)
    yield (
        "stops by hand, by a rule and by a node",
        of(
            restart(Exits(1, 600.0)),
            evidence=Evidence(
                ends=(
                    *ended(300, cause=Cause.KILLED_BY_HAND, code=137),
                    *ended(200, cause=Cause.RESTART_RULE),
                    *ended(100, cause=Cause.ENGINE_STOPPED),
                    *ended(90, cause=Cause.NODE_DOWN),
                    *ended(80, cause=Cause.DRAIN),
                    *ended(70, cause=Cause.UNKNOWN, code=137),
                    *ended(60, cause=Cause.EXIT_ZERO, code=0),
                )
            ),
        ),
    )
    ooms = Evidence(ends=ended(300, 200, cause=Cause.OOM, code=137))
    yield "two out of memory", of(restart(OomKills(2, 3600.0)), evidence=ooms)
    sick = Evidence(health=(HealthChange("task1", "1", M - 130, Health.UNHEALTHY),))
    yield "unhealthy", of(restart(UnhealthyFor(120.0)), seen(CHECKED), sick)
    yield "unhealthy, not yet", of(restart(UnhealthyFor(300.0)), seen(CHECKED), sick)
    yield "no health check", of(restart(UnhealthyFor(120.0)), evidence=sick)
    flaps = Evidence(
        health=(HealthChange("old1", "1", M - 500, Health.UNHEALTHY),),
        ends=ended(400, cause=Cause.UNHEALTHY),
    )
    yield "flapping", of(restart(HealthFlapping(2, 3600.0), "restart_task"), seen(CHECKED), flaps)
    yield "flapping, not yet", of(restart(HealthFlapping(3, 3600.0)), seen(CHECKED), flaps)
    starting = seen(tasks=[placed(1), placed(2, state=TaskState.STARTING, message="starting")])
    stuck = StuckIn(TaskState.STARTING, 300.0)
    key = "stuck_in starting for 300|task2"
    yield (
        "stuck",
        of(restart(stuck, "restart_task"), starting, history=past(holding=((key, M - 301),))),
    )
    yield "stuck, not yet", of(restart(stuck), starting, history=past(holding=((key, M - 200),)))
    old = seen(tasks=[placed(1, since=W - 8 * 86400), placed(2, since=W - 86400)])
    yield "a week old", of(restart(OlderThan(7 * 86400.0), "restart_task"), old)
    came = Evidence(moments={NIGHTLY.key: Moments(W - 60, W + 86340)})
    waits = Course(deploy=KNOWN, handled=((NIGHTLY.key, W - 86400),))
    yield "cron", of(restart(NIGHTLY), evidence=came, history=past(waits))
    yield "cron, first look", of(restart(NIGHTLY), evidence=came)
    late = Evidence(moments={NIGHTLY.key: Moments(W - 601, W + 80000)})
    yield "cron, missed", of(restart(NIGHTLY), evidence=late, history=past(waits))
    yield "cron, no calendar", of(restart(NIGHTLY), history=past(waits))
    after = Restarted("db")
    done = Evidence(restarted={"db": M - 5})
    follows = past(Course(deploy=KNOWN, handled=((after.key, M - 100),)))
    yield "after another service", of(restart(after), evidence=done, history=follows)
    yield "after another service, first look", of(restart(after), evidence=done)
    number = NumberBeyond("errors", QUERY, 5.0, True, 60.0)
    lasts = past(holding=(("errors True 5 for 60|", M - 61),))
    high = Usage(numbers={"errors": Number(9.0, 1.0)})
    yield "a number above", of(restart(number), history=lasts, usage=high)
    failing = Usage(numbers={"errors": Number(None, 1.0, "refused")})
    yield "a number that cannot be read", of(restart(number), history=lasts, usage=failing)
    both = AllOf((NIGHTLY, OlderThan(7 * 86400.0)))
    yield "cron and old", of(restart(both, "restart_task"), old, came, past(waits))


def acted() -> Iterator[tuple[str, Recorded]]:
    three = Evidence(ends=ended(300, 200, 20), rollback=Target("a1", "web:1"))
    yield "notify", of(restart(EXITS, "notify"), evidence=three)
    yield "park", of(restart(EXITS, "park"), evidence=three)
    everywhere = [replace(placed(n), slot=None, node_id=f"n{n}") for n in (1, 2)]
    spread = seen(service(None, mode=ServiceMode.GLOBAL), everywhere)
    yield "park a global service", of(restart(EXITS, "park"), spread, three)
    none = seen(service(0), [])
    yield "park twice", of(restart(EXITS, "park"), none, three)
    back = restart(EXITS, "rollback")
    yield "roll back", of(back, evidence=three)
    for state in (UpdateState.UPDATING, UpdateState.PAUSED, UpdateState.ROLLBACK_STARTED):
        yield (
            f"roll back while {state.value}",
            of(back, seen(service(2, update_state=state)), three),
        )
    yield "nothing to roll back to", of(back, evidence=replace(three, rollback=None))
    gone = replace(three, rollback=Target("a1", "web:1", "its secret key-1 is gone"))
    yield "what it needs is gone", of(back, evidence=gone)
    once = past(Course(deploy=Deploy("t", M - 900, rolled_back="bad")))
    yield "rolled back before", of(back, evidence=three, history=once)
    fresh = past(Course(deploy=Deploy("t", M - 25)))
    yield (
        "a deploy settles",
        of(restart(EXITS), evidence=Evidence(ends=ended(22, 20, 18)), history=fresh),
    )
    parked = Evidence(parked_by="heal")
    yield "parked", of(rule(), none, parked)


def single_tasks() -> Iterator[tuple[str, Recorded]]:
    old = [placed(1, since=W - 900), placed(2, since=W - 700)]
    aged = restart(OlderThan(600.0), "restart_task")
    yield "two old tasks", of(aged, seen(tasks=old))
    once = service(2, restart_policy=RestartPolicy("on-failure"))
    yield "no restart policy", of(aged, seen(once, old))
    tries = service(2, restart_policy=RestartPolicy("any", 3))
    yield "max attempts", of(aged, seen(tries, old))
    ending = service(2, update_state=UpdateState.COMPLETED, update_completed_at=W - 4)
    yield "a rollout just ended", of(aged, seen(ending, old))
    waits = replace(placed(2), state=TaskState.READY, desired_state=TaskState.READY)
    yield "the Swarm restarts another", of(aged, seen(tasks=[old[0], waits]))
    yield "no container", of(aged, seen(tasks=[replace(one, container_id="") for one in old]))
    yield "no agent", of(aged, seen(tasks=old), Evidence(agents=("n2",)))
    state = BreakerState((Trial("1", M - 700, True, 5),), M - 700)
    leak = restart(StuckIn(TaskState.STARTING, 60.0), "restart_task")
    stuck = seen(tasks=[placed(1, state=TaskState.STARTING), placed(2)])
    key = (("stuck_in starting for 60|task1", M - 61),)
    open_ = past(Course(deploy=KNOWN, breaker=state), holding=key)
    yield "breaker open", of(leak, stuck, history=open_)
    calm = past(Course(deploy=Deploy("t", M - 600), breaker=replace(state, calm_since=M - 100)))
    yield "breaker open, deploy does well", of(leak, history=calm)
    well = past(Course(deploy=Deploy("t", M - 690), breaker=replace(state, calm_since=M - 900)))
    yield "breaker closes", of(leak, history=well)


def balanced() -> Iterator[tuple[str, Recorded]]:
    spread = RebalanceRule(name="even", selector=Selector(names=("web",)), for_seconds=60.0)
    spots = tuple(Spot(f"n{n}", f"n{n}") for n in (1, 2, 3))
    six = service(6)
    crowd = [placed(n, f"n{1 + n % 2}", since=W - 100 + n) for n in range(1, 7)]
    nodes = [node("n2"), node("n3")]
    uneven = view(6, of=six, tasks=crowd, nodes=nodes)
    lasted = past(Course(deploy=KNOWN, layout="n1 n2 n3"), holding=(("skewed", M - 60),))
    here = Evidence(spots=spots)

    def even(evidence: Evidence = here, found: ServiceView = uneven, history: History = lasted,
             the_rule: RebalanceRule = spread) -> Recorded:  # fmt: skip
        return of(the_rule, found, evidence, history)

    yield "uneven", even()
    yield "uneven, not yet", even(history=past(holding=(("skewed", M - 20),)))
    yield "even", even(Evidence(spots=spots[:2]))
    full = Spot("n3", "n3", 0, short="memory to reserve")
    yield "others are full", even(Evidence(spots=(*spots[:2], full)))
    barred = [Barred(f"n{n}", "its constraint node.role==manager") for n in (3, 4, 5)]
    for count in (1, 2, 3):
        kept_out = Evidence(spots=spots[:2], barred=tuple(barred[:count]))
        yield f"none may run on {count} of them", even(kept_out)
    yield "nobody looked", even(Evidence())
    yield "another service first", even(replace(here, rebalancing="api"))
    yield "no agent there", even(replace(here, agents=("n3",)))
    yield (
        "no container there",
        even(found=replace(uneven, tasks=tuple(task(n) for n in range(1, 7)))),
    )
    yield "one replica", even(found=view(1, of=service(1), tasks=[placed(1)]))
    yield "a global one", even(found=view(of=service(None, mode=ServiceMode.GLOBAL), tasks=crowd))
    yield "preferences", even(found=replace(uneven, service=replace(six, spreads=True)))
    policy = replace(six, restart_policy=RestartPolicy("none"))
    yield "stopped tasks stay", even(found=replace(uneven, service=policy))
    rolling = replace(six, update_state=UpdateState.UPDATING)
    yield "a rollout", even(found=replace(uneven, service=rolling))
    done = replace(six, update_completed_at=W - 4)
    yield "a rollout has just ended", even(found=replace(uneven, service=done))
    running = [replace(one, node_id=f"n{2 + one.slot % 2}") for one in crowd]
    more = [replace(one, id=f"{one.id}b", node_id="n1", state=TaskState.STARTING) for one in crowd]
    odd = replace(uneven, tasks=(*running, *more))
    yield "what is there has to start", even(found=odd)
    yield (
        "a task starts",
        even(
            found=replace(uneven, tasks=(*crowd[:5], replace(crowd[5], state=TaskState.STARTING)))
        ),
    )
    yield "moved enough", even(history=replace(lasted, restarts=(M - 50,) * 20))
    new = replace(lasted, course=replace(lasted.course, deploy=Deploy("t", M - 10)))
    yield "just deployed", even(history=new)
    vain = replace(lasted.course, moves_in_vain=2)
    yield "in vain", even(history=replace(lasted, course=vain))
    joined = replace(spread, for_seconds=None, node_joined=60.0)
    back = (*spots[:2], Spot("n3", "n3", None, M - 30))
    yield "a node has just joined", even(Evidence(spots=back), the_rule=joined)
    yield (
        "a node joined",
        even(Evidence(spots=(*spots[:2], Spot("n3", "n3", 4, M - 60))), the_rule=joined),
    )
    yield "no node joined", even(the_rule=joined)


def healing() -> dict[str, Recorded]:
    found = (*judged(), *acted(), *single_tasks())
    named = {f"heal: {name}": recorded for name, recorded in found}
    return named | {f"rebalance: {name}": recorded for name, recorded in balanced()}
