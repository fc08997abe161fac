import pytest

from monitor.control.flight import LANDING_DEADLINE, Flight, Landing
from monitor.model.action import Notify, RestartTask, ScaleTo
from monitor.model.fingerprint import fingerprint
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.task import TaskState
from tests.unit.build import decision, raw_spec, service, task, view

POSTED = fingerprint(raw_spec(4))


def flown(kind, at=101.0, attempt=0):
    flight = Flight(decision(ScaleTo(4)), 100.0, attempt)
    flight.finish(Outcome(kind, posted=POSTED), at)
    return flight


def seen(version, replicas, read_at=102.0):
    return view(service(version=version, replicas=replicas), tasks_read_at=read_at)


def test_a_write_without_an_answer_keeps_its_service_closed():
    """Nobody decides on a service while a write to it is under way."""
    assert Flight(decision(ScaleTo(4)), 100.0).landing(seen(11, 4), 101.0) is Landing.OPEN


@pytest.mark.parametrize("kind", [OutcomeKind.APPLIED, OutcomeKind.UNKNOWN])
def test_the_first_version_above_with_the_posted_spec_is_ours(kind):
    """An update's answer carries no version: ours is known by what it says."""
    assert flown(kind).landing(seen(12, 4), 102.0) is Landing.OWN


@pytest.mark.parametrize("kind", [OutcomeKind.APPLIED, OutcomeKind.UNKNOWN])
def test_a_version_above_with_another_spec_is_somebody_elses(kind):
    """A person who wrote right after us is not taken for us."""
    assert flown(kind).landing(seen(12, 9), 102.0) is Landing.FOREIGN


def test_an_applied_write_not_seen_yet_stays_open_while_reads_may_lag():
    """The old version read after an applied write proves nothing, until a re-list has passed."""
    flight = flown(OutcomeKind.APPLIED)
    assert flight.landing(seen(10, 2, read_at=102.0), 102.0) is Landing.OPEN
    assert flight.landing(seen(10, 2), 101.0 + LANDING_DEADLINE + 1) is Landing.NOT_APPLIED


@pytest.mark.parametrize(
    "kind", [OutcomeKind.CONFLICT, OutcomeKind.REFUSED, OutcomeKind.FAILED, OutcomeKind.UNKNOWN]
)
def test_after_a_write_that_did_not_apply_the_service_opens_with_the_next_read(kind):
    """It is decided anew on facts read after the attempt, never on those before it."""
    flight = flown(kind)
    assert flight.landing(seen(10, 2, read_at=100.5), 101.5) is Landing.OPEN
    assert flight.landing(seen(10, 2, read_at=101.5), 101.5) is Landing.NOT_APPLIED


def test_failing_writes_are_tried_ever_more_rarely():
    """A Swarm that says no is asked again after 2, 4, 8 ... at most 60 s; a conflict at once."""
    waits = [flown(OutcomeKind.FAILED, 0.0, attempt).retry_at for attempt in range(7)]
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert flown(OutcomeKind.CONFLICT, 0.0).retry_at == 0.0


def stopped(kind, at=101.0):
    flight = Flight(decision(RestartTask("task1", "n1", "c1", "1")), 100.0)
    flight.finish(Outcome(kind), at)
    return flight


def tasks_seen(state, read_at=102.0):
    return view(tasks=(task(1, state=state), task(2)), tasks_read_at=read_at)


@pytest.mark.parametrize("kind", [OutcomeKind.APPLIED, OutcomeKind.UNKNOWN])
def test_a_stopped_task_has_landed_once_it_does_not_run_any_more(kind):
    """Its service's version stays the same, so the task itself tells; it may take its time."""
    flight = stopped(kind)
    assert flight.landing(tasks_seen(TaskState.RUNNING), 103.0) is Landing.OPEN
    assert flight.landing(tasks_seen(TaskState.FAILED, read_at=100.5), 103.0) is Landing.OPEN
    assert flight.landing(tasks_seen(TaskState.FAILED), 103.0) is Landing.OWN
    late = 101.0 + LANDING_DEADLINE + 1
    assert flight.landing(tasks_seen(TaskState.RUNNING), late) is Landing.NOT_APPLIED


def test_a_refused_stop_keeps_nothing_closed():
    """The task runs on, as it should."""
    flight = stopped(OutcomeKind.REFUSED)
    assert flight.landing(tasks_seen(TaskState.RUNNING), 103.0) is Landing.NOT_APPLIED


def test_what_people_are_told_of_closes_nothing():
    """There is nothing of it to be seen in the Swarm."""
    flight = Flight(decision(Notify()), 100.0)
    flight.finish(Outcome(OutcomeKind.APPLIED), 100.0)
    assert flight.landing(view(tasks_read_at=90.0), 100.0) is Landing.OWN
