"""What good rule files become."""

from dataclasses import replace

import pytest

from monitor.model import condition as c
from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    AllOf,
    AnyOf,
    Backoff,
    Basis,
    Breaker,
    Budget,
    ConditionKind,
    FailingHere,
    Metric,
    MissingSamples,
    NodeAction,
    NodeCondition,
    NodeConditionKind,
    NodeRule,
    Policy,
    PolicyType,
    Quantity,
    RebalanceRule,
    RestartAction,
    RestartRule,
    RuleMode,
    ScaleRule,
    SelectPolicy,
    TaskCondition,
)
from monitor.model.scalar import (
    Credentials,
    Formula,
    JsonUrl,
    Per,
    PrometheusQuery,
    ScalarMetric,
    TasksPending,
)
from monitor.model.schedule import AfterDeployReset, Fallback, Schedule
from monitor.model.selector import NodeSelector, Selector
from monitor.model.sources import sources_of
from monitor.model.task import TaskState
from monitor.model.tuning import Count
from monitor.model.usage import MetricKind
from tests.unit.rulefile import bad
from tests.unit.rulefile.every import EVERY
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


def test_each_direction_has_its_own_default_cooldown() -> None:
    """15 s on the way down, none on the way up; what is stated counts, zero too."""
    (rule,) = rules(bad.SCALE + "      scale_down: {tolerance: 5%}\n")
    assert isinstance(rule, ScaleRule)
    assert (rule.scale_up.cooldown, rule.scale_down.cooldown) == (0.0, 15.0)
    (rule,) = rules(bad.SCALE + "      scale_down: {cooldown: 0s}\n")
    assert isinstance(rule, ScaleRule)
    assert rule.scale_down.cooldown == 0.0


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


METRICS = """
version: 1
rules:
  - name: worker
    services: [worker]
    scale:
      min: 0
      max: 50
      metrics:
        - {type: cpu, target: 60%, window: 30s, rising_window: 10s, activation: 5%}
        - {type: cpu, cores: 0.5, window: 3s, activation: 0.1}
        - {type: cpu, name: load, rising_window: off}
        - {type: memory, target: 700MiB, activation: 50MiB}
        - {type: network_receive, target: 10MiB, activation: 1KiB/s}
        - {type: network_transmit, target: 1.5MB/s}
        - type: prometheus
          query: sum(rate(http_requests_total{job="$service"}[1m]))
          target: 100
          per: total
          address: https://prom:9090/sub/
          activation: 5
          timeout: 2s
          interval: 30s
          empty_is: 0
          auth: {bearer_token_file: /run/secrets/token}
        - {type: prometheus, name: queue, query: sum(queue_length)}
        - type: http
          url: http://$service:8080/stats?a=b
          path: queues[0].length
          target: 2.5
          auth: {username: me, password_file: /run/secrets/password}
        - {type: tasks_pending, name: waiting}
        - {type: formula, formula: "max(queue, waiting) + load", target: 4}
      scale_up: {cooldown: 30s}
      scale_down: {cooldown: 5m}
      count: replicas
      warm_up: 20s
      fallback: {replicas: 6, after: 2m}
      after_deploy_reset: restore
      max_direction_changes: 6
      schedules:
        - {cron: "0 8 * * mon-fri", duration: 10h, timezone: Europe/Berlin, min: 6, max: 40}
        - {name: night, cron: "0 22 * * *", duration: 8h, replicas: 0}
"""


def test_every_metric() -> None:
    """Each type arrives with its fields in seconds, cores, bytes, bytes per second or as is."""
    (rule,) = rules(METRICS)
    assert isinstance(rule, ScaleRule)
    mebibyte = 1024.0**2
    assert rule.metrics == (
        Metric("cpu", MetricKind.CPU, Quantity(0.6, Basis.AUTO), 30.0, 10.0, 0.05),
        Metric("cpu_2", MetricKind.CPU, Quantity(0.5), 3.0, 3.0, 0.1),
        Metric("load", MetricKind.CPU, None, 15.0, 15.0),
        Metric("memory", MetricKind.MEMORY, Quantity(700 * mebibyte), activation=50 * mebibyte),
        Metric(
            "network_receive",
            MetricKind.NETWORK_RECEIVE,
            Quantity(10 * mebibyte),
            activation=1024.0,
        ),
        Metric("network_transmit", MetricKind.NETWORK_TRANSMIT, Quantity(1.5e6)),
        ScalarMetric(
            "prometheus",
            PrometheusQuery(
                'sum(rate(http_requests_total{job="$service"}[1m]))',
                "https://prom:9090/sub",
                Credentials(bearer_token_file="/run/secrets/token"),
                timeout=2.0,
                interval=30.0,
                empty_is=0.0,
            ),
            100.0,
            Per.TOTAL,
            5.0,
        ),
        ScalarMetric("queue", PrometheusQuery("sum(queue_length)"), None),
        ScalarMetric(
            "http",
            JsonUrl(
                "http://$service:8080/stats?a=b",
                "queues[0].length",
                Credentials(username="me", password_file="/run/secrets/password"),
            ),
            2.5,
        ),
        ScalarMetric("waiting", TasksPending(), None),
        ScalarMetric("formula", Formula("max(queue, waiting) + load"), 4.0),
    )


