"""Node rules: when a node is drained, when it is not, and when it is taken back."""

from dataclasses import replace

import pytest

from monitor.decide import decide_node, record_write, remember
from monitor.model.action import Notify, SetAvailability
from monitor.model.cause import Cause
from monitor.model.evidence import Ended
from monitor.model.history import History
from monitor.model.node import Availability, Node, NodeState
from monitor.model.node_evidence import NodeEvidence
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import (
    Budget,
    FailingHere,
    NodeAction,
    NodeCondition,
    NodeConditionKind,
    NodeRule,
)
from monitor.model.selector import NodeSelector
from monitor.model.usage import Sample

FULL = NodeCondition(NodeConditionKind.MEMORY_ABOVE, 0.9, 60.0)
DISK = NodeCondition(NodeConditionKind.DISK_ABOVE, 0.8, 60.0)
DOWN = NodeCondition(NodeConditionKind.DOWN_FOR, 1.0, 300.0)
HIGH = Sample(0.95, 1.0)
DRAIN = Availability.DRAIN


def at(seconds):
    return Now(1000.0 + seconds, 1_700_000_000.0)


def rule(*conditions, **changes):
    plain = NodeRule(
        name="sick",
        selector=NodeSelector(),
        any_of=conditions or (FULL,),
        action=NodeAction.DRAIN,
        drain_for=600.0,
    )
    return replace(plain, **changes)


def node(name, role="worker", **changes):
    plain = Node(name, name, role, NodeState.READY, Availability.ACTIVE, 5)
    return replace(plain, **changes)


def swarm(*nodes, of="w1", **changes):
    """Managers m1 to m3 with agents, workers w1 and w2; some replaced by `nodes`."""
    plain = [node(f"m{n}", "manager", reachability="reachable") for n in (1, 2, 3)]
    plain += [node("w1"), node("w2")]
    by_id = {one.id: one for one in (*plain, *nodes)}
    agents = ("m1", "m2", "m3", "w1", "w2")
    return replace(NodeEvidence(by_id[of], by_id, agents=agents), **changes)


def play(the_rule, evidence, seconds, past=None):
    """Decides at each time with the same facts; the last decision and the history after it."""
    past, decision = past or History(), None
    for second in seconds:
        decision = decide_node(the_rule, evidence, past, at(second))
        past = remember(past, decision)
    return decision, past


def test_a_node_over_its_bound_for_long_enough_is_drained_and_taken_back_by_time():
    """Its own samples end nothing: they stop with its agent. A budget counts drains alone."""
    sick = swarm(memory=HIGH)
    early, past = play(rule(), sick, (0, 30))
    assert (early.action, early.reason) == (None, Reason.CONDITION_NOT_MET)
    assert early.recheck_after == pytest.approx(30)
    decision, past = play(rule(), sick, (60,), past)
    assert decision.action == SetAvailability("w1", DRAIN, 600.0)
    assert (decision.node_name, decision.service_name, decision.version) == ("w1", "", 5)
    assert decision.action_name == "drain"
    assert decision.sentence == "w1 is at 95% of memory, bound 90%, for 60 s: drain it for 10m"
    past = record_write(past, decision, at(60))
    assert len(past.restarts) == 1
    drained = swarm(node("w1", availability=DRAIN, version=6))
    held, past = play(rule(), drained, (100, 600), past)
    assert (held.action, held.reason) == (None, Reason.DRAINED)
    assert held.recheck_after == pytest.approx(60)
    over, past = play(rule(), drained, (660,), past)
    assert over.action == SetAvailability("w1", Availability.ACTIVE)
    assert (over.reason, over.action_name) == (Reason.DRAIN_OVER, "activate")
    past = record_write(past, over, at(660))
    assert (past.course.drained_until, len(past.restarts)) == (None, 1)


def test_an_old_view_of_the_node_does_not_make_its_drain_be_forgotten():
    """Until a newer version shows what became of it the node counts as drained."""
    _, past = play(rule(), swarm(memory=HIGH), (0,))
    decision, past = play(rule(), swarm(memory=HIGH), (60,), past)
    past = record_write(past, decision, at(60))
    stale, past = play(rule(), swarm(memory=HIGH), (61,), past)
    assert (stale.action, stale.reason) == (None, Reason.DRAINED)
    theirs = swarm(node("w1", version=7))
    left, past = play(rule(), theirs, (62,), past)
    assert (left.action, left.reason) == (None, Reason.DRAIN_LIFTED)
    assert "somebody has set it to active since: it is left so" in left.sentence
    assert past.course.drained_until is None
    again, past = play(rule(), theirs, (63,), past)
    assert (again.action, again.reason) == (None, Reason.MISSING_SAMPLES)


