"""What a decision says of itself: what bound it, and what would change it."""

from dataclasses import replace

import pytest

from monitor.decide import ambiguous, decide
from monitor.model.history import Seen
from monitor.model.reason import Reason
from monitor.model.room import Room
from monitor.model.rule import Policy, PolicyType, SelectPolicy
from monitor.model.scalar import Per
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.usage import Usage
from tests.unit.decide.make import (
    HALF_CPU,
    NOW,
    calm_rule,
    cpu,
    down,
    event,
    history,
    numbers,
    queue,
    rule,
    service,
    stage,
    task,
    up,
    view,
)


@pytest.mark.parametrize(
    ("share", "binding", "would_change"),
    [
        (0.5, "", "cpu above 55%, or cpu below 37.5% for 5m"),
        (0.52, "tolerance", "cpu above 55%, or cpu below 37.5% for 5m"),
        (0.9, "", "cpu at or below 55%"),
        (3.0, "rate_limited", "cpu at or below 55%"),
    ],
)
def test_levels_that_would_change_it(share, binding, would_change):
    """4 tasks at a target of 50 %, 10 % tolerance: 55 % asks for a fifth, 37.5 % for one less."""
    decision = decide(rule(), view(), cpu(share), history(), NOW)
    assert (decision.binding, decision.would_change) == (binding, would_change)


def test_what_would_have_kept_it_from_scaling_down():
    """One metric at its lower level would have been enough."""
    decision = decide(calm_rule(metrics=(HALF_CPU, queue())), view(),
                      Usage(cpu(0.1).samples, numbers(5.0).numbers), history(), NOW)  # fmt: skip
    assert decision.would_change == "cpu at or above 37.5%, or queue at or above 30"


def test_levels_of_several_metrics():
    """Any of them is enough to go up, all must agree to go down."""
    both = rule(metrics=(HALF_CPU, queue()))
    usage = Usage(cpu(0.5).samples, numbers(40.0).numbers)
    decision = decide(both, view(), usage, history(), NOW)
    assert decision.would_change == (
        "cpu above 55% or queue above 44, or cpu below 37.5% and queue below 30 for 5m"
    )


def test_the_band_of_a_level_in_total():
    """4 tasks at 1 of 1: more above 1.1, fewer below 0.75."""
    decision = decide(
        calm_rule(metrics=(queue(1.0, per=Per.TOTAL),)), view(), numbers(1.0), history(), NOW
    )
    assert decision.would_change == "queue above 1.1, or queue below 0.75"


def test_many_tasks_leave_the_tolerance_to_decide():
    """With 20 tasks one less is 5 %: the band is 45 to 55 %."""
    decision = decide(rule(1, 50), view(20), cpu(0.5, 20), history(), NOW)
    assert decision.would_change == "cpu above 55%, or cpu below 45% for 5m"


def test_one_replica_cannot_become_fewer():
    """Of a single task no level is low enough."""
    decision = decide(rule(1), view(1), cpu(0.5, 1), history(), NOW)
    assert decision.would_change == "cpu above 55%"


def test_at_a_bound():
    """At max a higher max or less load would change it; at min a lower min or more load."""
    high = decide(rule(1, 4), view(), cpu(1.0), history(), NOW)
    assert (high.binding, high.would_change) == (
        "max", "max above 4, or cpu below 37.5% for 5m",
    )  # fmt: skip
    low = decide(calm_rule(4), view(), cpu(0.1), history(), NOW)
    assert (low.binding, low.would_change) == ("min", "min below 4, or cpu above 55%")
    cut = decide(rule(1, 6), view(), cpu(1.0), history(), NOW)
    assert (cut.desired, cut.binding) == (6, "max")
    lowered = decide(calm_rule(3), view(), cpu(0.1), history(), NOW)
    assert (lowered.desired, lowered.binding) == (3, "min")
    above = decide(rule(1, 3), view(), Usage(), history(), NOW)
    assert (above.binding, above.would_change) == ("max", "max of 4 or more")
    below = decide(rule(6), view(), Usage(), history(), NOW)
    assert (below.binding, below.would_change) == ("min", "min of 4 or less")


def test_a_window_counts_down():
    """Scale-down is 220 s away while the load stays as low as it is."""
    decision = decide(rule(), view(), cpu(0.2), history((80, 4)), NOW)
    assert (decision.binding, decision.would_change) == ("stabilized", "cpu below 37.5% for 3m40s")
    part = decide(rule(), view(8), cpu(0.1, 8), history((60, 6)), NOW)
    assert (part.desired, part.binding) == (6, "stabilized")
    slow = rule(scale_up=up(window=60.0))
    rising = decide(slow, view(), cpu(1.0), history((10, 4)), NOW)
    assert rising.would_change == "cpu above 55% for 50 s"


