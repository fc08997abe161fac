"""Causes of recorded ends, in whatever order they are told; and the bounds of what is kept."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.cluster.ends import SETTLING, STRAYS, STRAYS_SECONDS, Ends
from monitor.cluster.task_past import KEPT_SECONDS, KEPT_TASKS
from monitor.model.cause import Cause
from monitor.model.event import Event
from monitor.model.node import Availability, Node, NodeState
from monitor.model.service import UpdateState
from monitor.model.task import TaskState
from tests.unit.build import service, task
from tests.unit.cluster.endings import Player, ended, recorded

CAUSES = {
    "kill_9": (Cause.KILLED_BY_HAND, None),
    "kill_15": (Cause.KILLED_BY_HAND, None),
    "docker_stop": (Cause.KILLED_BY_HAND, None),
    "rm_f": (Cause.REMOVED_BY_HAND, None),
    "oom": (Cause.OOM, Cause.OOM, Cause.SCALED_DOWN),
    "exit_0": (Cause.EXIT_ZERO, Cause.EXIT_ZERO, Cause.SCALED_DOWN),
    # Its last container ended by itself right before the service was scaled down.
    "exit_3": (Cause.EXIT_ERROR, Cause.EXIT_ERROR, Cause.EXIT_ERROR),
    "exit_137": (Cause.EXIT_ERROR, Cause.EXIT_ERROR, Cause.SCALED_DOWN),
    "unhealthy": (Cause.UNHEALTHY, None),
    "image_missing": (*[Cause.IMAGE_MISSING] * 5, None),
    "command_missing": (Cause.COMMAND_MISSING, Cause.COMMAND_MISSING, None),
    "mount_missing": (Cause.MOUNT_MISSING,) * 5,
    "user_missing": (*[Cause.START_FAILED] * 4, None),
    "port_taken": (*[Cause.PORT_CONFLICT] * 3, None),
    "port_pending": (None, Cause.PORT_CONFLICT),
    "no_node": (Cause.NO_SUITABLE_NODE,),
    "no_memory": (Cause.NO_SUITABLE_NODE,),
    "max_per_node": (None, Cause.NO_SUITABLE_NODE),
    "scaled_down": (None, Cause.SCALED_DOWN),
    "removed": (Cause.SCALED_DOWN,),
    "update": (Cause.UPDATE, None),
    "forced": (Cause.UPDATE, None),
    "start_first": (Cause.UPDATE, None),
    "rollback": (Cause.UPDATE, Cause.ROLLBACK, None),
    "auto_rollback": (Cause.UPDATE, Cause.EXIT_ERROR, Cause.ROLLBACK, None),
    "drain": (Cause.DRAIN, Cause.SCALED_DOWN),
    "engine_stopped": (Cause.ENGINE_STOPPED, Cause.SCALED_DOWN),
    "engine_crashed": (Cause.ENGINE_STOPPED, Cause.SCALED_DOWN),
    "node_down": (Cause.NODE_DOWN, None),
}
"""Of a recorded service's tasks in the order of their creation; None: it runs or starts."""


def causes(ends, name):
    created = {past.task.id: past.task.created_at for past in _pasts(ends)}
    found = sorted(ends.of(name), key=lambda end: (created[end.task_id], end.slot or 0))
    return tuple(end.cause for end in found)


def _pasts(ends):
    return [past for pasts in ends._tasks.values() for past in pasts.all()]


@pytest.mark.parametrize("name", CAUSES)
def test_every_recorded_end_has_its_true_cause(name):
    """What a real Swarm told while it happened comes to the cause that was brought about."""
    player = Player()
    for step in recorded(name):
        player.play(step)
    assert sorted(map(str, causes(player.ends, name))) == sorted(map(str, CAUSES[name]))
    for end in player.ends.of(name):
        assert bool(end.evidence) is (end.cause is not None)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.parametrize("name", CAUSES)
def test_the_order_of_arrival_is_no_matter(name, data):
    """Events may come long before or after the lists that show what they did, and in any order."""
    steps = recorded(name)
    lists = [step for step in steps if step.kind != "event"]
    events = data.draw(st.permutations([step for step in steps if step.kind == "event"]))
    straight, mixed = Player(), Player()
    for step in steps:
        straight.play(step)
    places = data.draw(
        st.lists(st.integers(0, len(lists)), min_size=len(events), max_size=len(events))
    )
    for position in range(len(lists) + 1):
        for event, place in zip(events, places, strict=True):
            if place == position:
                now = lists[min(position, len(lists) - 1)].at
                mixed.play(event, now)
                mixed.play(event, now)  # a stream that begins anew repeats some
        if position < len(lists):
            mixed.play(lists[position])
    assert mixed.ends.of(name) == straight.ends.of(name)


