"""Under what a decision was admitted: what must still hold right before its write."""

from collections.abc import Callable
from dataclasses import dataclass


def _never() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Permit:
    """term: of the actorship under which it was decided.

    bounds: lowest and highest replica count that the rule allows; None: it has none.
    withdrawn: asked right before the write for a sentence on why it must not be sent any more,
    "" where it may; say because its rule was changed or removed meanwhile.
    """

    term: int
    bounds: tuple[int, int] | None = None
    withdrawn: Callable[[], str] = _never
