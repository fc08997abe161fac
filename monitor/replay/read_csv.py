"""Traces in CSV files: one column of times, and one or more of values."""

import csv
import io
import math
from collections.abc import Sequence

from monitor.replay.times import moment
from monitor.replay.trace import Trace, trace_of

_EMPTY = frozenset({"", "nan", "null", "none", "na"})
_DELIMITERS = ",;\t"


def read_csv(name: str, text: str, columns: Sequence[str] = ()) -> Trace:
    """The first column holds times; the value is that of `columns` (names, or numbers from 1),
    added up where there are several. Lines without a value are left out. Raises ValueError
    with the line where there is something else.
    """
    delimiter = max(_DELIMITERS, key=text[:10_000].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    lines = [(number, row) for number, row in enumerate(rows, 1) if _counts(row)]
    if not lines:
        raise ValueError(f"{name} holds no lines: write lines time,value")
    heading = _heading(lines[0][1])
    places = _places(name, heading, lines[0][1], columns)
    points: list[tuple[float, float]] = []
    skipped = 0
    for number, row in lines[1 if heading else 0 :]:
        value = _value(f"{name}:{number}", row, places)
        if value is None:
            skipped += 1
            continue
        time = _time(f"{name}:{number}", row[0])
        if points and time <= points[-1][0]:
            what = "earlier than the line above: sort the lines by time"
            if time == points[-1][0]:
                what = "twice the same time: leave one line of it"
            raise ValueError(f"{name}:{number}: {row[0]} is {what}")
        points.append((time, value))
    if not points:
        raise ValueError(f"{name} holds no values: write lines time,value")
    notes = (f"{skipped} lines without a value are left out",) if skipped else ()
    return trace_of(name, points, notes)


def _counts(row: list[str]) -> bool:
    return any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#")


def _heading(row: list[str]) -> list[str] | None:
    """The first row if it is one: its first cell is no time."""
    try:
        moment(row[0])
    except ValueError:
        return [cell.strip() for cell in row]
    return None


def _places(
    name: str, heading: list[str] | None, first: list[str], columns: Sequence[str]
) -> list[int]:
    width = len(first)
    if width < 2:
        raise ValueError(f"{name} has one column only: write lines time,value")
    known = heading[1:] if heading else [str(number) for number in range(2, width + 1)]
    if not columns:
        if width > 2:
            raise ValueError(
                f"{name} has several columns of values: choose with --column one of "
                f"{', '.join(known)}; given several times, they are added up"
            )
        return [1]
    return [_place(name, heading, width, column, known) for column in columns]


def _place(name: str, heading: list[str] | None, width: int, column: str, known: list[str]) -> int:
    if heading and column in heading[1:]:
        return heading.index(column, 1)
    if column.isdecimal() and 2 <= int(column) <= width:
        return int(column) - 1
    raise ValueError(f"{name} has no column {column}: it has {', '.join(known)}")


def _value(place: str, row: list[str], columns: list[int]) -> float | None:
    """None where all of the columns are empty."""
    found: list[float] = []
    for column in columns:
        cell = row[column].strip() if column < len(row) else ""
        if cell.lower() in _EMPTY:
            continue
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            raise ValueError(f"{place}: {cell!r} is no load: write a number from 0 on")
        found.append(value)
    return sum(found) if found else None


def _time(place: str, text: str) -> float:
    try:
        return moment(text)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
