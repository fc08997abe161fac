"""Moments as traces spell them."""

from datetime import UTC, datetime

SINCE_START = 1e8
"""Smaller numbers are seconds since a start that nobody knows: 1e8 is March 1973."""

UNKNOWN_START = 1_767_225_600.0
"""2026-01-01T00:00:00Z, in place of it."""

_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))


def moment(text: str) -> float:
    """Wall seconds. Numbers are epoch seconds (or milli-, micro-, nanoseconds, by their size) or
    seconds since the start; all else ISO 8601, in UTC where no zone is told. Raises ValueError.
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _date(text)
    if not abs(number) < 1e19:
        raise ValueError(f"{text} is no moment")
    if 0 <= number < SINCE_START:
        return UNKNOWN_START + number
    if number < 0:
        raise ValueError(f"{text} is before 1970")
    return next((number / unit for least, unit in _UNITS if number >= least), number)


def _date(text: str) -> float:
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise ValueError(
            f'{text!r} is no moment: write seconds, or a date such as "2026-03-02 08:00"'
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
