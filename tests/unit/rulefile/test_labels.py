"""Rules in the labels of services."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.condition import Cron, Exits
from monitor.model.rule import RestartAction, RestartRule, RuleMode, ScaleRule
from monitor.model.selector import Selector
from monitor.rulefile.label_limits import LabelCeilings
from monitor.rulefile.label_tree import MAX_LENGTH, PREFIX
from monitor.rulefile.labels import LabelResult, label_rules
from tests.unit.build import service
from tests.unit.rulefile.helpers import rules

SCALE = {"scale.min": "2", "scale.max": "10", "scale.cpu": "60%"}
RESTART = {"restart.memory_above": "90%", "restart.for": "5m"}
OPEN = LabelCeilings(max_replicas=10_000, allow_urls=True)


def read(labels: dict[str, str], ceilings: LabelCeilings = OPEN) -> LabelResult:
    return label_rules(service(labels={PREFIX + k: v for k, v in labels.items()}), ceilings)


def same(labels: dict[str, str], text: str) -> None:
    """The labels make what the same fields in a file make, but for name and source."""
    from dataclasses import replace

    (by_label,), (by_file,) = read(labels).rules, rules(text)
    assert replace(by_label, name="web", source="") == replace(by_file, source="")


def test_every_short_form() -> None:
    """Labels are the fields of a rule file, and metrics by their type."""
    same(
        {
            "mode": "dry_run",
            "scale.min": "0",
            "scale.max": "20",
            "scale.cpu": "60%",
            "scale.cpu.of": "limit",
            "scale.memory": "700MiB",
            "scale.network_receive": "10MiB/s",
            "scale.prometheus": "100",
            "scale.prometheus.query": '{job="$service"}',
            "scale.metrics": "[{type: cpu, cores: 0.5}]",
            "scale.scale_up.cooldown": "30s",
            "scale.scale_down.stabilization_window": "2m",
            "scale.scale_down.policies": "[{type: percent, value: 50, period: 1m}]",
            "scale.schedules": '[{cron: "0 8 * * mon-fri", duration: 10h, min: 6}]',
            "scale.fallback": "{replicas: 5, after: 2m}",
            "scale.warm_up": "20s",
            "scale.missing_samples": "hpa",
            "scale.count": "replicas",
            "scale.after_deploy_reset": "restore",
            "scale.max_direction_changes": "6",
        },
        """
version: 1
rules:
  - name: web
    services: [web]
    mode: dry_run
    scale:
      min: 0
      max: 20
      metrics:
        - {type: cpu, target: 60%, of: limit}
        - {type: memory, target: 700MiB}
        - {type: network_receive, target: 10MiB}
        - {type: prometheus, query: '{job="$service"}', target: 100}
        - {type: cpu, cores: 0.5}
      scale_up: {cooldown: 30s}
      scale_down:
        stabilization_window: 2m
        policies: [{type: percent, value: 50, period: 1m}]
      schedules: [{cron: "0 8 * * mon-fri", duration: 10h, min: 6}]
      fallback: {replicas: 5, after: 2m}
      warm_up: 20s
      missing_samples: hpa
      count: replicas
      after_deploy_reset: restore
      max_direction_changes: 6
""",
    )


def test_conditions_of_restarts() -> None:
    """A condition is written right below `restart`, or as `when` like in files."""
    file = """
version: 1
rules:
  - name: web
    services: [web]
    restart: {when: {memory_above: 90%, for: 5m}, budget: {count: 2}, action: restart_service}
