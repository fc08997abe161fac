"""Which rules are about which service."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.model.rule import AnyRule, RuleMode, RuleSet, ScaleRule
from monitor.model.service import Service


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule that is about a service; `rivals` name the other scale rules that claim it too."""

    rule: AnyRule
    rivals: tuple[str, ...] = ()


def claims_on(service: Service, rules: RuleSet) -> tuple[Claim, ...]:
    """Scale rules first, since a scale that is due goes before a restart.

    Only acting scale rules are rivals: one on dry run beside one that acts shows what another
    policy would have done.
    """
    matching = [
        rule
        for rule in rules.rules
        if rule.mode is not RuleMode.OFF and rule.selector.matches(service)
    ]
    scaling = [rule for rule in matching if isinstance(rule, ScaleRule)]
    acting = [rule.name for rule in scaling if rule.mode is RuleMode.ACT]
    claims = [
        Claim(
            rule,
            tuple(name for name in acting if name != rule.name)
            if rule.mode is RuleMode.ACT
            else (),
        )
        for rule in scaling
    ]
    return (*claims, *(Claim(rule) for rule in matching if not isinstance(rule, ScaleRule)))


def names_nobody_has(rules: RuleSet, services: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """By rule name, the exact service names it asks for that the Swarm does not have (yet)."""
    present = {service.name for service in services}
    missing = {
        rule.name: tuple(name for name in rule.selector.exact_names if name not in present)
        for rule in rules.rules
        if rule.mode is not RuleMode.OFF
    }
    return {rule: names for rule, names in missing.items() if names}


@dataclass(slots=True)
class Assignments:
    """Claims by service, kept until the rules or the service change."""

    rules: RuleSet = field(default_factory=RuleSet)
    _claims: dict[str, tuple[Service, tuple[Claim, ...]]] = field(default_factory=dict)

    def use(self, rules: RuleSet) -> None:
        self.rules = rules
        self._claims.clear()

    def of(self, service: Service) -> tuple[Claim, ...]:
        known = self._claims.get(service.id)
        if known is not None and known[0] is service:
            return known[1]
        claims = claims_on(service, self.rules)
        self._claims[service.id] = (service, claims)
        return claims

    def forget(self, service_id: str) -> None:
        self._claims.pop(service_id, None)
