import json
from dataclasses import replace

from monitor.control.book import BYGONE_FOR, MOST_BYGONES, MOST_DEEDS, Book
from monitor.control.ceiling import WriteCeiling
from monitor.control.heritage import Heritage
from monitor.control.marks import mark_of
from monitor.control.pauses import Pauses
from monitor.control.unknown_past import as_if_just_done
from monitor.model.action import ScaleTo
from monitor.model.history import History, Recommendation, ScaleEvent
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.pause import PauseScope
from monitor.model.rule import Budget
from tests.unit.build import decision, restart_rule, scale_rule, service

NOW = Now(1000.0, 2_000_000.0)
EVENT = ScaleEvent(900.0, 2)
NO_PAUSES = Pauses()


def heritage() -> Heritage:
    return Heritage(Book(), WriteCeiling())


def filled() -> Heritage:
    one = heritage()
    one.book.keep_history("s1", "r1", History(events=(EVENT,), set_by_us=4, own_version=7))
    one.book.keep_history("s2", "r1", History(restarts=(950.0,)))
    return one


def handed_over(one: Heritage, other: Heritage, now: Now = NOW) -> int:
    """As through the store."""
    state = json.loads(json.dumps(one.as_state(now, NO_PAUSES, 9)))
    return other.adopt(state, now)


def test_histories_go_over_and_own_observations_stay():
    """The next agent keeps what it gathered itself and takes over what was done."""
    other = heritage()
    recommended = (Recommendation(990.0, 6),)
    other.book.keep_history("s1", "r1", History(started=True, recommendations=recommended))
    assert handed_over(filled(), other) == 0
    mine = other.book.history("s1", "r1")
    assert (mine.events, mine.set_by_us, mine.recommendations) == ((EVENT,), 4, recommended)
    assert other.book.history("s2", "r1").restarts == (950.0,)
    assert not other.book.knows("s2", "r1")


def test_what_the_state_does_not_tell_of_stays():
    """A state that lost a part takes nothing away from who still knows it."""
    other = heritage()
    other.book.keep_history("s3", "r1", History(set_by_us=3))
    handed_over(filled(), other)
    assert other.book.history("s3", "r1").set_by_us == 3


def test_services_and_rules_that_are_gone_are_remembered_for_a_day():
    """Also across agents, from the moment at which they went."""
    one = filled()
    one.book.forget_service("s1", NOW.mono)
    one.book.keep_history("s3", "r1", History(set_by_us=1))
    one.book.record(decision(service_id="s3"))
    one.book.keep_rules("s3", [], NOW.mono)
    later = Now(NOW.mono + BYGONE_FOR - 1, NOW.wall + BYGONE_FOR - 1)
    other = heritage()
    handed_over(one, other, later)
    assert other.book.history("s1", "r1").set_by_us == 4
    assert other.book.history("s3", "r1").set_by_us == 1
    end = Now(later.mono + 2, later.wall + 2)
    assert "s3" not in other.as_state(end, NO_PAUSES, 0)["services"]
    assert "s2" in other.as_state(end, NO_PAUSES, 0)["services"]


def test_what_is_gone_is_bounded():
    """Services that come and go by the thousand fill no store: the oldest go first."""
    book = Book()
    for number in range(MOST_BYGONES + 5):
        book.keep_history(f"s{number}", "r1", History(set_by_us=1))
        book.forget_service(f"s{number}", float(number))
    kept = book.bygones(6000.0)
    assert len(kept) == MOST_BYGONES
    assert ("s4", "r1") not in kept
    assert ("s5", "r1") in kept


def test_a_write_on_its_way_is_stored_as_applied_with_the_way_back():
    """A reader that cannot read the mark counts it; one that can takes what was before."""
    one = filled()
    doing = decision(ScaleTo(6), desired=6, time=NOW)
    one.own["s1"] = mark_of(doing, service())
    state = one.as_state(NOW, NO_PAUSES, 0)
    assert state["services"]["s1"]["r1"]["set_by_us"] == 6
    careful, careless = heritage(), heritage()
    assert careful.adopt(state, NOW) == 0
    assert careful.book.history("s1", "r1").set_by_us == 4
    assert [mark.decision.id for mark in careful.inherited.open()] == [doing.id]
    assert careful.ceiling.used(NOW.mono) == 1
    assert careless.adopt(state | {"marks": [{"decision": "?"}]}, NOW) == 1
    assert careless.book.history("s1", "r1").set_by_us == 6
    assert len(careless.book.history("s1", "r1").events) == 2
    again = careful.as_state(NOW, NO_PAUSES, 0)
    assert again["services"]["s1"]["r1"]["set_by_us"] == 6
    assert again["marks"] == state["marks"]


def test_an_equal_state_is_equal_and_costs_nothing_new():
    """As long as nothing changes the parts are the same objects, whatever jitter clocks have."""
    one = filled()
    pauses = NO_PAUSES.having(PauseScope.ALL, "", 1000 / 3, NOW)
    first = one.as_state(NOW, pauses, 0)
    second = one.as_state(Now(NOW.mono + 10.1, NOW.wall + 10.3), pauses, 0)
    assert second | {"wall": 0} == first | {"wall": 0}
    assert second["services"]["s1"]["r1"] is first["services"]["s1"]["r1"]


