"""Rule files as text, without a disk."""

from monitor.model.rule import AnyRule
from monitor.rulefile.load import LoadResult, parse
from monitor.rulefile.read import Snapshot, Source


def parsed(*texts: str | bytes) -> LoadResult:
    """What loading files `1.yml`, `2.yml` ... with these contents gives."""
    sources = tuple(
        Source(f"{number}.yml", text.encode() if isinstance(text, str) else text)
        for number, text in enumerate(texts, 1)
    )
    return parse(Snapshot(sources))


def rules(*texts: str) -> tuple[AnyRule, ...]:
    result = parsed(*texts)
    assert result.rules is not None, [str(problem) for problem in result.problems]
    return result.rules.rules


def said(*texts: str | bytes) -> list[str]:
    return [str(problem) for problem in parsed(*texts).problems]
