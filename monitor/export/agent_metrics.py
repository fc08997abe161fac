"""The agent's own metrics: what its parts tell as it happens, and facts read at a scrape."""

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.agent import BUILD, RENDER_SECONDS, SERIES, UP
from monitor.export.facts import AgentFacts, BuildInfo
from monitor.export.facts_collector import FactsCollector
from monitor.export.family import Family
from monitor.export.rule_series import RuleSeries
from monitor.export.text import EOF
from monitor.model.decision import Decision


def _gauge(family: Family, registry: CollectorRegistry) -> Gauge:
    return Gauge(family.name, family.text, family.labels, registry=registry)


class AgentMetrics:
    """Owns the registry and the rules' series. Every method returns at once.

    facts: called at each scrape; answers from memory.
    process: whether series of the process and its Python are added (not in simulations, where
        several agents share one).
    """

    def __init__(
        self,
        facts: Callable[[], AgentFacts],
        build: BuildInfo,
        *,
        registry: CollectorRegistry | None = None,
        budget: SeriesBudget | None = None,
        process: bool = True,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry if registry is not None else CollectorRegistry()
        self.budget = budget if budget is not None else SeriesBudget()
        self.rules = RuleSeries(self.budget)
        info = Info(BUILD.base_name, BUILD.text, registry=self.registry)
        info.info({"version": build.version, "revision": build.revision, "python": build.python})
        _gauge(UP, self.registry).set(1)
        self._series = _gauge(SERIES, self.registry)
        self._render_seconds = _gauge(RENDER_SECONDS, self.registry)
        self.registry.register(FactsCollector(facts, self.budget))
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)

    def rule_evaluated(self, rule: str) -> None:
        self.rules.evaluated(rule)

    def decision(self, decision: Decision) -> None:
        """A decision as it was made; one whose reason blocks is counted as blocked, too."""
        self.rules.decided(decision)

    def bounds(self, rule: str, service_name: str, low: int | None, high: int | None) -> None:
        """The replicas a scale rule allows for a service now."""
        self.rules.bounds(rule, service_name, low, high)

    def action(self, rule: str, service_name: str, action: str, outcome: str, at: float) -> None:
        """A write was tried: `Decision.action_name`, `OutcomeKind`, wall seconds."""
        self.rules.acted(rule, service_name, action, outcome, at)

    def node_action(self, rule: str, node_name: str, action: str, outcome: str, at: float) -> None:
        """As `action`, of a node."""
        self.rules.nodes.acted(rule, node_name, action, outcome, at)

    def blocked(self, rule: str, service_name: str, reason: str) -> None:
        """A guard after the decision held it back; `reason` is a `Reason`, never free text."""
        self.rules.blocked(rule, service_name, reason)

    def keep_rules(self, names: Iterable[str]) -> None:
        """The rules in force: series of all others are dropped."""
        self.rules.keep_rules(names)

    def drop_service(self, service_name: str) -> None:
        """The service is gone: its rule series are dropped."""
        self.rules.drop_service(service_name)

    def scraping(self, series: int) -> None:
        self._series.set(series)

    def scraped(self, seconds: float) -> None:
        self._render_seconds.set(seconds)

    def render(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        """The registry's part, without OpenMetrics' closing `# EOF`."""
        registry = self.registry.restricted_registry(names) if names else self.registry
        if not openmetrics:
            return generate_latest(registry)
        body: bytes = generate_openmetrics(registry)  # type: ignore[no-untyped-call]
        return body.removesuffix(EOF)
