"""Service labels as the tree that a rule's models are read from, and the places in it.

A node's line is the number of a place: of a label, or of all labels below a prefix.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.rulefile.any_metric import MetricType
from monitor.rulefile.condition_model import ConditionModel
from monitor.rulefile.node import Node
from monitor.rulefile.restart_model import RestartModel
from monitor.rulefile.scalar import resolve
from monitor.rulefile.scale_model import ScaleModel
from monitor.rulefile.text import YamlFault
from monitor.rulefile.yaml_source import compose

PREFIX = "swarm-monitor."
KINDS = ("scale", "restart")
OTHERS = ("rule", "agent", "logs")
"""Labels with the prefix that are no rules: those shipped rules select by, the agent's own, and how
many log lines of an ended task are shown."""

MAX_LENGTH = 8 * 1024
Mapped = dict[str, tuple[Node, Node]]
_KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_METRICS = frozenset(kind.value for kind in MetricType)
# Text that may begin with a bracket or a brace without being a list or a mapping.
_TEXTS = frozenset({"query", "formula", "url", "path", "cron", "address", "expression"})
_CONDITION = frozenset(info.alias or name for name, info in ConditionModel.model_fields.items())


@dataclass(slots=True)
class LabelTree:
    """`kinds` holds `scale` and `restart` as far as labels give them.

    places: what the numbers of lines mean. flow: lines of labels that are whole lists or
    mappings. faults: lines and sentences.
    """

    places: list[str]
    kinds: dict[str, Node] = field(default_factory=dict)
    mode: Node | None = None
    flow: set[int] = field(default_factory=set)
    faults: list[tuple[int, str]] = field(default_factory=list)


def own_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those that settings are written in, in the order of their names."""
    return {
        key: value
        for key, value in sorted(labels.items())
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in OTHERS
    }


def tree_of(labels: Mapping[str, str]) -> LabelTree:
    """`labels` as from `own_labels`."""
    builder = _Builder(LabelTree([f"labels {PREFIX}*"]))
    for key, value in labels.items():
        builder.add(key, value)
    for root in builder.tree.kinds.values():
        _gather_metrics(root)
    return builder.tree