def test_what_was_read_before_is_still_put_in_place_of_what_was_seen_here():
    """A state that comes a second time counts as the first time, though it is not read again."""
    one, other = filled(), heritage()
    other.book.keep_history("s1", "r1", History())
    handed_over(one, other)
    other.book.keep_history("s1", "r1", History(started=True, set_by_us=1))
    handed_over(one, other)
    mine = other.book.history("s1", "r1")
    assert (mine.set_by_us, mine.events, mine.started) == (4, (EVENT,), True)
    one.book.keep_history("s1", "r1", History(set_by_us=5))
    handed_over(one, other)
    assert other.book.history("s1", "r1").set_by_us == 5


def test_what_time_it_was_is_told_anew_once_it_is_known():
    """A state that did not change is dated again where the clock of who wrote it is another one."""
    one, other = filled(), heritage()
    state = json.loads(json.dumps(one.as_state(NOW, NO_PAUSES, 9)))
    other.adopt(state, Now(50.0, NOW.wall + 3600.0))
    other.adopt(state, Now(55.0, NOW.wall + 5.0))
    assert other.book.history("s2", "r1").restarts == (0.0,)


def test_a_wall_clock_that_was_put_right_is_followed():
    """All stored moments move with it, so that ages stay what they are."""
    one = filled()
    one.as_state(NOW, NO_PAUSES, 0)
    put_right = Now(NOW.mono, NOW.wall + 3600.0)
    other = heritage()
    handed_over(one, other, put_right)
    assert other.book.history("s1", "r1").events == (EVENT,)


def test_deeds_go_over_and_are_bounded():
    """The newest five of each rule and service, 300 in all, with what became of them."""
    one = heritage()
    for number in range(400):
        made = decision(
            ScaleTo(3), time=Now(float(number), 0.0), id=f"d{number}", service_id=f"s{number % 99}"
        )
        one.book.record(made)
        one.book.note_outcome(made, Outcome(OutcomeKind.APPLIED, "ok"))
    other = heritage()
    handed_over(one, other)
    deeds = other.book.deeds()
    assert len(deeds) == MOST_DEEDS
    assert (deeds[0].decision.id, deeds[0].outcome) == (
        "d399",
        Outcome(OutcomeKind.APPLIED, "ok"),
    )
    assert other.book.entries() == []
    other.book.record(decision(service_id="s3", time=NOW))
    assert {entry.decision.service_id for entry in other.book.entries()} == {"s3"}
    assert len(other.book.entries()) > 1


def test_any_garbage_in_a_state_is_counted_and_harms_nothing_else():
    """Each part by itself."""
    other = heritage()
    state = filled().as_state(NOW, NO_PAUSES, 0)
    state["services"]["s9"] = "?"
    state["services"]["s8"] = {"r1": 7}
    state |= {"marks": "?", "writes": ["x"], "deeds": [3, {}]}
    assert other.adopt(state, NOW) == 6
    assert other.book.history("s1", "r1").set_by_us == 4
    assert other.adopt({"services": []}, NOW) == 1
    assert other.adopt({}, NOW) == 0


def test_the_writes_of_the_last_minute_count_for_the_next_agent():
    """Agents that follow each other quickly keep to one ceiling together."""
    one, other = heritage(), heritage()
    for number in range(3):
        one.ceiling.start("s1", f"w{number}")
        one.ceiling.end(f"w{number}", Outcome(OutcomeKind.APPLIED, posted="x"), 950.0 + number)
    handed_over(one, other)
    assert other.ceiling.used(NOW.mono) == 3
    assert other.ceiling.used(1010.5) == 2


def test_an_unknown_past_is_taken_for_the_worst():
    """Cooldowns begin now and the whole budget is spent; rates and directions count nothing."""
    history = as_if_just_done(History(), scale_rule(), 5.0)
    assert history.events == (ScaleEvent(5.0, 0),)
    rule = replace(restart_rule(), budget=Budget(3, 60.0))
    assert as_if_just_done(History(), rule, 5.0).restarts == (5.0, 5.0, 5.0)


def test_what_others_did_is_told_with_its_outcome():
    """Each stored deed once for each outcome; one without, when its agent must have ended."""
    told = []
    one, other = heritage(), heritage()
    other.learned = lambda made, outcome: told.append((made.id, outcome and outcome.kind))
    done = decision(ScaleTo(3), id="done", time=NOW)
    one.book.record(done)
    handed_over(one, other)
    assert told == []
    one.book.note_outcome(done, Outcome(OutcomeKind.APPLIED))
    handed_over(one, other)
    handed_over(one, other)
    assert told == [("done", OutcomeKind.APPLIED)]
    begun = decision(ScaleTo(4), id="begun", service_id="s9", time=NOW)
    one.own["s9"] = mark_of(begun, service(id="s9"))
    handed_over(one, other)
    assert told[1:] == []
    handed_over(one, other, Now(NOW.mono + 6.0, NOW.wall + 6.0))
    assert told[1:] == [("begun", None)]