def test_rates():
    """Time alone, a policy that allows any change, or the direction enabled at all."""
    slow = rule(most=50, scale_up=up(policies=(Policy(PolicyType.REPLICAS, 2, 15.0),)))
    used = decide(slow, view(), cpu(1.0), history(events=(event(5, 2),)), NOW)
    assert (used.binding, used.would_change) == ("rate_limited", "the same in 10 s")
    none = decide(rule(scale_up=up(policies=())), view(), cpu(1.0), history(), NOW)
    assert none.would_change == "policies of scale_up that allow a change"
    fixed = calm_rule()
    fixed = replace(fixed, scale_down=down(window=0.0, select_policy=SelectPolicy.DISABLED))
    off = decide(fixed, view(), cpu(0.1), history(), NOW)
    assert off.would_change == "a select_policy of scale_down other than disabled"
    less = replace(fixed, scale_down=down(window=0.0, policies=(
        Policy(PolicyType.REPLICAS, 1, 60.0),)))  # fmt: skip
    assert decide(less, view(), cpu(0.1), history(), NOW).binding == "rate_limited"


def test_missing_and_starting_tasks():
    """Samples of all tasks, or all of them running."""
    missing = decide(calm_rule(), view(), cpu({1: 0.1, 2: 0.1, 3: 0.1}), history(), NOW)
    assert (missing.binding, missing.would_change) == ("missing_samples", "samples of all tasks")
    busy = decide(rule(), view(), cpu({1: 0.9, 2: 0.4, 3: 0.4}), history(), NOW)
    assert busy.would_change == "samples of all tasks, or cpu above 66.7%"
    few = decide(calm_rule(), view(tasks=[task(1), task(2), task(3)]), cpu(0.1, 3), history(), NOW)
    assert (few.binding, few.would_change) == ("not_converged", "all of its tasks run")
    nothing = decide(calm_rule(), view(), Usage(), history(), NOW)
    assert (nothing.binding, nothing.would_change) == (
        "missing_samples", "cpu can be followed again",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "binding", "ends"),
    [
        (UpdateState.UPDATING, "rollout_in_progress", "the update completes"),
        (UpdateState.ROLLBACK_STARTED, "rollout_in_progress", "the rollback completes"),
        (UpdateState.PAUSED, "rollout_paused", "somebody updates or rolls back the service"),
        (UpdateState.ROLLBACK_PAUSED, "rollout_paused",
         "somebody updates or rolls back the service"),
    ],
)  # fmt: skip
def test_guards(state, binding, ends):
    """What ends a rollout ends the guard."""
    decision = decide(rule(), view(of=service(4, update_state=state)), cpu(1.0), history(), NOW)
    assert (decision.binding, decision.would_change) == (binding, ends)
    assert stage(decision, "final") == 8


def test_the_gap_and_old_facts():
    """Before a rollout shows, and while no manager answers."""
    gap = decide(rule(), view(version_since=NOW.mono - 1), cpu(1.0), history(own_version=1), NOW)
    assert gap.would_change == "all tasks run the new specification, or the rollout is over"
    old = decide(rule(), view(fresh=False), cpu(1.0), history(), NOW)
    assert (old.binding, old.would_change, old.seen) == ("out_of_sync", "a manager answers", None)


def test_refusals():
    """Each refusal names itself and what would lift it."""
    own = decide(rule(), view(), cpu(1.0), history(), NOW, own_service=True)
    assert (own.binding, own.would_change) == (
        "own_service",
        "nothing: an agent never touches the service it runs in",
    )
    job = view(of=service(None, mode=ServiceMode.GLOBAL_JOB))
    assert decide(rule(), job, cpu(1.0), history(), NOW).would_change == "a service that is no job"
    everywhere = view(of=service(None, mode=ServiceMode.GLOBAL))
    no = decide(rule(), everywhere, cpu(1.0), history(), NOW)
    assert (no.binding, no.would_change) == ("unsupported_mode", "a replicated service")
    two = ambiguous(rule(), view(), ["other"], history(), NOW)
    assert (two.binding, two.would_change) == (
        "ambiguous",
        "only one of other, web-load is about it",
    )
    person = decide(rule(2), view(0), Usage(), history(), NOW)
    assert (person.binding, person.would_change) == (
        "scaled_to_zero_by_user", "somebody scales it to 1 or more",
    )  # fmt: skip


def test_stages_show_room_and_activity_where_they_count():
    """The order of the stages is that of judging."""
    asleep = calm_rule(0, metrics=(queue(),))
    decision = decide(asleep, view(room=Room(9)), numbers(0.0), history(), NOW)
    assert [one.name for one in decision.stages] == [
        "raw", "tolerance", "activation", "stabilized", "rate_limited", "bounded", "capacity",
        "final",
    ]  # fmt: skip
    held = decide(calm_rule(), view(failed_at=(NOW.mono,) * 3), cpu(0.1), history(), NOW)
    assert held.stages[-1].note == "held: crash_loop"


def test_what_was_seen_goes_along():
    """The version, the replicas and the template it was decided on."""
    decision = decide(rule(), view(of=service(4, stack="shop")), cpu(0.5), history(), NOW)
    assert decision.seen == Seen(42, 4, "t", stack=True)


def test_activity_that_bound():
    """Kept awake at one, or put to sleep against the target: activation is what bound."""
    awake = decide(calm_rule(0, metrics=(queue(1000.0),)), view(3), numbers(6.0), history(), NOW)
    assert (awake.desired, awake.binding) == (1, "")
    lazy = calm_rule(0, metrics=(queue(10.0, activation=50.0),))
    asleep = decide(lazy, view(3), numbers(40.0), history(), NOW)
    assert (asleep.desired, asleep.binding, asleep.reason) == (0, "activation", Reason.INACTIVE)