@dataclass(slots=True)
class _Builder:
    tree: LabelTree

    def add(self, key: str, text: str) -> None:
        line = self._place(f"label {key}")
        kind, *rest = key.removeprefix(PREFIX).split(".")
        if kind not in {*KINDS, "mode"} or not _KEY.fullmatch(key.removeprefix(PREFIX)):
            self.tree.faults.append((line, _unknown(key)))
        elif kind == "mode" and not rest:
            self.tree.mode = _plain(text, line)
        elif kind == "mode" or not rest:
            fields = "dry_run" if kind == "mode" else f"{key}.FIELD"
            hint = f"write {PREFIX}mode=dry_run" if rest else f"write one label a field, {fields}"
            self.tree.faults.append((line, hint))
        else:
            try:
                self._put(kind, rest, self._value(rest[-1], text, line), line)
            except YamlFault as fault:
                self.tree.faults.append((line, str(fault)))

    def _put(self, kind: str, steps: list[str], value: Node, line: int) -> None:
        above = PREFIX + kind
        root = self.tree.kinds.get(kind)
        if root is None:
            root = self.tree.kinds[kind] = Node(self._place(f"labels {above}.*"), 1, {})
        if kind == "scale" and steps[0] in _METRICS:
            # `cpu=60%` and `cpu.target=60%` are a metric of that type.
            metric = self._mapping(root, f"({steps[0]})", f"{above}.{steps[0]}")
            metric.setdefault("type", _pair("type", line, steps[0]))
            self._into(metric, steps[1:] or ["target"], value, line, f"{above}.{steps[0]}")
            return
        content = root.content
        assert isinstance(content, dict)
        if kind == "restart" and steps[0] in _CONDITION:
            content = self._mapping(root, "when", above)
        self._into(content, steps, value, line, above)

    def _into(self, content: Mapped, steps: list[str], value: Node, line: int, above: str) -> None:
        for step in steps[:-1]:
            above = f"{above}.{step}"
            if step not in content:
                place = self._place(f"labels {above}.*")
                content[step] = (Node(place, 1, step, step), Node(place, 1, {}))
            inner = content[step][1].content
            if not isinstance(inner, dict):
                self.tree.faults.append((line, f"{above} has a value of its own: remove one"))
                return
            content = inner
        last = steps[-1]
        if last in content:
            first = self.tree.places[content[last][0].line]
            self.tree.faults.append((line, f"is given by {first} already: remove one"))
            return
        content[last] = (Node(line, 1, last, last), value)

    def _mapping(self, root: Node, key: str, above: str) -> Mapped:
        assert isinstance(root.content, dict)
        if key not in root.content:
            place = self._place(f"labels {above}.*")
            root.content[key] = (Node(place, 1, key, key), Node(place, 1, {}))
        content = root.content[key][1].content
        if not isinstance(content, dict):
            raise YamlFault(1, 1, f"{PREFIX}restart.{key} is given as well: remove one")
        return content

    def _value(self, name: str, text: str, line: int) -> Node:
        """YAML in flow style where it begins with a bracket; else one plain value."""
        if len(text) > MAX_LENGTH:
            raise YamlFault(1, 1, f"is longer than {MAX_LENGTH} characters: use a rule file")
        if name in _TEXTS:
            return Node(line, 1, text, text)
        if text.strip()[:1] not in {"[", "{"}:
            return _plain(text, line)
        composed = compose(text.encode())
        for fault in composed.faults:
            raise fault
        _renumber(composed.root, line)
        self.tree.flow.add(line)
        return composed.root

    def _place(self, text: str) -> int:
        self.tree.places.append(text)
        return len(self.tree.places) - 1


def _gather_metrics(root: Node) -> None:
    """Puts the metrics that were given one by one in front of those of `metrics`."""
    content = root.content
    assert isinstance(content, dict)
    single = [content.pop(key)[1] for key in [k for k in content if k.startswith("(")]]
    if not single:
        return
    first = single[0].line
    empty = (Node(first, 1, "metrics", "metrics"), Node(first, 1, []))
    listed = content.setdefault("metrics", empty)[1]
    if isinstance(listed.content, list):
        listed.content[:0] = single


def _pair(key: str, line: int, value: str) -> tuple[Node, Node]:
    return Node(line, 1, key, key), Node(line, 1, value, value)


def _plain(text: str, line: int) -> Node:
    bare = text.strip()
    return Node(line, 1, resolve(bare), bare or "''")


def _renumber(node: Node, line: int) -> None:
    """Depth is bounded by the composer."""
    node.line = line
    if isinstance(node.content, dict):
        for key, value in node.content.values():
            key.line = line
            _renumber(value, line)
    elif isinstance(node.content, list):
        for item in node.content:
            _renumber(item, line)


def _unknown(key: str) -> str:
    rest = key.removeprefix(PREFIX)
    scale = [*ScaleModel.model_fields, *sorted(_METRICS)]
    restart = [*RestartModel.model_fields, *sorted(_CONDITION)]
    known = {f"scale.{name}": f"scale.{name}" for name in scale}
    known |= {f"restart.{name}": f"restart.{name}" for name in restart}
    known |= {name: f"restart.{name}" for name in restart}
    known |= {name: f"scale.{name}" for name in scale}
    known |= {name: name for name in ("mode", *OTHERS)}
    asked = rest.lower().replace("-", "_")
    close = [known[c] for c in difflib.get_close_matches(asked, known, n=1, cutoff=0.7)]
    if close:
        return f'is unknown: did you mean "{PREFIX}{close[0]}"?'
    return f"is unknown: known are {PREFIX}scale.*, {PREFIX}restart.* and {PREFIX}mode"
