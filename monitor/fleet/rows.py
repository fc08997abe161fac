"""Usage reports as tables and rows of numbers.

A row is [position in the table, read_at, pause, CPU seconds, memory bytes, working set bytes] and,
where the sender knows the task's traffic, [..., network_at, network_pause, received bytes,
transmitted bytes]: the counters that a rule can use, times as in `TaskReading`. Later releases may
add numbers at its end. Rows stand in the order of the table.
"""

import math
from dataclasses import dataclass
from typing import Any

from monitor.fleet.messages import LEAST, MAX_TASKS, Malformed, Samples, Table, number, spell
from monitor.model.peer import TaskReading, UsageReport
from monitor.model.usage import Machine, Network, Reading

MAX_PAUSE = 3600.0
_SHORT = 6
_LONG = 10


@dataclass(frozen=True, slots=True)
class EncodedReport:
    """Made once, sent to every manager. number: of its table, which is sent only when new."""

    number: int
    table: bytes
    samples: bytes
    dropped: int = 0


class ReportEncoder:
    """Remembers the newest table."""

    def __init__(self) -> None:
        self._number = 0
        self._places: dict[str, int] = {}
        self._table = b""

    def encode(self, report: UsageReport) -> EncodedReport:
        """Readings beyond 5,000, and those that are no numbers, are left out and counted."""
        readings = {one.task_id: one for one in report.readings[:MAX_TASKS] if _sound(one)}
        if not self._number or readings.keys() != self._places.keys():
            self._places = {task_id: place for place, task_id in enumerate(readings)}
            self._number += 1
            self._table = spell("table", number=self._number, tasks=list(readings))
        rows = [_row(place, readings[task_id]) for task_id, place in self._places.items()]
        samples = spell(
            "samples",
            table=self._number,
            sent_at=report.sent_at,
            wall=report.wall,
            rows=rows,
            **_machine(report.machine),
        )
        dropped = len(report.readings) - len(readings)
        return EncodedReport(self._number, self._table, samples, dropped)


def read_rows(samples: Samples, table: Table | None) -> UsageReport:
    """Raises Malformed, also where the samples belong to another table than `table`."""
    if table is None or table.number != samples.table:
        raise Malformed("samples came without their table")
    readings = []
    before = -1
    for row in samples.rows:
        if not isinstance(row, list) or len(row) < _SHORT or type(row[0]) is not int:
            raise Malformed("a row is too short")
        place = row[0]
        if not before < place < len(table.task_ids):
            raise Malformed("a row is out of place")
        before = place
        readings.append(_reading(table.task_ids[place], row))
    machine = Machine(samples.memory, samples.disk)
    return UsageReport(samples.sent_at, samples.wall, tuple(readings), machine)


def _machine(machine: Machine) -> dict[str, float]:
    """What is known of it; releases before this one told nothing."""
    known = {"memory": machine.memory, "disk": machine.disk}
    return {name: round(v, 4) for name, v in known.items() if v is not None and 0 <= v <= 1}


def _sound(one: TaskReading) -> bool:
    """What a receiver would refuse, with the whole report, is not sent to begin with."""
    task_id, reading = one.task_id, one.reading
    return (
        0 < len(task_id) <= 128
        and task_id.isascii()
        and task_id.isprintable()
        and math.isfinite(one.read_at)
        and 0 <= one.pause <= MAX_PAUSE
        and 0 <= reading.cpu_seconds < math.inf
        and reading.memory_usage >= 0
        and reading.working_set >= 0
    )


def _row(place: int, one: TaskReading) -> list[Any]:
    reading = one.reading
    row = [
        place,
        one.read_at,
        one.pause,
        reading.cpu_seconds,
        reading.memory_usage,
        reading.working_set,
    ]
    network = reading.network
    if network is not None and one.network_at is not None and math.isfinite(one.network_at):
        row += (
            one.network_at,
            min(MAX_PAUSE, one.network_pause),
            network.receive_bytes,
            network.transmit_bytes,
        )
    return row


def _reading(task_id: str, row: list[Any]) -> TaskReading:
    network, network_at, network_pause = None, None, 0.0
    if len(row) >= _LONG:
        network_at = _time(row[6])
        network_pause = float(number(row[7], most=MAX_PAUSE))
        network = Network(receive_bytes=_whole(row[8]), transmit_bytes=_whole(row[9]))
    return TaskReading(
        task_id,
        _time(row[1]),
        Reading(float(number(row[3])), _whole(row[4]), _whole(row[5]), network=network),
        float(number(row[2], most=MAX_PAUSE)),
        network_at,
        network_pause,
    )


def _time(value: object) -> float:
    return float(number(value, least=LEAST))


def _whole(value: object) -> int:
    if type(value) is int and 0 <= value < 2**63:
        return value
    raise Malformed("a row holds something else where a whole number is due")
