"""Cooldowns, flapping, crash loops, warm-up, and the two windows of usage."""

from dataclasses import replace

import pytest

from monitor.decide import decide, record_write, remember
from monitor.decide.flapping import suggested_tolerance, turns, wait_before_down
from monitor.model.action import ScaleTo
from monitor.model.reason import Reason
from monitor.model.rule import MissingSamples
from monitor.model.usage import Sample, Usage
from tests.unit.decide.make import (
    LIMIT,
    NOW,
    calm_rule,
    condition,
    cpu,
    down,
    event,
    history,
    later,
    rule,
    service,
    up,
    view,
)


def test_a_cooldown_holds_its_own_direction():
    """Changed 20 s ago with 60 s of scale-up cooldown: 40 s are left; down is not held."""
    cool = rule(scale_up=up(cooldown=60.0), scale_down=down(window=0.0))
    past = history(events=(event(20, 1),))
    held = decide(cool, view(), cpu(0.9), past, NOW)
    assert (held.action, held.reason) == (None, Reason.COOLDOWN)
    assert held.sentence == (
        "web stays at 4 although 8 are wanted: it was changed 20 s ago; "
        "the cooldown of scale_up lasts another 40 s"
    )
    assert held.recheck_after == pytest.approx(40)
    assert held.would_change == "the same in 40 s"
    assert decide(cool, view(), cpu(0.1), past, NOW).action == ScaleTo(1)
    assert decide(cool, view(), cpu(0.9), past, later(40)).action == ScaleTo(8)


def test_a_change_of_either_direction_starts_a_cooldown():
    """Scaled up 20 s ago: a scale-down cooldown of 30 s holds for 10 s more."""
    cool = rule(scale_down=down(window=0.0, cooldown=30.0))
    for change in (2, -2):
        past = history(events=(event(300, 1), event(20, change)))
        held = decide(cool, view(), cpu(0.1), past, NOW)
        assert (held.action, held.reason, held.recheck_after) == (None, Reason.COOLDOWN, 10.0)
        assert decide(cool, view(), cpu(0.1), past, later(10)).action == ScaleTo(1)


def test_by_default_a_scale_down_lets_15_seconds_pass():
    """After a change of either direction, to the second; a stated zero is none, up has none."""
    calm = calm_rule()
    for change in (-1, 2):
        soon = history(events=(event(14.5, change),))
        held = decide(calm, view(), cpu(0.1), soon, NOW)
        assert (held.action, held.reason, held.recheck_after) == (None, Reason.COOLDOWN, 0.5)
        past = history(events=(event(15, change),))
        assert decide(calm, view(), cpu(0.1), past, NOW).action == ScaleTo(1)
        none = rule(scale_down=down(window=0.0, cooldown=0.0))
        assert decide(none, view(), cpu(0.1), soon, NOW).action == ScaleTo(1)
        assert decide(calm, view(), cpu(0.6), soon, NOW).action == ScaleTo(5)


def test_no_change_yet_means_no_cooldown():
    """The first change of a rule waits for nothing."""
    cool = rule(scale_up=up(cooldown=600.0), scale_down=down(window=0.0, cooldown=600.0))
    assert decide(cool, view(), cpu(0.9), history(), NOW).action == ScaleTo(8)
    assert decide(cool, view(), cpu(0.1), history(), NOW).action == ScaleTo(1)


SWINGS = tuple(event(seconds, change) for seconds, change in
               [(3000, 2), (2400, -2), (1800, 2), (1200, -2), (600, 2)])  # fmt: skip


def test_turns_are_counted_within_the_hour():
    """Five swings are four turns; what is an hour old, or no change, counts no more."""
    assert turns(SWINGS, NOW.mono) == 4
    assert turns(SWINGS, NOW.mono + 600) == 3
    assert turns((event(50, 2), event(40, 0), event(30, 1)), NOW.mono) == 0
    assert turns((), NOW.mono) == 0


@pytest.mark.parametrize(("most", "wait"), [(5, None), (4, 600.0), (3, 1200.0), (0, 3000.0)])
def test_a_further_turn_waits_until_enough_are_forgotten(most, wait):
    """The fifth turn is allowed by 5; by 4 once the first swing is an hour old, and so on."""
    assert wait_before_down(SWINGS, most, NOW.mono) == wait


