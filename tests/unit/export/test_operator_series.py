"""Series of what people set, and of conditions."""

from prometheus_client import CollectorRegistry, generate_latest

from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.conditions import CONDITIONS, RULE_CONDITIONS_KIND, STATUSES
from monitor.export.facts import AgentFacts, OperatorFacts
from monitor.export.facts_collector import FactsCollector
from monitor.export.rows import RuleConditionsRow
from monitor.export.rule_series import RuleSeries
from monitor.export.store import ExpositionStore
from monitor.model.decision import Condition
from tests.unit.export.things import FULL_FACTS, decision


def facts_text(facts: AgentFacts) -> str:
    registry = CollectorRegistry()
    registry.register(FactsCollector(lambda: facts, SeriesBudget()))
    return generate_latest(registry).decode()


def test_pauses_refusals_and_the_ceiling_are_shown() -> None:
    """A series per pause in force, all reasons of refusals, the ceiling and its use."""
    text = facts_text(FULL_FACTS)
    assert 'swarm_rule_paused{name="web",scope="service"} 1.0\n' in text
    assert 'swarm_rule_paused{name="",scope="all"} 1.0\n' in text
    assert 'swarm_agent_api_refusals_total{reason="token_wrong"} 3.0\n' in text
    assert 'swarm_agent_api_refusals_total{reason="token_missing"} 0.0\n' in text
    assert "swarm_agent_writes_per_minute_limit 30.0\n" in text
    assert "swarm_agent_writes_last_minute 4.0\n" in text
    assert "swarm_agent_writes_waiting 2.0\n" in text


def test_without_a_pause_there_is_no_series_of_one() -> None:
    """An alert on swarm_rule_paused ends with the pause."""
    facts = AgentFacts(docker_up=True, role="manager", acting=True, operator=OperatorFacts())
    assert "swarm_rule_paused{" not in facts_text(facts)


def conditions_text(series: RuleSeries) -> list[str]:
    text = series.state.render(openmetrics=False).decode()
    return [line for line in text.splitlines() if line.startswith("swarm_rule_condition{")]


def test_every_condition_has_all_its_statuses() -> None:
    """Dense: exactly one status of each type is 1; what is not stated is unknown, or false."""
    store = ExpositionStore([RULE_CONDITIONS_KIND])
    stated = (("AbleToScale", True), ("ScalingLimited", False), ("Flapping", True))
    store.put("rule_conditions", "k", RuleConditionsRow("load", "web", stated))
    lines = store.render(openmetrics=False).decode().splitlines()
    holding = [line for line in lines if line.endswith(" 1")]
    assert len([line for line in lines if not line.startswith("#")]) == len(CONDITIONS) * len(
        STATUSES
    )
    head = 'swarm_rule_condition{rule="load",service_name="web",'
    assert holding == [
        head + 'type="AbleToScale",status="true"} 1',
        head + 'type="ScalingActive",status="unknown"} 1',
        head + 'type="ScalingLimited",status="false"} 1',
        head + 'type="Fallback",status="false"} 1',
        head + 'type="Flapping",status="true"} 1',
    ]


def test_conditions_follow_the_newest_decision_and_go_with_the_rule() -> None:
    """A changed status shows at once; a rule without conditions has none; a gone rule neither."""
    series = RuleSeries(SeriesBudget())
    able = Condition("AbleToScale", True, "ReadyForNewScale")
    series.decided(decision(conditions=(able,)))
    series.decided(decision(rule="leak", conditions=()))
    line = 'type="AbleToScale",status="true"} '
    (found,) = [text for text in conditions_text(series) if line in text]
    assert found.endswith(" 1")
    series.decided(decision(conditions=(Condition("AbleToScale", False, "FailedGetScale"),)))
    (found,) = [text for text in conditions_text(series) if line in text]
    assert found.endswith(" 0")
    series.drop_pair("load", "web")
    assert conditions_text(series) == []
