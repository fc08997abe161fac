from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.control.inherited import WATCHED, Inherited
from monitor.control.marks import Fate, Mark, Shorthand, mark_of
from monitor.model.action import ForceUpdate, RestartTask, Rollback, ScaleTo, SetAvailability
from monitor.model.history import History, ScaleEvent, Seen
from monitor.model.node import Availability, Node, NodeState
from monitor.model.now import Now
from monitor.model.reason import Reason
from tests.unit.build import decision, raw_spec, service, view

SCALING = decision(
    ScaleTo(5), desired=5, reason=Reason.ABOVE_TARGET, seen=Seen(10, 2, "t1"), sentence="2 -> 5"
)
RESTARTING = decision(ForceUpdate(), rule="leak", reason=Reason.CONDITION_MET)
NOW = Now(200.0, 1_000_100.0)


def at(version: int, spec: dict):
    return service(version=version, replicas=2, raw={"ID": "s1", "Spec": spec})


def spec(replicas: int = 2, force: int | None = 0, image: str = "work:1") -> dict:
    made = raw_spec(replicas)
    made["TaskTemplate"] = {"ContainerSpec": {"Image": image}, "ForceUpdate": force}
    if force is None:
        del made["TaskTemplate"]["ForceUpdate"]
    return made


@pytest.mark.parametrize(
    ("doing", "found", "fate"),
    [
        (SCALING, at(9, spec(2)), Fate.UNTOLD),
        (SCALING, at(10, spec(2)), Fate.NOT_APPLIED),
        (SCALING, at(11, spec(5)), Fate.OWN),
        (SCALING, at(19, spec(5, image="work:2")), Fate.APPLIED),
        (SCALING, at(11, spec(3)), Fate.UNKNOWN),
        (RESTARTING, at(10, spec(force=None)), Fate.NOT_APPLIED),
        (RESTARTING, at(11, spec(force=1)), Fate.OWN),
        (RESTARTING, at(11, spec(7, force=1)), Fate.APPLIED),
        (RESTARTING, at(11, spec(force=None)), Fate.UNKNOWN),
    ],
)
def test_the_service_tells_what_became_of_a_write(doing, found, fate):
    """By its version first, then by the whole spec, then by the one number that was written."""
    assert mark_of(doing, service(raw={"Spec": spec(force=None)})).fate(found) is fate


def test_what_nobody_can_tell_counts_for_cooldowns_and_budgets_alone():
    """The count that a rule set last is kept only where the service has it."""
    before = History(set_by_us=2, seen=Seen(9, 2, "t1"))
    mark = mark_of(SCALING, service())
    known = mark.counted(before, NOW)
    assert (known.set_by_us, known.seen.replicas, len(known.events)) == (5, 5, 1)
    unknown = mark.counted(before, NOW, Fate.UNKNOWN)
    assert (unknown.set_by_us, unknown.seen) == (2, before.seen)
    assert unknown.events == known.events
    restarted = mark_of(RESTARTING, service()).counted(before, NOW, Fate.UNKNOWN)
    assert len(restarted.restarts) == 1


def test_a_write_counts_from_the_last_moment_at_which_it_may_have_been_sent():
    """A cooldown is rather too long than too short, and never begins in the future."""
    mark = mark_of(SCALING, service())
    assert mark.counted(History(), Now(300.0, 0.0)).events == (ScaleEvent(105.0, 3),)
    assert mark.counted(History(), Now(102.0, 0.0)).events == (ScaleEvent(102.0, 3),)


@given(st.floats(0, 3600), st.floats(0, 1e6), st.sampled_from([SCALING, RESTARTING]))
def test_marks_come_back_on_another_machine(later, mono, doing):
    """All of the decision that counts, with its age; whatever that machine's clock says."""
    mark = mark_of(doing, service())
    data = Shorthand().encode_mark(mark, doing.time)
    now = Now(mono, doing.time.wall + later)
    read = Shorthand().decode_mark(data, now)
    assert abs(now.mono - read.decision.time.mono - later) < 0.001
    assert replace(read, decision=replace(read.decision, time=doing.time)) == mark