@pytest.mark.parametrize("name", CAUSES)
def test_what_was_told_before_is_told_again_only_while_it_is_true(name):
    """Asked after each step, it says what one says who kept nothing that was put together."""
    asked, forgetful = Player(), Player()
    for step in recorded(name):
        for player in (asked, forgetful):
            player.play(step)
        forgetful.ends._lists.clear()
        for past in _pasts(forgetful.ends):
            past.shown = None
        assert asked.ends.of(name) == forgetful.ends.of(name)
        found = asked.ends.of(name)
        assert not found or asked.ends.of(name) is found


def test_without_any_events_nothing_is_made_up():
    """Where no agent heard the containers, an end by a signal is unknown, never a guess."""
    expected = {
        "kill_9": Cause.UNKNOWN,
        "rm_f": Cause.UNKNOWN,
        "oom": Cause.UNKNOWN,
        "exit_3": Cause.EXIT_ERROR,
        "engine_stopped": Cause.ENGINE_STOPPED,
        "node_down": Cause.NODE_DOWN,
    }
    for name, cause in expected.items():
        player = Player()
        for step in recorded(name):
            if step.kind not in ("event", "cut"):
                player.play(step)
        first = min(_pasts(player.ends), key=lambda past: past.task.created_at).task.id
        found = {end.task_id: end for end in player.ends.of(name)}[first]
        assert (name, found.cause) == (name, cause)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("update", Cause.UPDATE),
        ("rollback", Cause.ROLLBACK),
        ("image_missing", Cause.IMAGE_MISSING),
        ("exit_3", Cause.EXIT_ERROR),
        ("no_node", Cause.NO_SUITABLE_NODE),
    ],
)
def test_a_fresh_agent_reads_causes_from_the_history(name, cause):
    """Who comes after everything happened still learns what the Swarm's own objects tell."""
    player = Player()
    newest = {step.kind: step for step in recorded(name) if step.value and step.kind != "event"}
    for kind in ("nodes", "service", "tasks"):
        if kind in newest:
            player._tasks = None
            player.play(newest[kind])
    assert cause in causes(player.ends, name)


def test_a_forced_update_by_a_rule_is_no_persons():
    """The same recorded restart, with and without a rule that wrote it."""
    player = Player()
    for step in recorded("forced"):
        player.play(step)
        if step.kind == "service":
            player.ends.forced(step.value.id, step.value.version, "leak")
            break
    for step in recorded("forced")[2:]:
        player.play(step)
    old = player.ends.of("forced")[-1]
    assert (old.cause, old.evidence) == (Cause.RESTART_RULE, "rule leak restarted it")


def test_an_end_says_when_where_how_long_and_with_what_code():
    """Time and code are the container's own, not those of the list that told of it."""
    end = ended("kill_9")[0]
    died = next(
        s.value for s in recorded("kill_9") if s.kind == "event" and s.value.action == "die"
    )
    assert end.since == died.time_ns / 1e9
    assert end.node_name == "m1"
    assert end.exit_code == 137
    assert end.uptime == pytest.approx(8.97, abs=0.1)


def test_what_the_swarm_forgot_is_kept_for_a_day():
    """The removed slot of a scale-down is still there, and gone a day later."""
    player = Player()
    for step in recorded("scaled_down"):
        player.play(step)
    last = recorded("scaled_down")[-1].at
    assert Cause.SCALED_DOWN in causes(player.ends, "scaled_down")
    listed = player._tasks
    player.ends.tasks(player._service, listed, listed, last + KEPT_SECONDS + 60)
    assert causes(player.ends, "scaled_down") == (None,)


def test_no_more_than_a_hundred_forgotten_tasks_of_a_service_are_kept():
    """A crash loop of weeks does not fill the memory."""
    ends, of, before = Ends(), service(), ()
    for number in range(3 * KEPT_TASKS):
        dead = task(
            number,
            state=TaskState.FAILED,
            desired_state=TaskState.SHUTDOWN,
            exit_code=1,
            created_at=float(number),
            since=float(number),
        )
        ends.heard(_event("die", dead.id, number, exitCode="1"), number)
        ends.tasks(of, before, (dead,), number)
        before = (dead,)
    assert len(ends.of("web")) == KEPT_TASKS + 1
    assert len(ends._containers) == len(ends._known) == KEPT_TASKS + 1


def test_events_of_tasks_that_no_list_shows_are_bounded():
    """On workers, that list nothing, they go in an hour; never more than a bound are held."""
    ends = Ends()
    for number in range(STRAYS + 50):
        ends.heard(_event("start", f"t{number}", number), 0.0)
    assert len(ends._containers) == len(ends._strays) == STRAYS
    ends.heard(_event("start", "late", 0), STRAYS_SECONDS + 61.0)
    assert set(ends._containers) == {"late"}


