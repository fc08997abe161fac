"""Series of rules: counters of what they did, and gauges of what they newly decided.

Kept in the cached exposition and not in the agent's registry: there is a set of them per rule
and service, thousands in a large Swarm.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.conditions import RULE_CONDITIONS_KIND
from monitor.export.catalogue.node_rules import NODE_RULE_STATE_KIND, NODE_RULE_TOTALS_KIND
from monitor.export.catalogue.rules import RULE_KIND, RULE_STATE_KIND, RULE_TOTALS_KIND
from monitor.export.family import Family
from monitor.export.node_rule_series import NodeRuleSeries
from monitor.export.rows import RuleConditionsRow, RuleRow, RuleStateRow, RuleTotalsRow
from monitor.export.store import ExpositionStore
from monitor.model.decision import Decision, Input

_Pair = tuple[str, str]


@dataclass(slots=True)
class _Totals:
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    blocked: Counter[str] = field(default_factory=Counter)
    last_action: float | None = None


def mean_inputs(inputs: Iterable[Input]) -> dict[str, float]:
    """The mean of the used samples by metric; a metric without any is left out."""
    used: defaultdict[str, list[float]] = defaultdict(list)
    for item in inputs:
        if item.used and item.value is not None:
            used[item.metric].append(item.value)
    return {metric: sum(values) / len(values) for metric, values in used.items()}


class RuleSeries:
    """`totals` holds counters, always right; `state` holds the newest decisions."""

    def __init__(self, budget: SeriesBudget) -> None:
        self.totals = ExpositionStore((RULE_KIND, RULE_TOTALS_KIND, NODE_RULE_TOTALS_KIND), budget)
        self.state = ExpositionStore(
            (RULE_STATE_KIND, RULE_CONDITIONS_KIND, NODE_RULE_STATE_KIND), budget
        )
        self.nodes = NodeRuleSeries(self.totals, self.state)
        self._evaluations: Counter[str] = Counter()
        self._pairs: dict[_Pair, _Totals] = {}
        self._bounds: dict[_Pair, tuple[int | None, int | None]] = {}
        self._decisions: dict[_Pair, Decision] = {}
        self._conditions: dict[_Pair, RuleConditionsRow] = {}

    @property
    def families(self) -> tuple[Family, ...]:
        return (*self.totals.families, *self.state.families)

    def evaluated(self, rule: str) -> None:
        self._evaluations[rule] += 1
        self.totals.put("rule", rule, RuleRow(rule, self._evaluations[rule]))

    def decided(self, decision: Decision) -> None:
        if decision.node_id:
            self.nodes.decided(decision)
            return
        pair = (decision.rule, decision.service_name)
        self._decisions[pair] = decision
        if decision.reason.blocks:
            self.blocked(*pair, decision.reason)
        self._put_state(pair)
        self._put_conditions(pair, decision)

    def bounds(self, rule: str, service_name: str, low: int | None, high: int | None) -> None:
        if self._bounds.get((rule, service_name)) != (low, high):
            self._bounds[rule, service_name] = (low, high)
            self._put_state((rule, service_name))

    def acted(self, rule: str, service_name: str, action: str, outcome: str, at: float) -> None:
        totals = self._totals(rule, service_name)
        totals.actions[action, outcome] += 1
        totals.last_action = at
        self._put_totals((rule, service_name), totals)

    def blocked(self, rule: str, service_name: str, reason: str) -> None:
        totals = self._totals(rule, service_name)
        totals.blocked[str(reason)] += 1
        self._put_totals((rule, service_name), totals)

    def keep_rules(self, names: Iterable[str]) -> None:
        """Drops the series of every rule that is not in `names`."""
        kept = set(names)
        for rule in [rule for rule in self._evaluations if rule not in kept]:
            del self._evaluations[rule]
            self.totals.drop("rule", rule)
        self._drop(pair for pair in self._all_pairs() if pair[0] not in kept)
        self.nodes.drop(lambda pair: pair[0] not in kept)

    def drop_rule(self, name: str) -> None:
        """The rule is gone: its series are dropped."""
        known = dict.fromkeys((*self._evaluations, *(rule for rule, _ in self._all_pairs())))
        self.keep_rules([rule for rule in known if rule != name])

    def drop_service(self, service_name: str) -> None:
        self._drop(pair for pair in self._all_pairs() if pair[1] == service_name)

    def drop_pair(self, rule: str, service_name: str) -> None:
        """The rule selects the service, or node, no more."""
        self._drop([(rule, service_name)])
        self.nodes.drop(lambda pair: pair == (rule, service_name))

    def _all_pairs(self) -> list[_Pair]:
        return list({**self._pairs, **self._bounds, **self._decisions})

    def _drop(self, pairs: Iterable[_Pair]) -> None:
        for pair in pairs:
            self._pairs.pop(pair, None)
            self._bounds.pop(pair, None)
            self._decisions.pop(pair, None)
            self.totals.drop("rule_totals", _key(pair))
            self._conditions.pop(pair, None)
            self.state.drop("rule_state", _key(pair))
            self.state.drop("rule_conditions", _key(pair))

    def _totals(self, rule: str, service_name: str) -> _Totals:
        return self._pairs.setdefault((rule, service_name), _Totals())

    def _put_totals(self, pair: _Pair, totals: _Totals) -> None:
        row = RuleTotalsRow(*pair, dict(totals.actions), dict(totals.blocked), totals.last_action)
        self.totals.put("rule_totals", _key(pair), row)

    def _put_state(self, pair: _Pair) -> None:
        decision = self._decisions.get(pair)
        low, high = self._bounds.get(pair, (None, None))
        row = RuleStateRow(
            *pair,
            decision=decision.action_name if decision is not None else None,
            desired=decision.desired if decision is not None else None,
            inputs=mean_inputs(decision.inputs if decision is not None else ()),
            min=low,
            max=high,
        )
        self.state.put("rule_state", _key(pair), row)

    def _put_conditions(self, pair: _Pair, decision: Decision) -> None:
        """Rules of other kinds than scale have no conditions, and no series of them."""
        stated = tuple((condition.type, condition.status) for condition in decision.conditions)
        row = RuleConditionsRow(*pair, stated)
        if stated and self._conditions.get(pair) != row:
            self._conditions[pair] = row
            self.state.put("rule_conditions", _key(pair), row)


def _key(pair: _Pair) -> str:
    return "\n".join(pair)
