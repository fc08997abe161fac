"""What is counted of writes outlives changes of the rules."""

from monitor.agent.reports import Reports
from monitor.control.assignment import Assignments
from monitor.control.by_hand import BY_HAND
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.rule import RuleSet
from monitor.rulefile.labels import RULE_PREFIX
from monitor.simulate.clock import VirtualClock
from monitor.sources.calendar import CronCalendar
from tests.unit.export.test_exposition import scrape
from tests.unit.export.things import Whole, decision


async def test_what_people_did_is_counted_whatever_rules_come_and_go() -> None:
    """Neither other rules nor a labelled rule that is gone take the count of a person's writes."""
    whole = Whole()
    reports = Reports(whole.agent, VirtualClock(), Assignments, CronCalendar())
    reports.decided(decision("load"), True)
    reports.decided(decision(f"{RULE_PREFIX}web"), True)
    for rule in ("load", BY_HAND):
        reports.wrote(decision(rule), Outcome(OutcomeKind.APPLIED))
    reports.forgot(f"{RULE_PREFIX}web", "web")
    assert await _told(whole) == ["load", BY_HAND]
    reports.use_rules(RuleSet())
    assert await _told(whole) == [BY_HAND]


async def _told(whole: Whole) -> list[str]:
    lines = (await scrape(whole)).splitlines()
    actions = [line for line in lines if line.startswith("swarm_rule_actions_total{")]
    return [line.partition('rule="')[2].partition('"')[0] for line in actions]