"""
    more = {"restart.budget.count": "2", "restart.action": "restart_service"}
    same(RESTART | more, file)
    same({"restart.when": "{memory_above: 90%, for: 5m}"} | more, file)


def test_names_and_places_of_rules() -> None:
    """Each rule is about its service alone, under a name that no file can give."""
    scaling, restarting = read(SCALE | RESTART).rules
    assert isinstance(scaling, ScaleRule)
    assert isinstance(restarting, RestartRule)
    assert (scaling.name, restarting.name) == ("label:web", "label:web:restart")
    assert scaling.selector == restarting.selector == Selector(names=("web",))
    assert scaling.source == "labels of web"
    assert scaling.mode is RuleMode.ACT


@pytest.mark.parametrize("labels", [{}, {"rule": "scale-cpu"}, {"agent": "true"}])
def test_labels_that_are_no_rules(labels: dict[str, str]) -> None:
    """Labels that files select by, and the agent's own, are neither rules nor faults."""
    assert read(labels) == LabelResult()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            SCALE | {"scale.min": "two"},
            'label swarm-monitor.scale.min of service web: must be a whole number, not "two"',
        ),
        (
            SCALE | {"scale.cpu": "60"},
            (
                "label swarm-monitor.scale.cpu of service web: must be a share or a size: "
                'write "60%" or "60MiB"'
            ),
        ),
        (
            SCALE | {"scale.maxx": "3"},
            (
                "label swarm-monitor.scale.maxx of service web: "
                'unknown field "maxx": did you mean "max"?'
            ),
        ),
        (
            SCALE | {"scael.max": "3"},
            (
                "label swarm-monitor.scael.max of service web: "
                'is unknown: did you mean "swarm-monitor.scale.max"?'
            ),
        ),
        (
            SCALE | {"max": "3"},
            (
                "label swarm-monitor.max of service web: "
                'is unknown: did you mean "swarm-monitor.scale.max"?'
            ),
        ),
        (
            {"scale.min": "2", "scale.cpu": "60%"},
            (
                "labels swarm-monitor.scale.* of service web: "
                'max is missing: write for example "swarm-monitor.scale.max=10"'
            ),
        ),
        (
            {"restart.memory_above": "90%"},
            (
                "labels swarm-monitor.restart.* of service web: "
                'for is missing: write for example "swarm-monitor.restart.for=5m"'
            ),
        ),
        (
            SCALE | {"scale.metrics": "[{type: memory, target: 60}]"},
            (
                "label swarm-monitor.scale.metrics of service web: metrics[1].target: "
                'must be a share or a size: write "60%" or "60MiB"'
            ),
        ),
        (
            SCALE | {"scale.metrics": "[{type: memory"},
            (
                "label swarm-monitor.scale.metrics of service web: "
                'the mapping opened here is not closed: add "}"'
            ),
        ),
        (
            SCALE | {"scale.cpu.target": "50%"},
            (
                "label swarm-monitor.scale.cpu.target of service web: "
                "is given by label swarm-monitor.scale.cpu already: remove one"
            ),
        ),
        (
            SCALE | {"mode": "dry-run"},
            'label swarm-monitor.mode of service web: write dry_run, not "dry-run"',
        ),
        (
            {"mode": "dry_run"},
            (
                "labels swarm-monitor.* of service web: say not what to do: write "
                "swarm-monitor.scale.* or swarm-monitor.restart.* labels as well"
            ),
        ),
        (
            SCALE | {"scale.cpu": "", "scale.memory": "1GiB"},
            "label swarm-monitor.scale.cpu of service web: has no value: write one into it",
        ),
        (
            SCALE | {"restart": "true"},
            (
                "label swarm-monitor.restart of service web: "
                "write one label a field, swarm-monitor.restart.FIELD"
            ),
        ),
        (
            RESTART | {"restart.action": "kill"},
            (
                "label swarm-monitor.restart.action of service web: must be restart_service, "
                'restart_task, rollback, park or notify, not "kill"'
            ),
        ),
        (
            SCALE | {"scale.min": "0"},
            (
                "label swarm-monitor.scale.min of service web: must be at least 1 without a "
                "prometheus or http metric: at 0 replicas there is no usage, so nothing would ever "
                "scale up again"
            ),
        ),
        (
            SCALE | {"scale.schedules": "[" + "1," * MAX_LENGTH + "]"},
            (
                "label swarm-monitor.scale.schedules of service web: "
                f"is longer than {MAX_LENGTH} characters: use a rule file"
            ),
        ),
    ],
)
def test_faults_name_label_and_service(labels: dict[str, str], said: str) -> None:
    """One fault, in one sentence with its place; and none of the labels make a rule."""
    result = read(labels)
    assert result.problems == (said,)
    assert result.rules == ()


def test_one_fault_holds_back_the_whole_service() -> None:
    """A mistyped mode must not turn what was meant as a dry run into acts."""
    result = read(SCALE | RESTART | {"mod": "dry_run"})
    assert result.rules == ()
    assert len(result.problems) == 1


def test_more_replicas_than_allowed_are_cut_and_told() -> None:
    """Every number of replicas stays below the operator's ceiling."""
    labels = SCALE | {
        "scale.min": "12",
        "scale.max": "100",
        "scale.fallback": "{replicas: 50}",
        "scale.schedules": '[{cron: "0 8 * * *", duration: 1h, min: 30, max: 200}]',
    }
    result = read(labels, LabelCeilings(max_replicas=8))
    (rule,) = result.rules
    assert isinstance(rule, ScaleRule)
    assert rule.fallback is not None
    assert (rule.min, rule.max, rule.fallback.replicas) == (8, 8, 8)
    assert (rule.schedules[0].min, rule.schedules[0].max) == (8, 8)
    assert result.notices == (
        (
            "service web: its labels ask for up to 200 replicas, the agent's settings allow 8 for "
            "rules from labels: 8 is taken"
        ),
    )
    assert read(SCALE, LabelCeilings(max_replicas=10)).notices == ()


