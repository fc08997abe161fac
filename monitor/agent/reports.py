"""What was decided and done, as metrics and as log lines."""

from collections.abc import Callable

import structlog

from monitor.agent.hindrances import Hindrances
from monitor.control.assignment import Assignments
from monitor.control.by_hand import BY_HAND
from monitor.export.agent_metrics import AgentMetrics
from monitor.model.action import RestartTask
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, RuleSet, ScaleRule
from monitor.ports.bounds import Calendar
from monitor.ports.clock import Clock
from monitor.rulefile.labels import RULE_PREFIX


class Reports:
    """A `monitor.control.observer.Observer`: one line per write, one per lasting hindrance, and
    one on how the tasks are spread once they were moved.

    calendar: which bounds of a rule are in force at a time.
    """

    def __init__(
        self,
        metrics: AgentMetrics,
        clock: Clock,
        assignments: Callable[[], Assignments],
        calendar: Calendar,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._assignments = assignments
        self._calendar = calendar
        self._log = structlog.get_logger("monitor.control")
        self._last_outcome: dict[str, tuple[OutcomeKind, str]] = {}
        self._hindrances = Hindrances()
        self._moved: set[tuple[str, str]] = set()
        self._scale_rules: dict[str, ScaleRule] = {}

    def use_rules(self, rules: RuleSet) -> None:
        """These rules are in force: their bounds are shown, series of others dropped."""
        self._scale_rules = {rule.name: rule for rule in rules.rules if isinstance(rule, ScaleRule)}
        labelled = self._assignments().label_rules()
        names = [BY_HAND, *(one.name for one in (*rules.rules, *rules.node_rules, *labelled))]
        self._metrics.keep_rules(names)

    def decided(self, decision: Decision, new: bool) -> None:
        self._metrics.rule_evaluated(decision.rule)
        self._metrics.decision(decision)
        key = (decision.rule, decision.subject_name)
        rule: AnyRule | None = self._scale_rules.get(decision.rule)
        if decision.rule.startswith(RULE_PREFIX):
            rule = self._assignments().rule(decision.service_id, decision.rule)
        if isinstance(rule, ScaleRule):
            in_force = self._calendar.in_force(rule, decision.time.wall)
            self._metrics.bounds(*key, in_force.min, in_force.max)
        if new and decision.reason is Reason.BALANCED and key in self._moved:
            self._moved.discard(key)
            self._log.info(decision.sentence, rule=decision.rule, reason=str(decision.reason))
        if self._hindrances.lasting(decision):
            self._log.warning(decision.sentence, rule=decision.rule, reason=str(decision.reason))

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        name = decision.subject_name
        action = decision.action_name
        at = self._clock.now().wall
        count = self._metrics.node_action if decision.node_id else self._metrics.action
        count(decision.rule, name, action, str(outcome.kind), at)
        said = (outcome.kind, outcome.detail)
        repeated = self._last_outcome.get(name) == said
        self._last_outcome[name] = said
        facts = {"rule": decision.rule, "action": action, "outcome": str(outcome.kind)}
        if outcome.kind is OutcomeKind.APPLIED:
            if isinstance(decision.action, RestartTask) and decision.action.move:
                self._moved.add((decision.rule, name))
            self._log.info(decision.sentence, decision=decision.id, **facts)
        elif outcome.kind is OutcomeKind.CONFLICT:
            self._log.info(f"{name}: {outcome.detail}; deciding anew", **facts)
        elif not repeated:
            self._log.warning(f"{name}: not written: {outcome.detail}", **facts)

    def learned(self, decision: Decision, outcome: Outcome | None) -> None: ...

    def forgot(self, rule: str, service_name: str) -> None:
        self._hindrances.forget(rule, service_name)
        self._moved.discard((rule, service_name))
        self._last_outcome.pop(service_name, None)
        self._metrics.rules.drop_pair(rule, service_name)
        if rule.startswith(RULE_PREFIX):
            self._metrics.rules.drop_rule(rule)
