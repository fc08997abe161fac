"""Under what a decision was admitted: what must still hold right before its write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.model.node import Node


def _never() -> str:
    return ""


def _nothing_spared(nodes: Mapping[str, Node]) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Permit:
    """term: of the actorship under which it was decided.

    bounds: lowest and highest replica count that the rule allows; None: it has none.
    withdrawn: asked right before the write for a sentence on why it must not be sent any more,
    "" where it may; say because its rule was changed or removed meanwhile.
    spares: asked before a node is drained, with all nodes by id as just read, for a sentence on
    why this one must not be.
    """

    term: int
    bounds: tuple[int, int] | None = None
    withdrawn: Callable[[], str] = _never
    spares: Callable[[Mapping[str, Node]], str] = _nothing_spared