@pytest.mark.parametrize(
    ("evidence", "reason", "words"),
    [
        (swarm(fresh=False), Reason.OUT_OF_SYNC, "no manager answers"),
        (
            swarm(node("w1", availability=Availability.PAUSE)),
            Reason.DRAINED,
            "somebody has set it to pause",
        ),
        (swarm(drained={"w2": "other"}), Reason.ONE_AT_A_TIME, "w2 is drained by rule other"),
        (
            swarm(*(node(n, availability=DRAIN) for n in ("m1", "m2", "m3", "w2"))),
            Reason.LAST_NODE,
            "no other node",
        ),
        (
            swarm(node("m2", "manager", state=NodeState.DOWN), of="m1"),
            Reason.QUORUM,
            "only 1 of 3 managers would be left, and a quorum needs 2",
        ),
        (
            swarm(node("m2", "manager", reachability="unreachable"), of="m1"),
            Reason.QUORUM,
            "a quorum needs 2",
        ),
        (swarm(of="m1", agents=("m1", "w1")), Reason.LAST_NODE, "no other manager runs an agent"),
    ],
)
def test_what_stands_against_a_drain(evidence, reason, words):
    """The reason and one clause; nothing is done however long it lasts."""
    decision, _ = play(rule(), replace(evidence, memory=HIGH), (0, 100))
    assert (decision.action, decision.reason) == (None, reason)
    assert words in decision.sentence
    assert decision.would_change


def test_a_manager_may_be_drained_where_a_quorum_is_left():
    """Three managers, all well and with agents: two are left."""
    decision, _ = play(rule(), swarm(of="m1", memory=HIGH), (0, 60))
    assert decision.action == SetAvailability("m1", DRAIN, 600.0)


def test_down_disk_and_budget():
    """Each condition by its own facts; unknown ones hold nothing; the budget bounds all of them."""
    down = swarm(node("w1", state=NodeState.DOWN))
    assert play(rule(DOWN), down, (0, 299))[0].action is None
    assert play(rule(DOWN), down, (0, 300))[0].action == SetAvailability("w1", DRAIN, 600.0)
    election = swarm(node("w1", state=NodeState.UNKNOWN))
    assert play(rule(DOWN), election, (0, 1000))[0].reason is Reason.CONDITION_NOT_MET
    assert play(rule(DISK), swarm(disk=Sample(0.85, 1.0)), (0, 60))[0].action is not None
    assert play(rule(DISK), swarm(disk=Sample(0.85, 9.0)), (0, 60))[0].action is None
    blind, _ = play(rule(FULL, DISK), swarm(), (0, 60))
    assert (blind.action, blind.reason) == (None, Reason.MISSING_SAMPLES)
    spent = History(restarts=(at(-5).mono,))
    held, _ = play(rule(budget=Budget(1, 3600.0)), swarm(memory=HIGH), (0, 60), spent)
    assert (held.action, held.reason) == (None, Reason.BUDGET)
    told, _ = play(rule(action=NodeAction.NOTIFY), swarm(memory=HIGH), (0, 60))
    assert told.action == Notify()
    assert told.sentence == "w1 is at 95% of memory, bound 90%, for 60 s: tell of it"


def test_one_occurrence_is_told_of_once():
    """As long as it lasts; once it has ended and holds anew it is told of again."""
    telling = rule(action=NodeAction.NOTIFY)
    told, past = play(telling, swarm(memory=HIGH), (0, 60))
    assert told.action == Notify()
    past = record_write(past, told, at(60))
    still, past = play(telling, swarm(memory=HIGH), (65, 300), past)
    assert (still.action, still.reason) == (None, Reason.CONDITION_MET)
    assert still.sentence.endswith("for 5m: told of 4m ago")
    _, past = play(telling, swarm(memory=Sample(0.5, 1.0)), (310,), past)
    again, _ = play(telling, swarm(memory=HIGH), (320, 379, 380), past)
    assert again.action == Notify()


def failures(node_id, count, service="s1", cause=Cause.EXIT_ERROR, ago=60.0):
    return tuple(
        Ended(f"{service}{node_id}{n}", "1", node_id, at(-ago).mono, cause, 1, service)
        for n in range(count)
    )


@pytest.mark.parametrize(
    ("ends", "running", "acts"),
    [
        (failures("w1", 3), {"s1": ("w1", "w2")}, True),
        (failures("w1", 2), {"s1": ("w1", "w2")}, False),
        (failures("w1", 3), {"s1": ("w1",)}, False),  # nowhere else to compare with
        (failures("w1", 3), {}, False),
        (failures("w1", 3) + failures("w2", 2), {"s1": ("w2",)}, False),  # it fails everywhere
        (failures("w1", 3) + failures("w2", 1), {"s1": ("w2",)}, True),
        (failures("w1", 2) + failures("w1", 1, "s2"), {"s1": ("w2",), "s2": ("w2",)}, True),
        (failures("w1", 3, cause=Cause.KILLED_BY_HAND), {"s1": ("w2",)}, False),
        (failures("w1", 3, ago=5.0), {"s1": ("w2",)}, False),  # the cause may still change
        (failures("w1", 3, ago=700.0), {"s1": ("w2",)}, False),
    ],
)
def test_tasks_that_fail_here_and_do_well_elsewhere(ends, running, acts):
    """Three within ten minutes; a service that fails wherever it runs is no node's fault."""
    failing = rule(FailingHere(3, 600.0))
    decision, _ = play(failing, swarm(ends=ends, running=running), (0,))
    assert (decision.action is not None) is acts
    if acts:
        assert "3 tasks that failed on it within 10m and do well elsewhere" in decision.sentence


def test_failures_of_a_node_that_is_gone_are_its_shutdown():
    """A burst of ends right before the node goes counts for nothing."""
    gone = swarm(node("w1", state=NodeState.DOWN), ends=failures("w1", 9), running={"s1": ("w2",)})
    assert play(rule(FailingHere(3, 600.0)), gone, (0,))[0].action is None
