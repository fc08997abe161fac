"""YAML text to a tree with positions, with hard limits and without what rule files do not need.

The tree is built from the parser's events, so that every limit is checked before the next event
is parsed: an alias is refused where it stands and never expanded, and nothing recurses.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

from monitor.rulefile.node import Node
from monitor.rulefile.scalar import resolve
from monitor.rulefile.text import YamlFault, decode
from monitor.rulefile.yaml_faults import yaml_fault

MAX_DEPTH = 20
MAX_NODES = 20_000

# The C parser's events carry the same marks and come ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Tree:
    """`faults` are those that did not keep the rest from being read: keys given twice."""

    root: Node
    faults: list[YamlFault] = field(default_factory=list)


def compose(data: bytes, loader: Any = _LOADER, *, most: int = MAX_NODES) -> Tree:
    """The one document in `data`, of at most so many values. Raises YamlFault."""
    text = decode(data)
    lines = len(text.rstrip().replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    builder = _Builder(most)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.add(event)
    except yaml.MarkedYAMLError as error:
        raise yaml_fault(error, lines) from None
    except yaml.YAMLError as error:
        raise YamlFault(1, 1, f"not YAML: {error}") from None
    if builder.root is None:
        raise YamlFault(1, 1, 'the file is empty: write "version: 1" and "rules: []"')
    return Tree(builder.root, builder.faults)


@dataclass(slots=True)
class _Builder:
    """Open collections are a stack; `keys` holds for each the key that waits for its value."""

    most: int
    root: Node | None = None
    faults: list[YamlFault] = field(default_factory=list)
    stack: list[Node] = field(default_factory=list)
    keys: list[Node | None] = field(default_factory=list)
    nodes: int = 0

    def add(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(event, line, column)
        elif isinstance(event, yaml.AliasEvent):
            raise YamlFault(
                line, column, f"alias *{_short(event.anchor)}: aliases are refused, write it out"
            )
        elif isinstance(event, yaml.NodeEvent):
            self._refuse_extras(event, line, column)
            self._node(event, line, column)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
            self.keys.pop()

    def _document(self, event: yaml.DocumentStartEvent, line: int, column: int) -> None:
        if self.root is not None:
            raise YamlFault(
                line, column, "a second document: only one per file, move it to a file of its own"
            )
        if event.version or event.tags:
            raise YamlFault(line, column, 'remove the "%" line: rule files need none')

    def _refuse_extras(self, event: Any, line: int, column: int) -> None:
        if event.anchor is not None:
            raise YamlFault(
                line, column, f"anchor &{_short(event.anchor)}: anchors are refused, remove it"
            )
        if event.tag is not None:
            raise YamlFault(line, column, f"tag {_tag(event.tag)}: tags are refused, remove it")
        self.nodes += 1
        if self.nodes > self.most:
            raise YamlFault(
                line, column, f"more than {self.most} values in one file: split it into several"
            )

    def _node(self, event: yaml.NodeEvent, line: int, column: int) -> None:
        if isinstance(event, yaml.ScalarEvent):
            quoted = not event.implicit[0]
            value = event.value if quoted else resolve(event.value)
            self._place(Node(line, column, value, event.value or ("''" if quoted else "")))
            return
        if self.stack and isinstance(self.stack[-1].content, dict) and self.keys[-1] is None:
            raise YamlFault(line, column, "a key must be plain text")
        if len(self.stack) >= MAX_DEPTH:
            raise YamlFault(
                line, column, f"nested deeper than {MAX_DEPTH} levels: no rule needs that"
            )
        empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        node = Node(line, column, empty)
        self._place(node)
        self.stack.append(node)
        self.keys.append(None)

    def _place(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        content = self.stack[-1].content
        if isinstance(content, list):
            content.append(node)
            return
        assert isinstance(content, dict)
        key = self.keys[-1]
        if key is None:
            self._key(content, node)
            self.keys[-1] = node
            return
        self.keys[-1] = None
        content.setdefault(key.text, (key, node))

    def _key(self, content: dict[str, tuple[Node, Node]], key: Node) -> None:
        if key.text == "<<":
            raise YamlFault(key.line, key.column, "merge key <<: refused, write the fields out")
        if key.text in content:
            first = content[key.text][0]
            self.faults.append(
                YamlFault(
                    key.line,
                    key.column,
                    f'"{_short(key.text)}" is given twice, first in line {first.line}: remove one',
                )
            )


def _tag(tag: str) -> str:
    return _short(tag.replace("tag:yaml.org,2002:", "!!"))


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= 40 else text[:37] + "..."
