"""A deliberate bug of the agent: production code with something else in the place of one part."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Bug:
    """sentence: what the agent does wrong. parts: (module or class, name, what is there instead).

    What is patched are names of the product, never of the simulation or of the checkers.
    """

    name: str
    sentence: str
    parts: tuple[tuple[Any, str, Any], ...]

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name, value in self.parts:
                stack.enter_context(patch.object(owner, name, value))
            yield


def bug(name: str, sentence: str, *parts: tuple[Any, str, Any]) -> Bug:
    return Bug(name, sentence, parts)