def test_every_behaviour_of_a_scale_rule() -> None:
    """What is not a metric arrives with its value, too."""
    (rule,) = rules(METRICS)
    assert isinstance(rule, ScaleRule)
    assert (rule.min, rule.max) == (0, 50)
    assert (rule.scale_up.cooldown, rule.scale_down.cooldown) == (30.0, 300.0)
    assert (rule.count, rule.warm_up) == (Count.REPLICAS, 20.0)
    assert rule.fallback == Fallback(6, 120.0)
    assert rule.after_deploy_reset is AfterDeployReset.RESTORE
    assert rule.max_direction_changes == 6
    assert rule.schedules == (
        Schedule("0 8 * * mon-fri", 36000.0, "Europe/Berlin", 6, 40),
        Schedule("0 22 * * *", 28800.0, "UTC", 0, 0, "night"),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("window: 30s", "window: 31s"),
        ("rising_window: off", "rising_window: 15s, window: 16s"),
        ("activation: 5%", "activation: 6%"),
        ("10MiB,", "11MiB,"),
        ("$service", "$stack"),
        ("per: total", "per: replica"),
        ("prom:9090", "prom:9091"),
        ("activation: 5\n", "activation: 6\n"),
        ("timeout: 2s", "timeout: 3s"),
        ("interval: 30s", "interval: 31s"),
        ("empty_is: 0", "empty_is: 1"),
        ("secrets/token", "secrets/other"),
        ("queues[0]", "queues[1]"),
        ("username: me", "username: you"),
        ("max(queue", "min(queue"),
        ("cooldown: 30s", "cooldown: 31s"),
        ("count: replicas", "count: ready"),
        ("warm_up: 20s", "warm_up: 21s"),
        ("replicas: 6,", "replicas: 7,"),
        ("after: 2m", "after: 3m"),
        ("restore", "wait"),
        ("max_direction_changes: 6", "max_direction_changes: 7"),
        ("0 8 * *", "0 9 * *"),
        ("duration: 10h", "duration: 11h"),
        ("Europe/Berlin", "Europe/Paris"),
        ("min: 6", "min: 7"),
        ("name: night", "name: late"),
        ("type: network_transmit", "type: network_receive"),
        ("name: load", "name: work"),
    ],
)
def test_digest_holds_every_field(old: str, new: str) -> None:
    """Two managers with rules that differ anywhere know that they differ."""
    changed = METRICS.replace(old, new).replace(
        "+ load", "+ work" if "name: work" in new else "+ load"
    )
    first, second = parsed(METRICS), parsed(changed)
    assert changed != METRICS
    assert first.rules is not None
    assert second.rules is not None, second.problems
    assert first.rules.digest != second.rules.digest


