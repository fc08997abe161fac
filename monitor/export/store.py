"""The cached exposition: bytes per object and family, rendered when the object changed.

A scrape renders what was marked since the last one and takes the rest from cache, as
kube-state-metrics does, so its cost follows the changes and not the number of series. The cache
is there once, in blocks that are packed: a whole document of 10,000 tasks is 16 MB as text, and a
tenth of a second each time it is packed anew.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from monitor.export.block import Block, joined
from monitor.export.budget import SeriesBudget
from monitor.export.family import Family, Generator, Kind
from monitor.export.text import escape_labels, format_value, header, line_template, open_line

_BLOCK = 256
"""Objects of one family in a block: some 30 kB, packed in a third of a millisecond."""

_NOTHING = Block([b""] * _BLOCK)

_MOST_OPEN = 40
"""Blocks of one family whose lines are held one by one until the next scrape."""


class _Column:
    """One family: the bytes of each object that has samples, by the object's row.

    _parts: blocks, or the lines of those that are open. _open: their numbers, the newest last.
    _marks: the hash of each row's bytes, 0 where there are none: a block is only opened for what is
        new. Two that differ have the same one once in 2**64.
    """

    __slots__ = ("_extra", "_family", "_filled", "_headers", "_marks", "_open", "_parts",
                 "_samples", "_template", "name")  # fmt: skip

    def __init__(self, generator: Generator[Any]) -> None:
        family = generator.family
        self.name = family.name
        self._headers = tuple(Block((header(family, openmetrics=way),)) for way in (False, True))
        self._parts: list[list[bytes] | Block] = []
        self._marks = array("q")
        self._filled = 0
        self._open: dict[int, None] = {}
        self._family = family
        self._samples = generator.samples
        self._extra = generator.extra
        self._template = line_template(family)

    def rendered(self, obj: Any) -> tuple[bytes, int]:
        """The object's sample lines and how many they are."""
        if self._extra is not None:
            extra = self._extra(obj)
            lines = [
                open_line(self._family, values, extra) + format_value(value) + "\n"
                for values, value in (self._samples(obj) if extra else ())
            ]
        else:
            template = self._template
            lines = [
                template % (*escape_labels(values), format_value(value))
                for values, value in self._samples(obj)
            ]
        return "".join(lines).encode(), len(lines)

    def keep(self, row: int, rendered: bytes) -> None:
        number, place = divmod(row, _BLOCK)
        while number >= len(self._parts):
            if self._parts:  # full now; 10,000 tasks are 16 MB, and nobody may ask for them
                _ = self.close(len(self._parts) - 1).packed
            self._parts.append(_NOTHING)
            self._marks.extend([0] * _BLOCK)
        mark = (hash(rendered) or 1) if rendered else 0
        before = self._marks[row]
        if before == mark:
            return
        self._marks[row] = mark
        self._filled += (mark != 0) - (before != 0)
        part = self._parts[number]
        if isinstance(part, Block):
            part = self._parts[number] = part.lines()
        self._open.pop(number, None)
        self._open[number] = None
        part[place] = rendered
        if len(self._open) > _MOST_OPEN:
            _ = self.close(next(iter(self._open))).packed

    def close(self, number: int) -> Block:
        """The block of this number, from now on as a block."""
        self._open.pop(number, None)
        part = self._parts[number]
        block = part if isinstance(part, Block) else Block(part)
        self._parts[number] = block
        return block

    def blocks(self, *, openmetrics: bool) -> Iterator[Block]:
        if not self._filled:
            return
        yield self._headers[openmetrics]
        for number in range(len(self._parts)):
            if block := self.close(number):
                yield block