GOOD = Shorthand().encode_mark(mark_of(SCALING, service()), NOW)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        GOOD | {"expected": "5"},
        GOOD | {"decision": GOOD["decision"] | {"time": "now"}},
        GOOD | {"decision": GOOD["decision"] | {"version": 1.5}},
        GOOD | {"decision": GOOD["decision"] | {"rule": 7}},
        GOOD | {"decision": GOOD["decision"] | {"reason": "of a newer release"}},
        GOOD | {"decision": GOOD["decision"] | {"action": {"is": "SetFire"}}},
        GOOD | {"decision": {k: v for k, v in GOOD["decision"].items() if k != "action"}},
    ],
)
def test_what_is_no_mark_is_a_value_error(data):
    """Garbage in the store ends no agent."""
    with pytest.raises(ValueError):
        Shorthand().decode_mark(data, NOW)


def test_unknown_fields_of_a_mark_are_ignored():
    """A newer release may say more of a decision."""
    more = GOOD | {"decision": GOOD["decision"] | {"mood": "good"}, "and": 1}
    assert Shorthand().decode_mark(more, NOW) == Shorthand().decode_mark(GOOD, NOW)


def test_an_inherited_write_is_counted_once_and_watched_for_a_while():
    """Not while nothing fresh is known; at once when its version shows; not twice."""
    mark = mark_of(SCALING, service())
    inherited = Inherited()
    inherited.take([mark], 0.0)
    assert inherited.settle(view(at(11, spec(5)), fresh=False), 1.0) is None
    assert inherited.settle(view(at(10, spec(2))), WATCHED - 1) is None
    assert inherited.settle(view(at(11, spec(5))), WATCHED) == (mark, Fate.OWN)
    assert inherited.settle(view(at(11, spec(5))), WATCHED) is None
    inherited.take([mark], 0.0)
    inherited.take([mark], 50.0)
    assert inherited.settle(view(at(10, spec(2))), WATCHED + 1) is None
    assert inherited.open() == []


def test_a_stopped_task_leaves_no_trace_in_its_service():
    """So the one who comes after counts it for cooldowns and budgets, whatever became of it."""
    mark = mark_of(decision(RestartTask("task1", "n1", "c1", "1")), at(10, spec(2)))
    assert mark.fate(at(9, spec(2))) is Fate.UNTOLD
    assert mark.fate(at(10, spec(2))) is Fate.UNKNOWN
    assert mark.fate(at(12, spec(3))) is Fate.UNKNOWN


def test_a_rollback_that_was_about_to_be_written_is_told_by_the_version_alone():
    """What it writes is nowhere in the mark: specs hold passwords."""
    mark = mark_of(decision(Rollback("", 2)), at(10, spec(2)))
    assert mark.fate(at(10, spec(2))) is Fate.NOT_APPLIED
    assert mark.fate(at(11, spec(2, image="work:0"))) is Fate.UNKNOWN


def test_such_marks_survive():
    """As all others do."""
    short = Shorthand()
    for action in (RestartTask("task1", "n1", "c1", "1"), Rollback("", 2)):
        mark = mark_of(decision(action), at(10, spec(2)))
        found = short.decode_mark(short.encode_mark(mark, NOW), NOW)
        assert found.decision.action == action


@pytest.mark.parametrize(
    ("version", "availability", "fate"),
    [
        (4, Availability.ACTIVE, Fate.UNTOLD),
        (5, Availability.ACTIVE, Fate.NOT_APPLIED),
        (6, Availability.DRAIN, Fate.OWN),
        (6, Availability.ACTIVE, Fate.UNKNOWN),
        (9, Availability.PAUSE, Fate.UNKNOWN),
    ],
)
def test_a_node_tells_what_became_of_its_drain(version, availability, fate):
    """What is not there any more was taken back by somebody: nothing is left to take back."""
    made = replace(
        decision(SetAvailability("n1", Availability.DRAIN, 600.0)),
        service_id="",
        service_name="",
        node_id="n1",
        version=5,
    )
    mark = Mark(made, "", -1)
    node = Node("n1", "n1", "worker", NodeState.READY, availability, version)
    assert mark.node_fate(node) is fate
    counted = mark.counted(History(), NOW, fate)
    assert (counted.course.drained_until is not None) is (fate is not Fate.UNKNOWN)
    assert len(counted.restarts) == 1
