"""How long ago, in the words that the daemon has for it."""

_HOUR = 3600
_DAY = 24 * _HOUR


def ago(seconds: float) -> str:
    """A length of time as docker writes it (its units package): `About a minute`, `3 hours`."""
    minutes, hours = int(seconds / 60), int(seconds / _HOUR + 0.5)
    if seconds < 1:
        return "Less than a second"
    if seconds < 2:
        return "1 second"
    if minutes < 1:
        return f"{int(seconds)} seconds"
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    for most, each, word in (
        (48, 1, "hours"),
        (14 * 24, 24, "days"),
        (60 * 24, 7 * 24, "weeks"),
        (2 * 365 * 24, 30 * 24, "months"),
    ):
        if hours < most:
            return f"{hours // each} {word}"
    return f"{int(seconds / (365 * _DAY))} years"
