"""The loop of a replay: the deciding code of production on a replayed service."""

from dataclasses import astuple, replace

import pytest

from monitor.model.rule import Behavior, Policy, PolicyType, ScaleRule
from monitor.model.scalar import PrometheusQuery, ScalarMetric
from monitor.replay.contender import Contender, by_agent, by_hpa, next_turn
from monitor.replay.drive import run
from monitor.replay.terms import Terms
from tests.unit.replay.scene import BEGIN, cpu_rule, minutes, waves

TERMS = Terms(per_replica=2.0)


def test_a_step_of_load_is_met_within_seconds_and_calm_after_five_minutes() -> None:
    """From 1 to 4 full replicas at 50 %: 8 replicas in the end, the first within 2 s of the step;
    2 again only once five minutes were calm."""
    trace = minutes(*[2.0] * 3, *[8.0] * 5, *[2.0] * 10)
    found = run(by_agent(cpu_rule()), trace, replace(TERMS, initial=2, queue=0.0))
    ups = [step for step in found.steps if step.after > step.before]
    assert 180 < ups[0].at - BEGIN <= 182
    assert ups[-1].after == 8
    assert ups[-1].at - BEGIN < 180 + 2 * TERMS.start_time + 10
    downs = [step for step in found.steps if step.after < step.before]
    assert downs[0].at - BEGIN == pytest.approx(480 + 300, abs=15)
    assert downs[-1].after == 2


def test_a_replay_is_deterministic() -> None:
    """Twice the same gives twice the same, down to every sentence and number."""
    once = run(by_agent(cpu_rule()), waves(30), TERMS)
    assert once == run(by_agent(cpu_rule()), waves(30), TERMS)
    assert len(once.steps) > 3


def long_windows() -> ScaleRule:
    [cpu] = cpu_rule(0.6).metrics
    return cpu_rule(0.6, metrics=(replace(cpu, window=150.0, rising_window=20.0),))


def by_rate() -> ScaleRule:
    rate = ScalarMetric("rate", PrometheusQuery("sum(rate(requests[1m]))"), 1.2)
    slow = Behavior(0.0, (Policy(PolicyType.REPLICAS, 1, 40.0),))
    return cpu_rule(metrics=(rate,), scale_up=slow)


def short_memory() -> ScaleRule:
    down = Behavior(20.0, (Policy(PolicyType.PERCENT, 20, 30.0),), cooldown=25.0)
    return cpu_rule(0.6, scale_down=down, max_direction_changes=3)


@pytest.mark.parametrize(
    "contender",
    [
        by_agent(cpu_rule(0.6)),
        by_hpa(cpu_rule(0.6)),
        by_agent(long_windows()),
        by_agent(by_rate()),
        by_agent(short_memory()),
    ],
    ids=["defaults", "hpa", "long windows", "rate", "short memory"],
)
def test_seconds_that_are_left_out_would_have_changed_nothing(contender: Contender) -> None:
    """Leaps save most evaluations; made every second, all decisions are the same."""
    trace, terms = waves(18), replace(TERMS, start_time=7.0)
    leaps = run(contender, trace, terms)
    whole = run(contender, trace, terms, thrifty=False)
    assert [(s.at, s.before, s.after) for s in leaps.steps] == [
        (s.at, s.before, s.after) for s in whole.steps
    ]
    same = [round(value, 6) for value in astuple(whole.score)]
    assert [round(value, 6) for value in astuple(leaps.score)] == same
    assert leaps.evaluations < whole.evaluations
    assert len(leaps.steps) >= 3


def test_a_horizontal_pod_autoscaler_looks_each_15_seconds_and_cuts_to_whole_percents() -> None:
    """Its changes lie on its grid; 55.9 % against 50 % is 11 % above for the agent, and within
    tolerance for it, as 55 % is 10 %."""
    trace = minutes(*[10.0] * 2, *[11.18] * 10)
    terms = replace(TERMS, initial=10)
    ours = run(by_agent(cpu_rule(most=20)), trace, terms)
    theirs = run(by_hpa(cpu_rule(most=20)), trace, terms)
    assert [step.after for step in ours.steps] == [12]
    assert theirs.steps == ()
    jumps = run(by_hpa(cpu_rule()), waves(24), TERMS).steps
    assert jumps
    assert all((step.at - BEGIN) % 15 == 0 for step in jumps)


def test_numbers_of_a_rule_say_what_the_trace_says() -> None:
    """A query with a target per replica follows the trace's values themselves."""
    metric = ScalarMetric("rate", PrometheusQuery("sum(rate(requests[1m]))"), 100.0)
    rule = replace(cpu_rule(), metrics=(metric,))
    found = run(by_agent(rule), minutes(100, 750, 750), replace(TERMS, per_replica=125.0))
    assert found.steps[-1].after == 8


def test_policies_of_the_rule_are_followed() -> None:
    """One replica a minute is one replica a minute."""
    slow = Behavior(0.0, (Policy(PolicyType.REPLICAS, 1, 60.0),))
    trace = minutes(2.0, *[16.0] * 6)
    found = run(by_agent(cpu_rule(scale_up=slow)), trace, replace(TERMS, initial=2))
    gaps = [b.at - a.at for a, b in zip(found.steps, found.steps[1:], strict=False)]
    assert len(gaps) >= 4
    assert all(gap >= 60 for gap in gaps)
    assert all(step.after - step.before == 1 for step in found.steps)


@pytest.mark.parametrize(
    ("every", "change", "recheck", "found"),
    [
        (1, 60, float("inf"), 60),
        (15, 60, float("inf"), 60),
        (15, 59, float("inf"), 45),
        (15, 3, float("inf"), 15),
        (1, 60, 12.2, 13),
        (15, 60, 12.2, 15),
        (1, 60, -3, 1),
    ],
)
def test_the_next_look_is_right_before_a_change_or_right_after_a_wait(
    every: float, change: float, recheck: float, found: float
) -> None:
    """On the contender's own grid, and never now again."""
    assert next_turn(every, 0.0, change, recheck) == found
