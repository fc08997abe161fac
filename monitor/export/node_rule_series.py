"""Series of node rules, in the stores of the other rules' series."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.export.rows import NodeRuleStateRow, NodeRuleTotalsRow
from monitor.export.store import ExpositionStore
from monitor.model.decision import Decision
from monitor.model.reason import Reason

_Pair = tuple[str, str]


@dataclass(slots=True)
class _Totals:
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    blocked: Counter[str] = field(default_factory=Counter)
    last_action: float | None = None


class NodeRuleSeries:
    """totals, state: see `RuleSeries`."""

    def __init__(self, totals: ExpositionStore, state: ExpositionStore) -> None:
        self._totals, self._state = totals, state
        self._counts: dict[_Pair, _Totals] = {}
        self._rows: dict[_Pair, NodeRuleStateRow] = {}

    def decided(self, decision: Decision) -> None:
        pair = (decision.rule, decision.node_name)
        if decision.reason.blocks:
            self._count(pair).blocked[str(decision.reason)] += 1
            self._put(pair)
        until = None
        if decision.reason is Reason.DRAINED and decision.recheck_after is not None:
            until = round(decision.time.wall + decision.recheck_after)
        row = NodeRuleStateRow(*pair, decision.action_name, until)
        if self._rows.get(pair) != row:
            self._rows[pair] = row
            self._state.put("node_rule_state", _key(pair), row)

    def acted(self, rule: str, node_name: str, action: str, outcome: str, at: float) -> None:
        totals = self._count((rule, node_name))
        totals.actions[action, outcome] += 1
        totals.last_action = at
        self._put((rule, node_name))

    def drop(self, wanted: Callable[[_Pair], bool]) -> None:
        for pair in [one for one in {**self._counts, **self._rows} if wanted(one)]:
            self._counts.pop(pair, None)
            self._rows.pop(pair, None)
            self._totals.drop("node_rule_totals", _key(pair))
            self._state.drop("node_rule_state", _key(pair))

    def _count(self, pair: _Pair) -> _Totals:
        return self._counts.setdefault(pair, _Totals())

    def _put(self, pair: _Pair) -> None:
        totals = self._counts[pair]
        row = NodeRuleTotalsRow(
            *pair, dict(totals.actions), dict(totals.blocked), totals.last_action
        )
        self._totals.put("node_rule_totals", _key(pair), row)


def _key(pair: _Pair) -> str:
    return "\n".join(pair)
