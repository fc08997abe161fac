"""What good rule files become."""

from dataclasses import replace

import pytest

from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    AllOf,
    AnyOf,
    Backoff,
    Basis,
    Budget,
    ConditionKind,
    Metric,
    MissingSamples,
    Policy,
    PolicyType,
    Quantity,
    RestartAction,
    RestartRule,
    RuleMode,
    ScaleRule,
    SelectPolicy,
    TaskCondition,
)
from monitor.model.selector import Selector
from monitor.model.usage import MetricKind
from tests.unit.rulefile import bad
from tests.unit.rulefile.helpers import parsed, rules

CONTRACT = """
version: 1
rules:
  - name: web-load
    services: [web, "shop_*"]
    exclude: [shop_db]
    mode: dry_run
    scale:
      min: 2
      max: 20
      metrics:
        - {type: cpu, target: 60%, of: limit}
        - {type: cpu, cores: 0.5}
        - {type: memory, target: 700MiB}
        - {type: memory, target: 80%}
      scale_up:
        stabilization_window: 0s
        tolerance: 5%
        select_policy: min
        policies:
          - {type: percent, value: 100, period: 15s}
          - {type: replicas, value: 4, period: 15s}
      scale_down:
        stabilization_window: 10m
        policies: [{type: percent, value: 50, period: 1m}]
      missing_samples: hpa
  - name: api-leak
    services: {stack: shop}
    mode: off
    restart:
      when: {any: [{memory_above: 90%, for: 5m}, {all: [{cpu_above: 1.5, for: 1m30s}]}]}
      action: restart_service
      budget: {count: 2, within: 2h}
      backoff: {initial: 1m, max: 10m}
"""


def test_every_field_of_a_scale_rule() -> None:
    """Each field of the contract arrives with its value in seconds, bytes, cores or shares."""
    rule = rules(CONTRACT)[1]
    assert rule == ScaleRule(
        name="web-load",
        selector=Selector(names=("web", "shop_*"), exclude=("shop_db",)),
        mode=RuleMode.DRY_RUN,
        source="1.yml:4",
        min=2,
        max=20,
        metrics=(
            Metric("cpu", MetricKind.CPU, Quantity(0.6, Basis.LIMIT)),
            Metric("cpu_2", MetricKind.CPU, Quantity(0.5)),
            Metric("memory", MetricKind.MEMORY, Quantity(700 * 1024.0**2)),
            Metric("memory_2", MetricKind.MEMORY, Quantity(0.8, Basis.AUTO)),
        ),
        scale_up=replace(SCALE_UP_DEFAULT, tolerance=0.05, select_policy=SelectPolicy.MIN),
        scale_down=replace(
            SCALE_DOWN_DEFAULT,
            stabilization_window=600.0,
            policies=(Policy(PolicyType.PERCENT, 50, 60.0),),
        ),
        missing_samples=MissingSamples.HPA,
    )


def test_every_field_of_a_restart_rule() -> None:
    """Conditions keep their nesting; a share in them is one of the limit."""
    rule = rules(CONTRACT)[0]
    assert rule == RestartRule(
        name="api-leak",
        selector=Selector(stack="shop"),
        mode=RuleMode.OFF,
        source="1.yml:27",
        when=AnyOf(
            (
                TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(0.9, Basis.LIMIT), 300.0),
                AllOf((TaskCondition(ConditionKind.CPU_ABOVE, Quantity(1.5), 90.0),)),
            )
        ),
        action=RestartAction.RESTART_SERVICE,
        budget=Budget(2, 7200.0),
        backoff=Backoff(60.0, 600.0),
    )


def test_defaults() -> None:
    """A rule without options is a rule with the documented defaults."""
    (scaling,) = rules(bad.SCALE)
    assert scaling == ScaleRule(
        name="web",
        selector=Selector(names=("web",)),
        source="1.yml:3",
        min=1,
        max=5,
        metrics=(Metric("cpu", MetricKind.CPU, Quantity(0.6, Basis.AUTO)),),
    )
    (restarting,) = rules(bad.RESTART)
    assert isinstance(restarting, RestartRule)
    assert (restarting.budget, restarting.backoff) == (Budget(3, 3600.0), Backoff(30.0, 3600.0))


@pytest.mark.parametrize("field", ["tolerance: 20%", "stabilization_window: 30s"])
@pytest.mark.parametrize("direction", ["scale_up", "scale_down"])
def test_given_direction_is_completed(direction: str, field: str) -> None:
    """A direction with one field given has the autoscaler's default for every other field."""
    (rule,) = rules(bad.SCALE + f"      {direction}: {{{field}}}\n")
    default = SCALE_UP_DEFAULT if direction == "scale_up" else SCALE_DOWN_DEFAULT
    change = {"tolerance": 0.2} if "tolerance" in field else {"stabilization_window": 30.0}
    assert getattr(rule, direction) == replace(default, **change)


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ('{label: "tier=front"}', Selector(label=("tier", "front"))),
        ("{label: tier}", Selector(label=("tier", None))),
        ('{label: "tier="}', Selector(label=("tier", ""))),
        ('{label: "a=b=c"}', Selector(label=("a", "b=c"))),
        ("{stack: shop}", Selector(stack="shop")),
        ("[on, off, no]", Selector(names=("on", "off", "no"))),
        ('["0x10", 1e3]', Selector(names=("0x10", "1e3"))),
    ],
)
def test_selectors(text: str, selector: Selector) -> None:
    """Every way to select services; words that other YAML readers take for truth stay words."""
    (rule,) = rules(bad.scale("[web]", text))
    assert rule.selector == selector


def test_digest_is_of_content_alone() -> None:
    """Files, order, spelling and comments leave the digest; any change of meaning changes it."""
    one = (
        bad.SCALE
        + "  - name: b\n    services: [x, y]\n    restart: {when: {cpu_above: 1, for: 90s}}\n"
    )
    two = (
        "# other\nrules: [{name: b, services: [y, x], "
        'restart: {when: {for: 1m30s, cpu_above: 1.0}, action: "restart_service"}}]\nversion: 1\n'
    )
    first, second = parsed(one).rules, parsed(two, bad.SCALE).rules
    assert first is not None
    assert second is not None
    assert first.digest == second.digest
    assert len(first.digest) == 64
    for changed in (
        one.replace("max: 5", "max: 6"),
        one.replace("[web]", "[wab]"),
        one.replace("90s", "91s"),
        one.replace("60%}", "60%, of: limit}"),
        one.replace("cpu_above", "memory_above").replace("above: 1", "above: 1GiB"),
        one.replace("    scale:", "    mode: dry_run\n    scale:"),
    ):
        other = parsed(changed).rules
        assert other is not None
        assert other.digest != first.digest


def test_two_rules_for_one_service_are_warned_of() -> None:
    """Scale rules that claim one named service load, with a warning that neither will act."""
    other = bad.SCALE.replace("name: web", "name: all").replace("[web]", '["w*"]')
    (warning,) = parsed(bad.SCALE, other).warnings
    assert '"web"' in warning
    assert "neither" in warning
    assert parsed(bad.SCALE, other.replace('["w*"]', '["w*"]\n    exclude: [web]')).warnings == ()
    assert parsed(bad.SCALE, other.replace('["w*"]', '["w*"]\n    mode: off')).warnings == ()