@pytest.mark.parametrize("short", ["10MiB", "10MiB/s", "10485760B", "10485760B/s"])
def test_rates_are_written_with_and_without_the_second(short: str) -> None:
    """Bytes per second are a size, `/s` may stand behind it."""
    (rule,) = rules(bad.metric(f"{{type: network_receive, target: {short}}}"))
    assert isinstance(rule, ScaleRule)
    (metric,) = rule.metrics
    assert metric.target == Quantity(10485760.0)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        (
            bad.metric("{type: cpu, target: 60%, activation: 5%}"),
            "activation of cpu has no effect without min: 0",
        ),
        (
            bad.scale("min: 1", "min: 0").replace(
                "- {type: cpu",
                "- {type: prometheus, query: up, target: 1}\n        - {type: cpu",
            ),
            "cpu has no activation",
        ),
        (
            bad.metric(
                "{type: prometheus, query: up, target: 1}\n"
                "        - {type: prometheus, query: up, target: 2, timeout: 1s}"
            ),
            "metrics prometheus and prometheus_2 ask the same",
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_of(text: str, piece: str) -> None:
    """Rules that are allowed and most likely a mistake load with a warning."""
    (warning,) = parsed(text).warnings
    assert warning.startswith('1.yml:3: rule "web": ')
    assert piece in warning


@pytest.mark.parametrize(
    "metric",
    [
        "{type: prometheus, query: up, target: 1}",
        "{type: http, url: 'http://a', target: 1}",
        (
            "{type: prometheus, query: up, name: q}\n"
            "        - {type: formula, formula: q * 2, target: 1}"
        ),
    ],
)
def test_zero_is_allowed_where_something_can_end_it(metric: str) -> None:
    """What is measured outside of the tasks wakes a service that has none."""
    (rule,) = rules(bad.metric(metric).replace("min: 1", "min: 0"))
    assert isinstance(rule, ScaleRule)
    assert rule.min == 0


def _read(text: str) -> list[object]:
    rules = parsed(HEAD_OF + text).rules
    assert rules is not None
    return [*rules.rules, *rules.node_rules]


HEAD_OF = "version: 1\nrules:\n"


def test_every_condition_becomes_its_own_value() -> None:
    """Names, numbers and defaults of what a restart rule may wait for."""
    rules = parsed(EVERY).rules
    assert rules is not None
    every, single = (next(r for r in rules.rules if r.name == name) for name in ("every", "single"))
    assert isinstance(every, RestartRule)
    source = PrometheusQuery("up", interval=30.0)
    assert every.when == AnyOf(
        (
            TaskCondition(ConditionKind.CPU_BELOW, Quantity(0.01, Basis.LIMIT), 300.0),
            c.UnhealthyFor(120.0),
            c.HealthFlapping(3, 3600.0),
            c.StuckIn(TaskState.STARTING, 300.0),
            c.OlderThan(7 * 86400.0),
            c.OomKills(3, 3600.0),
            c.Exits(3, 600.0, (1, 70)),
            c.Exits(3, 600.0),
            c.Cron("0 4 * * *"),
            c.Cron("0 4 * * *", "Europe/Berlin", 3600.0),
            c.NumberBeyond("prometheus", source, 1.0, False, 120.0),
            c.Restarted("db"),
        )
    )
    assert (every.breaker, every.quiet_after_deploy) == (Breaker(3, 600.0), 60.0)
    assert isinstance(single, RestartRule)
    assert (single.action, single.at_once) == (RestartAction.RESTART_TASK, 2)
    assert (single.breaker, single.quiet_after_deploy) == (Breaker(5, 900.0), 30.0)


def test_rules_that_rebalance_and_rules_about_nodes() -> None:
    """Both by their fields; a rule about nodes stands apart from those about services."""
    rules = parsed(EVERY).rules
    assert rules is not None
    even = next(rule for rule in rules.rules if rule.name == "even")
    assert isinstance(even, RebalanceRule)
    assert (even.skew_above, even.for_seconds, even.node_joined) == (1, 300.0, 60.0)
    assert (even.budget, even.quiet_after_deploy) == (Budget(20, 3600.0), 120.0)
    (nodes,) = rules.node_rules
    assert nodes.selector == NodeSelector(role="worker", exclude=("w1",))
    assert nodes.any_of == (
        NodeCondition(NodeConditionKind.DOWN_FOR, 1.0, 300.0),
        NodeCondition(NodeConditionKind.MEMORY_ABOVE, 0.95, 300.0),
        NodeCondition(NodeConditionKind.DISK_ABOVE, 0.9, 300.0),
        FailingHere(5, 600.0),
    )
    assert (nodes.action, nodes.drain_for) == (NodeAction.DRAIN, 3600.0)
    assert nodes.budget == Budget(1, 86400.0)
    plain = _read("  - {name: n, node: {when: {down_for: 5m}}}\n")[0]
    assert isinstance(plain, NodeRule)
    assert (plain.selector, plain.action) == (NodeSelector(), NodeAction.NOTIFY)
    assert (plain.budget, plain.drain_for) == (Budget(2, 86400.0), 1800.0)
    defaults = _read("  - {name: r, services: [w], rebalance: {when: {node_joined: 1m}}}\n")[0]
    assert isinstance(defaults, RebalanceRule)
    assert (defaults.for_seconds, defaults.budget) == (None, Budget(20, 3600.0))


def test_numbers_of_one_rule_have_names_of_their_own() -> None:
    """Two queries without names, and one with."""
    rule = _read(
        "  - name: r\n    services: [w]\n    restart:\n      when:\n        any:\n"
        + "".join(
            f"          - prometheus: {{{more}query: q{n}, above: 1}}\n            for: 1m\n"
            for n, more in enumerate(("", "", "name: errors, "))
        )
    )[0]
    assert isinstance(rule, RestartRule)
    assert list(sources_of(rule)) == ["prometheus", "prometheus_2", "errors"]


def test_restarts_in_a_circle_are_warned_of() -> None:
    """a after b after c after a: told once, with the way; a chain is none."""

    def after(name: str, other: str) -> str:
        when = f"{{when: {{restarted: {other}}}}}"
        return f"  - {{name: r{name}, services: [{name}], restart: {when}}}\n"

    chain = HEAD_OF + after("b", "a") + after("c", "b")
    assert parsed(chain).warnings == ()
    (said,) = parsed(chain + after("a", "c")).warnings
    assert "restarted after each other without end" in said
    assert sorted(said.rsplit(": ", 1)[1].split(" -> ")[:-1]) == ["a", "b", "c"]
