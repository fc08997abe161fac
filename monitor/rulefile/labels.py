"""Rules that services bring along in their own labels, within what the agent's settings allow."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from monitor.model.rule import AnyRule, RestartRule, RuleMode, ScaleRule
from monitor.model.selector import Selector
from monitor.model.service import Service
from monitor.rulefile.convert_restart import restart_rule
from monitor.rulefile.convert_scale import scale_rule
from monitor.rulefile.doubts import doubts
from monitor.rulefile.fields import choice
from monitor.rulefile.label_limits import LabelCeilings, cut, refused
from monitor.rulefile.label_tree import KINDS, PREFIX, LabelTree, own_labels, tree_of
from monitor.rulefile.node import plain
from monitor.rulefile.restart_model import RestartModel
from monitor.rulefile.scale_model import ScaleModel
from monitor.rulefile.sentences import findings

RULE_PREFIX = "label:"
"""Begins the names of rules from labels; no name in a rule file can hold a colon."""

_MODELS: Mapping[str, type[ScaleModel] | type[RestartModel]] = {
    "scale": ScaleModel,
    "restart": RestartModel,
}
_MISSING = re.compile(r'(\w+) is missing: write for example "\1: (.*)"')
_NOTHING = f"say not what to do: write {PREFIX}scale.* or {PREFIX}restart.* labels as well"
_mode = choice(RuleMode)


@dataclass(frozen=True, slots=True)
class LabelResult:
    """What the labels of one service come to.

    problems: why there are no rules, one sentence each that names label and service.
    notices: what was changed in the rules there are, to stay within the ceilings, and what in
        them is most likely not meant.
    """

    rules: tuple[AnyRule, ...] = ()
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def label_rules(service: Service, ceilings: LabelCeilings) -> LabelResult:
    """One problem, and none of the service's labels make a rule: half of what was meant may
    be the wrong half. Never raises for what is in labels."""
    labels = own_labels(service.labels) if ceilings.enabled else {}
    if not labels:
        return LabelResult()
    tree = tree_of(labels)
    faults = list(tree.faults)
    mode = _mode_of(tree, faults)
    given = [kind for kind in KINDS if kind in tree.kinds]
    made = [_rule(service, kind, mode, tree, faults) for kind in given]
    rules = [rule for rule in made if rule is not None]
    if not faults and not rules:
        faults.append((0, _NOTHING))
    faults += [(0, sentence) for rule in rules for sentence in refused(rule, ceilings)]
    if faults:
        return LabelResult(problems=tuple(_said(tree, service, f) for f in sorted(set(faults))))
    doubtful = [text for rule in rules if isinstance(rule, ScaleRule) for text in doubts(rule)]
    within = [cut(rule, ceilings) for rule in rules]
    return LabelResult(
        tuple(rule for rule, _ in within),
        (),
        (
            *(f"service {service.name}: {text}" for _, texts in within for text in texts),
            *doubtful,
        ),
    )


def _rule(
    service: Service, kind: str, mode: RuleMode, tree: LabelTree, faults: list[tuple[int, str]]
) -> ScaleRule | RestartRule | None:
    try:
        model = _MODELS[kind].model_validate(plain(tree.kinds[kind]))
    except ValidationError as error:
        faults += _faults(error, kind, tree)
        return None
    selector, source = Selector(names=(service.name,)), f"labels of {service.name}"
    name = f"{RULE_PREFIX}{service.name}"
    if isinstance(model, ScaleModel):
        return scale_rule(name, selector, mode, source, model)
    return restart_rule(f"{name}:restart", selector, mode, source, model)


def _mode_of(tree: LabelTree, faults: list[tuple[int, str]]) -> RuleMode:
    if tree.mode is None:
        return RuleMode.ACT
    try:
        return _mode(tree.mode.content)
    except ValueError as error:
        faults.append((tree.mode.line, str(error)))
        return RuleMode.OFF


def _faults(error: ValidationError, kind: str, tree: LabelTree) -> Iterator[tuple[int, str]]:
    """A label's own name says where; only within a list or mapping a path is needed as well."""
    for node, path, sentence in findings(error, _MODELS[kind], tree.kinds[kind]):
        place = tree.places[node.line]
        if (found := _MISSING.fullmatch(sentence)) and node.line not in tree.flow:
            if tree.faults:
                continue  # the label that could not be read may be the one
            above = place.removeprefix("labels ").removesuffix(".*")
            yield (
                node.line,
                f'{found[1]} is missing: write for example "{above}.{found[1]}={found[2]}"',
            )
        elif node.line in tree.flow and path:
            yield node.line, f"{path}: {sentence}"
        else:
            yield node.line, sentence.replace("behind the colon, or remove the line", "into it")


def _said(tree: LabelTree, service: Service, fault: tuple[int, str]) -> str:
    line, sentence = fault
    return f"{tree.places[line]} of service {service.name}: {sentence}"