def test_after_a_change_downwards_going_further_down_is_no_turn():
    """Four changes with three turns, the last one down: going on down makes no fourth."""
    assert wait_before_down(SWINGS[:4], 3, NOW.mono) is None
    assert wait_before_down(SWINGS[:4], 2, NOW.mono) == 600.0


def test_beyond_the_cap_nothing_is_scaled_down_but_up_stays_open():
    """4 turns with a cap of 4: scale-down is held with a suggestion, scale-up is not."""
    flapping = calm_rule(max_direction_changes=4)
    past = history(events=SWINGS)
    held = decide(flapping, view(), cpu(0.1), past, NOW)
    assert (held.action, held.reason, held.recheck_after) == (None, Reason.FLAPPING, 600.0)
    assert "changed direction 4 times within the hour, max_direction_changes is 4" in held.sentence
    assert condition(held, "Flapping") == (True, "TooManyDirectionChanges")
    message = next(one.message for one in held.conditions if one.type == "Flapping")
    assert message.endswith("with a tolerance of 100%")
    assert "or a wider tolerance" in held.would_change
    assert decide(flapping, view(), cpu(0.9), past, NOW).action == ScaleTo(8)
    calm = decide(calm_rule(max_direction_changes=5), view(), cpu(0.1), past, NOW)
    assert calm.action == ScaleTo(1)
    assert "Flapping" not in {one.type for one in calm.conditions}


def test_the_suggested_tolerance_is_the_median_swing():
    """10 -> 12 -> 9 -> 10 are swings of 20, 25 and 11 %: half of them lie within 20 %."""
    past = (event(30, 2), event(20, -3), event(10, 1))
    assert suggested_tolerance(past, 10, NOW.mono) == pytest.approx(0.2)
    assert suggested_tolerance((event(10, 1),), 101, NOW.mono) == pytest.approx(0.05)
    assert suggested_tolerance((), 4, NOW.mono) == pytest.approx(0.05)
    assert suggested_tolerance((event(10, 3),), 10, NOW.mono) == pytest.approx(0.45)


@pytest.mark.parametrize("mode", list(MissingSamples))
def test_crashing_tasks_are_not_falling_load(mode):
    """Three failures within two minutes hold scale-down, by whatever count of samples."""
    the_rule = calm_rule(missing_samples=mode)
    failed = (NOW.mono - 100, NOW.mono - 50, NOW.mono - 1)
    held = decide(the_rule, view(failed_at=failed), cpu(0.1), history(), NOW)
    assert (held.action, held.reason) == (None, Reason.CRASH_LOOP)
    assert held.sentence == (
        "web stays at 4 although 1 would do: 3 tasks failed within 2m; "
        "scale-down waits until they hold"
    )
    assert held.recheck_after == pytest.approx(20)
    assert held.recommendation == 4
    assert held.would_change == "fewer than 3 tasks fail within 2m"
    assert condition(held, "ScalingLimited") == (True, "CrashLoop")
    assert decide(the_rule, view(failed_at=failed), cpu(0.1), history(), later(20)).action == (
        ScaleTo(1)
    )


def test_two_failures_or_old_ones_are_no_loop_and_up_is_never_held():
    """Two recent failures beside old ones change nothing; under load a loop adds replicas."""
    two = view(failed_at=(NOW.mono - 500, NOW.mono - 121, NOW.mono - 50, NOW.mono - 1))
    assert decide(calm_rule(), two, cpu(0.1), history(), NOW).action == ScaleTo(1)
    loop = view(failed_at=(NOW.mono - 3, NOW.mono - 2, NOW.mono - 1))
    assert decide(calm_rule(), loop, cpu(0.9), history(), NOW).action == ScaleTo(8)


def test_the_third_newest_failure_ends_the_loop():
    """Of five failures the third newest counts, in whatever order they are listed."""
    failed = tuple(NOW.mono - ago for ago in (1, 110, 2, 100, 40))
    held = decide(calm_rule(), view(failed_at=failed), cpu(0.1), history(), NOW)
    assert held.recheck_after == pytest.approx(80)
    assert "5 tasks failed" in held.sentence


