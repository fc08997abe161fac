"""Numbers out of cgroup files. Garbage and cut-off content give None, never a wrong number."""

# 2^64 - 1 has 20 digits; nothing that the kernel counts is longer.
_MOST_DIGITS = 20


def number(text: bytes) -> int | None:
    """A file or field that is one unsigned number; None for `max` and for anything else."""
    text = text.strip()
    if not text.isdigit() or len(text) > _MOST_DIGITS:
        return None
    return int(text)


def keyed(content: bytes, key: bytes) -> int | None:
    """The number of the line `key number`; None where the line is missing or was cut off.

    A line without its line feed may lack digits, so it does not count.
    """
    start = content.find(b"\n" + key + b" ") + 1
    if start == 0 and not content.startswith(key + b" "):
        return None
    start += len(key) + 1
    end = content.find(b"\n", start)
    return None if end < 0 else number(content[start:end])


def scaled(value: int | None, per_unit: float) -> float | None:
    """`value` over how many of it make a unit, None staying None.

    Divided, not multiplied by 1e-9: so the same counter is the same number as the stats API's.
    """
    return None if value is None else value / per_unit