class _Table:
    """All objects of one kind. rows: where each key's lines and number of series are."""

    __slots__ = ("columns", "dirty", "free", "objects", "refused", "rows", "series")

    def __init__(self, kind: Kind[Any]) -> None:
        self.columns = tuple(_Column(generator) for generator in kind.generators)
        self.objects: dict[str, Any] = {}
        self.dirty: dict[str, None] = {}
        self.refused: dict[str, None] = {}
        self.rows: dict[str, int] = {}
        self.free: list[int] = []
        self.series: list[int] = []

    def row(self, key: str) -> int:
        """Where the object's lines are; a new one takes the place of one that is gone."""
        found = self.rows.get(key)
        if found is None:
            if self.free:
                found = self.free.pop()
            else:
                found = len(self.series)
                self.series.append(0)
            self.rows[key] = found
        return found


class ExpositionStore:
    """Objects by kind and key, and their exposition.

    Every family belongs to one kind. An object whose series find no room in the budget is left
    out as a whole, counted, and tried again once room was made.
    """

    def __init__(self, kinds: Sequence[Kind[Any]], budget: SeriesBudget | None = None) -> None:
        self._tables = {kind.name: _Table(kind) for kind in kinds}
        self._families = tuple(family for kind in kinds for family in kind.families)
        names = [family.name for family in self._families]
        if len(set(names)) != len(names) or len(self._tables) != len(kinds):
            raise ValueError("a family or kind is there twice")
        self._budget = budget if budget is not None else SeriesBudget()
        self._freed = self._budget.freed

    @property
    def families(self) -> tuple[Family, ...]:
        return self._families

    @property
    def series(self) -> int:
        """Series rendered at the last refresh."""
        return sum(sum(table.series) for table in self._tables.values())

    @property
    def pending(self) -> int:
        """Objects that changed since they were rendered."""
        return sum(len(table.dirty) for table in self._tables.values())

    def put(self, kind: str, key: str, obj: object) -> None:
        """Adds or replaces an object; one that equals what is there costs nothing more."""
        table = self._tables[kind]
        old = table.objects.get(key)
        if old is obj or (old is not None and old == obj):
            return
        table.objects[key] = obj
        table.dirty[key] = None

    def drop(self, kind: str, key: str) -> None:
        """Removes an object with all its series; an unknown key is no error."""
        table = self._tables[kind]
        if table.objects.pop(key, None) is None:
            return
        table.dirty.pop(key, None)
        table.refused.pop(key, None)
        row = table.rows.pop(key, None)
        if row is None:  # never rendered
            return
        for column in table.columns:
            column.keep(row, b"")
        freed, table.series[row] = table.series[row], 0
        table.free.append(row)
        if freed:
            self._budget.admit(0, freed)

    def keys(self, kind: str) -> Iterator[str]:
        return iter(tuple(self._tables[kind].objects))

    def refresh(self, limit: int | None = None) -> bool:
        """Renders up to `limit` changed objects, all of them where None; whether some are left."""
        if self._freed != self._budget.freed:
            self._freed = self._budget.freed
            for table in self._tables.values():
                table.dirty.update(table.refused)
        left = limit
        for table in self._tables.values():
            keys = list(islice(table.dirty, left))
            for key in keys:
                del table.dirty[key]
                self._render(table, key)
            if left is not None:
                left -= len(keys)
        return self.pending > 0

    def _render(self, table: _Table, key: str) -> None:
        rendered = [column.rendered(table.objects[key]) for column in table.columns]
        series = sum(count for _, count in rendered)
        row = table.row(key)
        before = table.series[row]
        if not self._budget.admit(series, before):
            if key not in table.refused:
                self._budget.refuse(series)
            table.refused[key] = None
            self._budget.admit(0, before)
            rendered, series = [(b"", 0)] * len(table.columns), 0
        else:
            table.refused.pop(key, None)
        table.series[row] = series
        for column, (lines, _) in zip(table.columns, rendered, strict=True):
            column.keep(row, lines)

    def render(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        """The exposition, without OpenMetrics' closing `# EOF`; some families only by `names`."""
        return joined(self.blocks(openmetrics=openmetrics, names=names))

    def blocks(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> list[Block]:
        """The same in blocks; those without a change are the very ones of the last time."""
        self.refresh()
        return [
            block
            for table in self._tables.values()
            for column in table.columns
            if not names or column.name in names
            for block in column.blocks(openmetrics=openmetrics)
        ]
