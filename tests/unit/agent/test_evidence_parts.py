"""What restart rules are told of health, restarts and cron moments."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.agent.health_log import KEPT_SECONDS, MOST, HealthLog
from monitor.agent.restarts_log import SETTLING, RestartsLog
from monitor.control.book import Book
from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.condition import Cron
from monitor.model.container import Health
from monitor.model.event import Event
from monitor.model.evidence import HealthChange, Moments
from monitor.model.history import Course, History
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.task import TaskState
from monitor.sources.moments import CronMoments
from tests.unit.build import decision, service, task, view

APPLIED = Outcome(OutcomeKind.APPLIED)
BERLIN = ZoneInfo("Europe/Berlin")


def event(action: str, number: int = 1, **attributes: str) -> Event:
    known = {
        "com.docker.swarm.service.id": "s1",
        "com.docker.swarm.task.id": f"t{number}",
        "com.docker.swarm.task.name": f"my.web.{number}.t{number}",
    }
    return Event("container", action, "c1", 1, known | attributes)


def test_health_is_heard_by_task_and_place():
    """Oldest first, of a day, bounded; what is no health of a task is passed over."""
    log = HealthLog()
    log.heard(event("health_status: unhealthy"), 100.0)
    log.heard(event("health_status: healthy", 2), 200.0)
    for other in ("die", "health_status: strange", "health_status"):
        log.heard(event(other), 300.0)
    log.heard(replace(event("health_status: healthy"), attributes={}), 300.0)
    assert log.of("s1", 300.0) == (
        HealthChange("t1", "1", 100.0, Health.UNHEALTHY),
        HealthChange("t2", "2", 200.0, Health.HEALTHY),
    )
    assert [one.task_id for one in log.of("s1", 150.0 + KEPT_SECONDS)] == ["t2"]
    for number in range(2 * MOST):
        log.heard(event("health_status: healthy", number), 400.0)
    assert len(log.of("s1", 400.0)) == MOST
    log.forget("s1")
    assert log.of("s1", 400.0) == ()


def test_a_restart_is_over_once_all_tasks_run_again():
    """Not when it was written: dependents wait for what they depend on."""
    log = RestartsLog()
    log.wrote(decision(ForceUpdate()), APPLIED, Now(100.0, 0.0))
    log.wrote(decision(ScaleTo(3), service_name="other"), APPLIED, Now(100.0, 0.0))
    assert log.names() == ("web",)
    whole = view(tasks_read_at=100.0 + SETTLING + 1)
    log.look("web", view(tasks_read_at=101.0), 101.0)
    dirty = replace(whole, tasks=(task(1), task(2, template="older")))
    few = replace(whole, tasks=(task(1), task(2, state=TaskState.STARTING)))
    for seen in (dirty, few, replace(whole, fresh=False)):
        log.look("web", seen, 110.0)
    assert log.over() == {}
    log.look("web", whole, 120.0)
    assert log.over() == {"web": 120.0}
    assert log.names() == ()
    log.wrote(decision(ForceUpdate()), Outcome(OutcomeKind.REFUSED), Now(200.0, 0.0))
    assert log.names() == ()
    log.wrote(decision(ForceUpdate()), APPLIED, Now(200.0, 0.0))
    log.look("web", None, 210.0)
    assert log.over() == {"web": 120.0}


def test_cron_moments_are_of_its_time_zone():
    """The newest within the condition's time, and the next one; nothing for what is no cron."""
    nightly = Cron("0 3 * * *", "Europe/Berlin", within=600.0)
    at = datetime(2026, 1, 15, 3, 5, tzinfo=BERLIN).timestamp()
    moments = CronMoments()
    found = moments.of(nightly, at)
    assert found == Moments(at - 300, at - 300 + 86400)
    assert moments.of(nightly, at + 60) is found
    assert moments.of(nightly, at + 86400) == Moments(at - 300 + 86400, at - 300 + 2 * 86400)
    assert moments.of(nightly, at - 600).last is None
    assert moments.of(Cron("nonsense", "UTC"), at) == Moments()


@pytest.mark.parametrize("parked", [None, 3])
def test_the_book_knows_who_parked_a_service(parked: int | None):
    """By the history that survives, as long as that rule says so; another rule's says nothing."""
    book = Book()
    assert book.parked("s1") is None
    book.keep_history("s1", "night", History(course=Course(parked=3)))
    book.keep_history("s1", "other", History())
    assert book.parked("s1") == ("night", 3)
    book.keep_history("s1", "night", History(course=Course(parked=parked)))
    assert book.parked("s1") == (None if parked is None else ("night", 3))
    assert book.parked(service(id="s2").id) is None
