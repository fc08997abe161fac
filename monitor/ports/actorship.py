"""Who acts: exactly one agent of a Swarm may write."""

from typing import Protocol


class Actorship(Protocol):
    def term(self) -> int | None:
        """The term under which this agent may act now, or None if it may not.

        A decision keeps the term it was made under; a write is sent only while `term()` still
        gives that same number.
        """

    def why_not(self) -> str:
        """One sentence on why `term()` is None, for people."""
