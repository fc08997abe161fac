"""Why a source gave no number."""


class SourceFault(Exception):
    """`str()` is one sentence for a person: what happened, and what to do where that helps.

    It never holds a secret, nor the query of a URL, where keys are kept too.
    """


class ServerFault(SourceFault):
    """Whatever else is asked there with the same credentials fails for the same reason."""


_MOST = 200


def quoted(text: str) -> str:
    """What somebody else said, as a part of a sentence: one line, printable, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _MOST else f"{line[: _MOST - 3]}..."
