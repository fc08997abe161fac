"""What is wrong with a rule file, and where."""

from dataclasses import dataclass

MAX_PER_FILE = 100


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` and `column` count from 1; 1:1 where the file as a whole is meant."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


def capped(problems: list[Problem]) -> list[Problem]:
    """In order of place and without repetition; the rest of a hopeless file is only counted."""
    unique = sorted(set(problems))
    if len(unique) <= MAX_PER_FILE:
        return unique
    kept, rest = unique[:MAX_PER_FILE], len(unique) - MAX_PER_FILE
    last = kept[-1]
    return [*kept, Problem(last.file, last.line, last.column, f"and {rest} more problems")]
