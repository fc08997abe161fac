"""YAML with positions: a small tree that plain data and places are read from."""

from collections.abc import Iterable
from dataclasses import dataclass

Scalar = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Node:
    """`line` and `column` count from 1.

    content: a scalar, a list of nodes, or for a mapping each key's own node and its value.
    text: what a scalar was written as.
    """

    line: int
    column: int
    content: "Scalar | list[Node] | dict[str, tuple[Node, Node]]"
    text: str = ""


def plain(node: Node) -> object:
    """The node as dicts, lists and scalars. Depth is bounded by the composer."""
    content = node.content
    if isinstance(content, dict):
        return {key: plain(value) for key, (_, value) in content.items()}
    if isinstance(content, list):
        return [plain(item) for item in content]
    return content


def find(root: Node, location: Iterable[int | str], *, key: bool = False) -> Node:
    """The node at a path of keys and indices; parts that are not in the file are passed over.

    key: whether the key at the end of the path is meant rather than its value.
    """
    node, last_key = root, root
    for part in location:
        content = node.content
        if isinstance(content, dict) and isinstance(part, str) and part in content:
            last_key, node = content[part]
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            node = content[part]
            last_key = node
    # An empty value has no place of its own that a person would look at.
    return last_key if key or (node.content is None and not node.text) else node
