"""Whether a schedule's cron expression and time zone can be used, and what to write instead."""

import difflib
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31 or L for the last"),
    ("month", "1-12 or jan-dec"),
    ("day of week", "0-7 (0 and 7 are Sunday) or sun-sat"),
)
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
_LOCAL = frozenset({"localtime", "local", "posixrules"})
_LONGEST = 200


def check_cron(expression: str, timezone: str) -> str | None:
    """One sentence on what is wrong and what to write instead, None if nothing is.

    expression: five fields as in Debian's crontab(5). timezone: an IANA name.
    """
    return check_expression(expression) or check_timezone(timezone)


def check_expression(expression: str) -> str | None:
    fields = expression.split()
    if len(expression) > _LONGEST:
        return f"cron is longer than {_LONGEST} characters: split it into several schedules"
    if fields and fields[0].startswith("@"):
        instead = _MACROS.get(expression.strip().lower(), "0 8 * * mon-fri")
        return f'cron {expression.strip()} is not known here: write "{instead}"'
    if len(fields) != 5:
        return (
            f"cron has {len(fields)} field{'' if len(fields) == 1 else 's'}, not five: write "
            'minute, hour, day of month, month, day of week, as in "0 8 * * mon-fri"'
        )
    for place, (name, values) in enumerate(_FIELDS):
        if (problem := _field(fields[place], place, name, values)) is not None:
            return problem
    try:
        comes = next(CronSim(expression, _ANY_TIME), None)
    except CronSimError:
        comes = None
    if comes is None:
        return f'cron "{expression}" names a day that never comes: correct the day or the month'
    return None


def check_timezone(timezone: str) -> str | None:
    if timezone.lower() in _LOCAL:
        return f"timezone {timezone} differs from node to node: write a name as in Europe/Berlin"
    try:
        ZoneInfo(timezone)
    except (ValueError, OSError, LookupError):
        nearest = _nearest(timezone)
        advice = f"did you mean {nearest}?" if nearest else "write one as in Europe/Berlin or UTC"
        return f'timezone "{timezone}" is not known: {advice}'
    return None


def _field(field: str, place: int, name: str, values: str) -> str | None:
    alone = " ".join(field if at == place else "*" for at in range(5))
    if field != "?" and not _impossible(alone):
        return None
    if field == "?":
        advice = "write *"
    elif turned := _turned(field, place):
        advice = f"a range goes upwards, write {turned}"
    else:
        advice = f"write {values}, *, a list as in 1,3, a range as in 1-5 or a step as in */2"
    return f'cron has "{field}" as its {name}: {advice}'


def _impossible(expression: str) -> bool:
    try:
        CronSim(expression, _ANY_TIME)
    except (CronSimError, AssertionError, ValueError):
        return True
    return False


def _turned(field: str, place: int) -> str | None:
    """`22-6` as `22-23,0-6`, for fields that begin at 0; None where it is no such range."""
    last = {0: 59, 1: 23}.get(place)
    found = re.fullmatch(r"([0-9]{1,2})-([0-9]{1,2})", field)
    if last is None or found is None:
        return None
    start, end = int(found[1]), int(found[2])
    return f"{start}-{last},0-{end}" if end < start <= last else None


def _nearest(timezone: str) -> str | None:
    known = sorted(available_timezones())
    wanted = timezone.lower().replace(" ", "_")
    by_city = [name for name in known if name.lower().rpartition("/")[2] == wanted]
    folded = {name.lower(): name for name in reversed(known)}
    close = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.7)
    return folded.get(wanted) or next(iter(by_city), None) or (folded[close[0]] if close else None)