def test_each_end_is_counted_once_and_history_never():
    """What had ended before anybody looked is no news; the rest counts once its cause is told."""
    player = Player()
    for step in recorded("kill_9"):
        player.play(step)
    last = recorded("kill_9")[-1].at
    for later in (0.0, SETTLING, 2 * SETTLING):
        player.ends.totals(last + later)
    assert player.ends.totals(last + 60) == {("kill_9", Cause.KILLED_BY_HAND): 1}
    fresh = Player()
    fresh._tasks = None
    for step in recorded("kill_9")[-1:]:
        fresh._service = player._service
        fresh.play(step)
    assert fresh.ends.totals(last + 60) == {}


def test_a_drain_that_came_after_an_update_is_not_its_cause():
    """Both happened in the task's time: what took its place tells which it was."""
    ends, old, new = Ends(), service(version=1), service(version=2, template="t2")
    nodes = {"n1": _node(Availability.ACTIVE), "n2": _node(Availability.ACTIVE, "n2")}
    ends.nodes(nodes, 0.0)
    ends.service(old, 0.0)
    ends.tasks(old, (), (task(1),), 1.0)
    ends.service(new, 10.0)
    leaving = task(1, desired_state=TaskState.SHUTDOWN)
    next_one = replace(task(1, template="t2", node_id="n2", created_at=10.0), id="next")
    ends.tasks(new, (task(1),), (leaving, next_one), 10.5)
    ends.nodes({**nodes, "n1": _node(Availability.DRAIN)}, 12.0)
    assert {end.task_id: end.cause for end in ends.of("web")}["task1"] is Cause.UPDATE


def test_a_drained_global_service_is_drained():
    """Its place is the node, which nobody takes after it."""
    ends, of = Ends(), service(replicas=None)
    ends.nodes({"n1": _node(Availability.ACTIVE)}, 0.0)
    running = task(1, slot=None)
    ends.tasks(of, (), (running,), 1.0)
    ends.nodes({"n1": _node(Availability.DRAIN)}, 5.0)
    leaving = replace(running, desired_state=TaskState.SHUTDOWN)
    ends.tasks(of, (running,), (leaving,), 5.2)
    assert ends.of("web")[0].cause is Cause.DRAIN


def test_a_missed_update_is_told_from_what_took_its_place():
    """The template went there and back between two looks."""
    ends = Ends()
    rolled_back = service(version=9, update_state=UpdateState.ROLLBACK_COMPLETED)
    bad = task(1, template="bad", state=TaskState.SHUTDOWN, desired_state=TaskState.SHUTDOWN)
    good = replace(task(1, created_at=5.0), id="good")
    ends.tasks(rolled_back, (), (bad, good), 6.0)
    assert {end.task_id: end.cause for end in ends.of("web")}["task1"] is Cause.ROLLBACK


def test_a_signal_that_only_reloads_is_no_kill():
    """A SIGHUP, or a SIGTERM that was ignored, has nothing to do with an end an hour later."""
    for signal in ("1", "15"):
        ends, dead = Ends(), task(1, state=TaskState.FAILED, exit_code=1, since=4000.0)
        ends.tasks(service(), (), (dead,), 4000.0)
        ends.heard(_event("kill", "task1", 400, signal=signal), 400.0)
        ends.heard(_event("die", "task1", 4000, exitCode="1"), 4000.0)
        assert ends.of("web")[0].cause is Cause.EXIT_ERROR


def test_a_child_killed_for_memory_long_ago_is_no_oom():
    """The kernel may kill one process of a container that lives on."""
    ends, dead = Ends(), task(1, state=TaskState.FAILED, exit_code=3, since=4000.0)
    ends.tasks(service(), (), (dead,), 4000.0)
    ends.heard(_event("oom", "task1", 400), 400.0)
    ends.heard(_event("die", "task1", 4000, exitCode="3"), 4000.0)
    assert ends.of("web")[0].cause is Cause.EXIT_ERROR


def test_a_removed_service_is_still_known_for_a_day():
    """Its tasks were scaled to nothing, in a way."""
    ends, of = Ends(), service()
    ends.service(of, 0.0)
    ends.tasks(of, (), (task(1),), 1.0)
    ends.tasks(of, (task(1),), (), 2.0)
    ends.service_gone("s1", 2.0)
    [end] = ends.of("web")
    assert (end.cause, end.evidence) == (Cause.SCALED_DOWN, "its service was removed")
    assert end.state is TaskState.REMOVE
    ends.heard(_event("start", "x", 1), KEPT_SECONDS + 100.0)
    assert ends.of("web") == []
    assert set(ends.names()) == set()


def _event(action, task_id, at, **attributes):
    return Event(
        type="container",
        action=action,
        actor_id=f"c-{task_id}",
        time_ns=int(at * 1e9),
        attributes={"com.docker.swarm.task.id": task_id, **attributes},
    )


def _node(availability, node_id="n1", state=NodeState.READY):
    return Node(node_id, node_id, "worker", state, availability, 1)
