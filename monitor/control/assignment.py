"""Which rules are about which service."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from monitor.model.rule import AnyRule, RuleMode, RuleSet, ScaleRule
from monitor.model.service import Service
from monitor.rulefile.labels import LabelResult

LabelSource = Callable[[Service], LabelResult]
NO_LABELS = LabelResult()


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule that is about a service; `rivals` name the other scale rules that claim it too."""

    rule: AnyRule
    rivals: tuple[str, ...] = ()


def claims_on(
    service: Service, rules: RuleSet, labelled: Iterable[AnyRule] = ()
) -> tuple[Claim, ...]:
    """Scale rules first, since a scale that is due goes before a restart.

    Only acting scale rules are rivals: one on dry run beside one that acts shows what another
    policy would have done.

    labelled: rules from the service's own labels. Where a file scales it they do not; restart
    rules stand beside each other, wherever they come from.
    """
    matching = [
        rule
        for rule in rules.rules
        if rule.mode is not RuleMode.OFF and rule.selector.matches(service)
    ]
    by_file = any(isinstance(rule, ScaleRule) for rule in matching)
    matching += [
        rule
        for rule in labelled
        if rule.mode is not RuleMode.OFF and not (by_file and isinstance(rule, ScaleRule))
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
    """Claims by service, kept until the rules or the service change.

    label_source: the rules that a service brings along in its labels. It is asked once for
    each set of labels, not each time that a service changes.
    """

    rules: RuleSet = field(default_factory=RuleSet)
    label_source: LabelSource = lambda _: NO_LABELS
    _claims: dict[str, tuple[Service, tuple[Claim, ...]]] = field(default_factory=dict)
    _labelled: dict[str, tuple[Service, LabelResult]] = field(default_factory=dict)

    def use(self, rules: RuleSet) -> None:
        self.rules = rules
        self._claims.clear()

    def of(self, service: Service) -> tuple[Claim, ...]:
        known = self._claims.get(service.id)
        if known is not None and known[0] is service:
            return known[1]
        claims = claims_on(service, self.rules, self.labelled(service).rules)
        self._claims[service.id] = (service, claims)
        return claims

    def withdrawn(self, rule: AnyRule) -> str:
        """A sentence where the rule is not in force any more as it is, else ""."""
        if any(replace(other, source=rule.source) == rule for other in self.rules.rules):
            return ""
        for service, result in self._labelled.values():
            if rule in result.rules:
                claims = claims_on(service, self.rules, result.rules)
                if any(claim.rule == rule for claim in claims):
                    return ""
        return f"rule {rule.name} was changed or removed since it was decided by"

    def label_rules(self) -> tuple[AnyRule, ...]:
        """Rules from labels that are followed."""
        known = {id(rule) for _, result in self._labelled.values() for rule in result.rules}
        return tuple(
            claim.rule
            for _, claims in self._claims.values()
            for claim in claims
            if id(claim.rule) in known
        )

    def rule(self, service_id: str, name: str) -> AnyRule | None:
        """The rule of that name that is about the service, as it was last assigned."""
        _, claims = self._claims.get(service_id, (None, ()))
        return next((claim.rule for claim in claims if claim.rule.name == name), None)

    def conflicts(self) -> tuple[str, ...]:
        """Services that a file and their own labels scale: the file is followed."""
        found: list[str] = []
        for service, result in self._labelled.values():
            wanted = [
                r for r in result.rules if isinstance(r, ScaleRule) and r.mode is not RuleMode.OFF
            ]
            claims = self._claims.get(service.id, (service, ()))[1]
            scaling = [claim.rule for claim in claims if isinstance(claim.rule, ScaleRule)]
            if wanted and scaling and wanted[0] not in scaling:
                found.append(
                    f"service {service.name}: rule {scaling[0].name} ({scaling[0].source}) scales "
                    "it, so its labels swarm-monitor.scale.* are not followed: remove one of both"
                )
        return tuple(sorted(found))

    def label_problems(self) -> tuple[str, ...]:
        """What is wrong with labels, and what in them was cut to the agent's ceilings."""
        return tuple(
            sentence
            for _, result in sorted(self._labelled.values(), key=lambda entry: entry[0].name)
            for sentence in (*result.problems, *result.notices)
        )

    def forget(self, service_id: str) -> None:
        self._claims.pop(service_id, None)
        self._labelled.pop(service_id, None)

    def labelled(self, service: Service) -> LabelResult:
        """What the service's own labels come to, whether they are followed or not."""
        known = self._labelled.get(service.id)
        if known is not None and (known[0].name, known[0].labels) == (service.name, service.labels):
            return known[1]
        result = self.label_source(service)
        self._labelled[service.id] = (service, result)
        return result
