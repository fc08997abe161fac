from dataclasses import fields, replace
from pathlib import Path

import pytest

from monitor.agent.rules_digest import DECIDING, acting_digest
from monitor.agent.settings import Settings
from monitor.export.family import TaskLabels
from monitor.notify.target import parse_targets
from monitor.rulefile.digest import rule_set
from monitor.rulefile.label_limits import LabelCeilings
from tests.unit.build import scale_rule

SETTINGS = Settings(
    docker="unix:///var/run/docker.sock",
    rules=(Path("/rules"),),
    host="0.0.0.0",
    port=9580,
    prometheus="http://prometheus:9090",
)
RULES = rule_set([scale_rule()])

OTHERS = {
    "docker": "tcp://10.0.0.1:2375",
    "rules": (Path("/elsewhere"),),
    "host": "127.0.0.1",
    "port": 1,
    "cgroup_root": Path("/host/cgroup"),
    "proc_root": Path("/host/proc"),
    "own_service_id": "s1",
    "service_labels": ("tier",),
    "node_labels": ("zone",),
    "task_labels": TaskLabels.SLOT,
    "token_file": Path("/run/secrets/token"),
    "token": "t",
    "fleet_host": "127.0.0.1",
    "fleet_port": 1,
    "secret_file": Path("/run/secrets/fleet"),
    "data": Path("/data"),
    "notify": parse_targets(("webhook=http://h/x",)),
    "notify_scaling": True,
}
"""Settings that differ from agent to agent, or change only what is shown."""


def digest(rules=RULES, /, **settings):
    return acting_digest(rules, replace(SETTINGS, **settings))


def test_every_setting_either_counts_or_is_known_not_to():
    """A new setting must be put into DECIDING, or into OTHERS here: nobody forgets it."""
    assert {field.name for field in fields(Settings)} == DECIDING | OTHERS.keys()
    assert not DECIDING & OTHERS.keys()


@pytest.mark.parametrize(
    "change",
    [
        {"dry_run": True},
        {"writes_per_minute": 7},
        {"restarts_at_once": 2},
        {"prometheus": "http://other:9090"},
        {"prometheus": "http://prometheus:9090/sub"},
        {"prometheus": None},
        {"labels": LabelCeilings(enabled=False)},
        {"labels": LabelCeilings(max_replicas=21)},
        {"labels": LabelCeilings(allow_urls=True)},
        {"labels": LabelCeilings(allow_restart=False)},
    ],
    ids=str,
)
def test_what_changes_decisions_changes_the_digest(change):
    """Two managers with this difference would act differently."""
    assert digest(**change) != digest()


def test_other_rules_are_another_digest():
    """A bound of one rule is enough; the order of rules is not."""
    assert digest(rule_set([scale_rule(max=7)])) != digest()
    one, two = scale_rule(), scale_rule(name="r2")
    assert digest(rule_set([one, two])) == digest(rule_set([two, one])) != digest()


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_an_agents_own_does_not_count(name):
    """Managers may differ in it and act all the same."""
    assert digest(**{name: OTHERS[name]}) == digest()


def test_spellings_of_the_same_are_the_same():
    """A slash at an address's end, and ceilings of labels that nobody reads."""
    assert digest(prometheus="http://prometheus:9090/") == digest()
    off = LabelCeilings(enabled=False)
    assert digest(labels=off) == digest(labels=replace(off, max_replicas=3))


def test_it_is_the_same_in_every_process():
    """Agents compare it across nodes: nothing in it may hang on hashes or on order of a set."""
    settings = replace(SETTINGS, prometheus=None)
    empty = acting_digest(rule_set([]), settings)
    assert empty == "0c35c25a0b27d479aa221ab2fb0a6ee9f172fbae7512570f89b7e9cd88277bd8"