def test_a_task_that_warms_up_does_not_count_yet():
    """Two tasks at 95 % and two that started 10 s ago and burn 100 %: 4 are enough for now."""
    warm = rule(warm_up=30.0)
    started = {"task3": NOW.mono - 10, "task4": NOW.mono - 20}
    usage = cpu({1: 0.95, 2: 0.95, 3: 1.0, 4: 1.0})
    decision = decide(warm, view(running_since=started), usage, history(), NOW)
    assert (decision.action, decision.reason) == (None, Reason.NOT_CONVERGED)
    notes = {one.task_id: one.note for one in decision.inputs}
    assert (notes["task3"], notes["task4"]) == (
        "warms up for another 20 s", "warms up for another 10 s",
    )  # fmt: skip
    assert decision.recheck_after == pytest.approx(10)
    assert decide(rule(), view(running_since=started), usage, history(), NOW).action == ScaleTo(8)
    assert decide(warm, view(running_since=started), usage, history(), later(20)).action == (
        ScaleTo(8)
    )


def test_the_start_period_of_the_health_check_is_the_warm_up():
    """Unless the rule says otherwise; and the notes say whose period it is."""
    checked = service(start_period=45.0)
    ran = {"task3": NOW.mono - 10, "task4": NOW.mono - 20}
    begun = {"task3": NOW.mono - 25, "task4": NOW.mono - 50}
    seen = view(of=checked, running_since=ran, starting_since=begun)
    usage = cpu({1: 0.5, 2: 0.5, 3: 1.0, 4: 0.5})
    decision = decide(rule(), seen, usage, history(), NOW)
    assert decision.action is None
    assert {one.task_id: one.note for one in decision.inputs if not one.used} == {
        "task3": "within its health check's start period for another 20 s"
    }
    assert decision.recheck_after == pytest.approx(20)
    assert decide(rule(warm_up=0.0), seen, usage, history(), NOW).action == ScaleTo(5)
    assert decide(rule(), seen, usage, history(), later(20)).action == ScaleTo(5)


def test_a_task_that_warms_up_holds_scale_down():
    """Three calm tasks and one that warms up: none is removed until it is known."""
    warm = calm_rule(warm_up=30.0)
    seen = view(running_since={"task4": NOW.mono - 10})
    decision = decide(warm, seen, cpu(0.1), history(), NOW)
    assert (decision.action, decision.reason, decision.recheck_after) == (
        None, Reason.NOT_CONVERGED, 20.0,
    )  # fmt: skip


def test_a_step_is_met_fast_and_left_calmly():
    """The worked example of `window` and `rising_window`, with 2 tasks and a target of 50 %.

    Load steps from 40 % to 100 % of the limit and, a minute later, back. The window of 15 s
    shows the step slowly (44 % after 1 s, 60 % after 5 s), the short one of 5 s at once (52 %
    after 1 s, 64 % after 2 s, 100 % after 5 s). Scale-up follows the short one: 3 replicas
    after 2 s, 4 after 4 s. When load falls the short window sees it first, but only the long
    one is asked, and scale-down waits for 5 calm minutes on top of it.
    """
    the_rule, past, replicas, moves = rule(), history((0, 2)), 2, []

    def load(second):
        return 1.0 if 0 <= second < 60 else 0.4

    for second in range(1, 500):
        shares = [load(second - ago) for ago in range(1, 16)]
        sample = Sample(sum(shares) / 15 * LIMIT, 0.0, sum(shares[:5]) / 5 * LIMIT, 15.0)
        if replicas > 2:  # the same load in all, on more tasks
            sample = replace(
                sample,
                value=sample.value * 2 / replicas,
                rising=sample.rising * 2 / replicas,
            )
        usage = Usage({"cpu": {f"task{slot}": sample for slot in range(1, replicas + 1)}})
        now = later(second)
        decision = decide(the_rule, view(replicas), usage, past, now)
        past = remember(past, decision)
        if isinstance(decision.action, ScaleTo):
            past = record_write(past, decision, now)
            replicas = decision.action.replicas
            moves.append((second, replicas))
    downs = [(second, n) for second, n in moves if second >= 60]
    assert moves[: -len(downs)] == [(2, 3), (4, 4)]
    assert downs[0][0] >= 60 + 300
    assert downs[-1][1] == 2