HTTP = "[{type: http, url: 'http://10.0.0.1/', path: n, target: 1}]"
ADDRESS = "[{type: prometheus, query: up, address: 'http://10.0.0.1', target: 1}]"
SECRET = "[{type: prometheus, query: up, target: 1, auth: {bearer_token_file: /run/secrets/x}}]"


@pytest.mark.parametrize(
    ("metrics", "ceilings", "allowed"),
    [
        (HTTP, LabelCeilings(), False),
        (HTTP, LabelCeilings(allow_urls=True), True),
        (ADDRESS, LabelCeilings(), False),
        (ADDRESS, LabelCeilings(allow_urls=True), True),
        (SECRET, LabelCeilings(), False),
        (SECRET, LabelCeilings(allow_urls=True), False),
        ("[{type: prometheus, query: up, target: 1}]", LabelCeilings(), True),
    ],
)
def test_labels_do_not_choose_whom_the_agent_asks(
    metrics: str, ceilings: LabelCeilings, allowed: bool
) -> None:
    """Addresses are refused unless allowed; secrets of the agent always."""
    result = read(SCALE | {"scale.metrics": metrics}, ceilings)
    assert bool(result.rules) is allowed
    assert bool(result.problems) is not allowed


def test_labels_may_be_switched_off() -> None:
    """Off means neither rules nor faults; restarts alone can be off as well."""
    bad = SCALE | {"scale.min": "two"}
    assert read(bad, LabelCeilings(enabled=False)) == LabelResult()
    result = read(SCALE | RESTART, LabelCeilings(allow_restart=False))
    assert result.rules == ()
    assert "switched off" in result.problems[0]
    assert len(read(SCALE, LabelCeilings(allow_restart=False)).rules) == 1


PARTS = st.sampled_from(
    [
        "scale",
        "restart",
        "mode",
        "min",
        "max",
        "cpu",
        "memory",
        "metrics",
        "target",
        "when",
        "for",
        "of",
        "scale_down",
        "policies",
        "prometheus",
        "query",
        "formula",
        "any",
        "type",
        "(cpu)",
    ]
)
KEYS = st.lists(PARTS, min_size=1, max_size=4).map(".".join)
WRITTEN = """1|60%|5m|700MiB|[]|{}|[{type: cpu, target: 60%}]|[|{a: &x b}||~|act|{a: 1, a: 2}
|{memory_above: 90%, for: 5m}|[[[[[[[[[[[[[[[[[[[[[[[[[[|\x00|"""
VALUES = st.sampled_from(WRITTEN.split("|")) | st.text(max_size=20)


@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_labels_are_rules_or_problems(labels: dict[str, str]) -> None:
    """Whatever stands in labels, nothing is raised, and sentences stay one line long."""
    result = read(labels)
    assert not (result.rules and result.problems)
    assert result.rules or result.problems or not set(labels) - {"rule", "agent"}
    for problem in result.problems:
        assert problem.startswith("label")
        assert "of service web: " in problem
        assert "Input should" not in problem


def test_simple_conditions_are_written_as_labels() -> None:
    """One label a field, for conditions with fields of their own too."""
    exits = read(
        {"restart.exits.count": "3", "restart.exits.within": "10m", "restart.exits.codes": "[1, 2]"}
        | {"restart.action": "park"}
    )
    assert exits.problems == ()
    (rule,) = exits.rules
    assert isinstance(rule, RestartRule)
    assert (rule.when, rule.action) == (Exits(3, 600.0, (1, 2)), RestartAction.PARK)
    nightly = read({"restart.cron": "0 4 * * *", "restart.budget.count": "2"})
    assert nightly.problems == ()
    assert [one.when for one in nightly.rules if isinstance(one, RestartRule)] == [
        Cron("0 4 * * *")
    ]


def test_labels_send_the_agent_nowhere_and_with_no_secret() -> None:
    """A restart condition may ask the agent's own Prometheus server alone."""
    query = {"restart.prometheus.query": "up", "restart.prometheus.below": "1", "restart.for": "1m"}
    assert read(query, LabelCeilings()).problems == ()
    elsewhere = query | {"restart.prometheus.address": "http://evil:9090"}
    address = read(elsewhere, LabelCeilings())
    assert address.rules == ()
    assert "address is refused in labels" in address.problems[0]
    secret = read(query | {"restart.prometheus.auth": "{bearer_token_file: /run/secrets/x}"})
    assert "auth is refused in labels" in secret.problems[0]
