"""What is remembered between decisions."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.decide import after_absence, decide, record_version, record_write, remember
from monitor.decide.history import with_recommendation
from monitor.decide.stabilize import highest, lowest
from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.history import History, Recommendation, ScaleEvent
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.scalar import JsonUrl, Number, ScalarMetric
from monitor.model.usage import Usage
from tests.unit.decide.make import NOW, VERSION, calm_rule, cpu, history, rule, view


def test_the_first_decision_records_the_size_it_found():
    """A fresh history holds 4 though only 1 is needed, and a restart cannot scale down by it."""
    decision = decide(rule(), view(), cpu(0.1), History(own_version=VERSION), NOW)
    after = remember(History(own_version=VERSION), decision)
    assert after.started
    assert [rec.replicas for rec in after.recommendations] == [4, 1]
    soon = replace(NOW, mono=NOW.mono + 299)
    assert decide(rule(), view(), cpu(0.1), after, soon).action is None
    later = replace(NOW, mono=NOW.mono + 300)
    assert decide(rule(), view(), cpu(0.1), after, later).action == ScaleTo(1)


def test_who_did_not_look_on_begins_its_windows_with_the_size_that_is_found():
    """After 11 s without a decision nothing goes down for a whole window, however calm it was
    before and is now; what was needed before the hole counts on."""
    calm = (Recommendation(NOW.mono - 400, 9), Recommendation(NOW.mono - 11, 1))
    past = History(True, NOW.mono - 11, own_version=VERSION, recommendations=calm)
    assert decide(rule(), view(), cpu(0.1), past, NOW).action == ScaleTo(1)
    back = after_absence(past, NOW.mono)
    first = decide(rule(), view(), cpu(0.1), back, NOW)
    assert first.reason is Reason.STABILIZED
    assert "the first look at it for 11 s" in first.sentence
    known = remember(back, first)
    assert [rec.replicas for rec in known.recommendations] == [9, 4, 1]
    assert after_absence(known, NOW.mono + 1) is known
    later = replace(NOW, mono=NOW.mono + 299)
    assert decide(rule(), view(), cpu(0.1), known, later).action is None


def test_a_decision_that_took_its_time_is_no_hole():
    """Ten seconds between two decisions change nothing, also where none had a number to follow."""
    past = History(True, NOW.mono - 10, recommendations=(Recommendation(NOW.mono - 300, 1),))
    assert after_absence(past, NOW.mono) is past


def test_every_decision_counts_as_a_look_but_one_on_an_old_view():
    """Not judged is what was out of touch with its manager."""
    past = History(started=True, own_version=VERSION)
    looked = decide(rule(), view(), cpu({}), past, NOW)
    assert remember(past, looked).judged_at == NOW.mono
    old = replace(looked, reason=Reason.OUT_OF_SYNC)
    assert remember(past, old).judged_at is None


def test_equal_recommendations_are_only_renewed():
    """A thousand equal decisions leave one recommendation with the newest time."""
    past = History(started=True, own_version=VERSION)
    for second in range(1000):
        now = Now(NOW.mono + second, NOW.wall)
        past = remember(past, decide(rule(), view(), cpu(0.5), past, now))
    assert past.recommendations == (Recommendation(NOW.mono + 999, 4),)


def test_old_recommendations_are_dropped():
    """What is older than the longest possible window is gone."""
    decision = decide(rule(), view(), cpu(0.5), history(), NOW)
    after = remember(history((4000, 9), (3000, 7)), decision)
    assert [rec.replicas for rec in after.recommendations] == [7, 4]


@given(
    steps=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=60),
    window=st.integers(0, 600),
    proposed=st.integers(0, 12),
)
def test_dropping_recommendations_changes_no_window(steps, window, proposed):
    """What is kept has the same highest and lowest in every window as all of them."""
    everything: list[Recommendation] = []
    kept: tuple[Recommendation, ...] = ()
    at = 0.0
    for gap, replicas in steps:
        at += gap
        everything.append(Recommendation(at, replicas))
        kept = with_recommendation(kept, replicas, at)
    assert highest(kept, proposed, window, at) == highest(everything, proposed, window, at)
    assert lowest(kept, proposed, window, at) == lowest(everything, proposed, window, at)
    assert len(kept) <= 2 * 13


def test_a_write_is_recorded():
    """A scale becomes a signed event; a restart is counted and its conditions start over."""
    scale = decide(rule(), view(), cpu(1.0), history(), NOW)
    assert record_write(history(), scale, NOW).events == (ScaleEvent(NOW.mono, 4),)
    fewer = decide(calm_rule(), view(), cpu(0.1), history(), NOW)
    assert record_write(history(), fewer, NOW).events == (ScaleEvent(NOW.mono, -3),)
    restart = replace(scale, action=ForceUpdate())
    after = record_write(history(holding=(("x|task1", 1.0),)), restart, NOW)
    assert (after.restarts, after.holding, after.events) == ((NOW.mono,), (), ())


def test_a_zero_of_our_own_is_remembered():
    """Scaled to zero by the rule: not a person's zero, until we scale up again."""
    queue = ScalarMetric("queue", JsonUrl("http://queue", "length"), 5.0)
    sleepy = calm_rule(0, metrics=(queue,))
    idle = Usage(numbers={"queue": Number(0.0, 1.0)})
    zero = decide(sleepy, view(), idle, history(), NOW)
    assert zero.action == ScaleTo(0)
    after = record_write(history(), zero, NOW)
    assert after.scaled_to_zero_by_us
    back = decide(rule(2), view(0), Usage(), after, NOW)
    assert back.action == ScaleTo(2)
    assert not record_write(after, back, NOW).scaled_to_zero_by_us


def test_a_service_back_from_a_persons_zero_begins_anew():
    """Handed back with 4, it is not scaled down on what was recommended before."""
    person = decide(rule(), view(0), Usage(), history((10, 1)), NOW)
    assert person.reason is Reason.SCALED_TO_ZERO_BY_USER
    after = remember(history((10, 1)), person)
    assert not after.started
    assert decide(rule(), view(), cpu(0.1), after, NOW).reason is Reason.STABILIZED


def test_old_facts_start_no_history():
    """Out of sync, the size seen may be an old one: the first recommendation waits."""
    stale = decide(rule(), view(fresh=False), cpu(0.1), History(), NOW)
    assert not remember(History(), stale).started


def test_an_own_version_is_recorded():
    """The version of our own write is no foreign change."""
    assert record_version(history(), 77).own_version == 77
