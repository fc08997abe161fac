"""What is said over a stream, and what garbage becomes."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.fleet.messages import (
    MAX_TASKS,
    Malformed,
    Samples,
    Table,
    Unknown,
    read,
    spell_about,
    spell_command,
    spell_event,
    spell_result,
)
from monitor.fleet.rows import ReportEncoder, read_rows
from monitor.fleet.session import MAC_BYTES, MAX_FRAME
from monitor.model.event import Event
from monitor.model.peer import About, Command, CommandResult, UsageReport
from tests.unit.fleet.build import about, oom, reading, report

VALUES = [
    (about(role="manager", release="1.2", digest="abc", acting=True, actor="m2"), spell_about),
    (oom(), spell_event),
    (CommandResult("d1", True, "done"), spell_result),
]


@pytest.mark.parametrize(("value", "spell"), VALUES)
def test_values_come_back(value: object, spell: object) -> None:
    """What one side spells the other reads as the same value."""
    assert read(spell(value)) == value


def test_a_command_comes_back_with_what_is_left_of_its_time() -> None:
    """Its expiry is counted from its arrival, so the sender says what is left."""
    command = Command("d1", "stop_task", 4, 10.0, {"task": "t1"})
    assert read(spell_command(command, 7.5)) == Command("d1", "stop_task", 4, 7.5, {"task": "t1"})


def through(encoder: ReportEncoder, sent: UsageReport) -> UsageReport:
    encoded = encoder.encode(sent)
    table, samples = read(encoded.table), read(encoded.samples)
    assert isinstance(table, Table)
    assert isinstance(samples, Samples)
    return read_rows(samples, table)


def test_a_report_comes_back_to_the_last_digit() -> None:
    """Counters that a rule can use, and every time, are the same numbers at the other end."""
    odd = reading("t1", read_at=12345.678901234567, cpu=1 / 3, pause=5.0)
    bare = reading("t2", network_at=None, network_pause=0.0)
    sent = UsageReport(1e6 / 7, 1.7e9 / 3, (odd, bare))
    got = through(ReportEncoder(), sent)
    assert (got.sent_at, got.wall) == (sent.sent_at, sent.wall)
    assert got.readings[0] == odd
    assert got.readings[1].reading.network is None
    assert got.readings[1].network_at is None


def test_a_table_is_new_only_when_its_tasks_are() -> None:
    """The same tasks in another order keep their table; one more or fewer makes another."""
    encoder = ReportEncoder()
    first = encoder.encode(report("t1", "t2"))
    second = encoder.encode(report("t2", "t1"))
    third = encoder.encode(report("t2"))
    assert first.number == second.number != third.number
    samples, table = read(second.samples), read(first.table)
    assert isinstance(samples, Samples)
    assert isinstance(table, Table)
    assert [one.task_id for one in read_rows(samples, table).readings] == ["t1", "t2"]
    late = read(third.samples)
    assert isinstance(late, Samples)
    with pytest.raises(Malformed, match="without their table"):
        read_rows(late, table)


def test_an_empty_report_is_one() -> None:
    """A node without tasks says so each second."""
    assert through(ReportEncoder(), report()) == report()


def test_what_a_receiver_would_refuse_is_left_out_and_counted() -> None:
    """Numbers that are none, odd ids and the 5,001st task do not spoil the rest."""
    bad = [
        reading("nan", cpu=float("nan")),
        reading("inf", read_at=float("inf")),
        reading("é"),
        reading(""),
        reading("pause", pause=1e9),
    ]
    encoded = ReportEncoder().encode(UsageReport(1.0, 2.0, (*bad, reading("t1"))))
    assert encoded.dropped == 5
    table = read(encoded.table)
    assert isinstance(table, Table)
    assert table.task_ids == ("t1",)
    many = report(*(f"t{number}" for number in range(MAX_TASKS + 1)))
    assert ReportEncoder().encode(many).dropped == 1


def test_the_largest_report_fits_into_a_frame() -> None:
    """5,000 tasks with the longest numbers there are stay below a mebibyte."""
    tasks = (f"{number:025d}" for number in range(MAX_TASKS))
    long = tuple(reading(one, 1234567.123456789, 123456.1234567891) for one in tasks)
    encoded = ReportEncoder().encode(UsageReport(1234567.123456789, 1.7e9, long))
    assert len(encoded.samples) + MAC_BYTES < MAX_FRAME
    assert len(encoded.table) + MAC_BYTES < MAX_FRAME


def test_an_event_with_huge_labels_keeps_what_counts() -> None:
    """Labels of an image are left out rather than the event; without end it is not sent."""
    labels = {f"label{number}": "x" * 1000 for number in range(100)}
    task = {"com.docker.swarm.task.id": "t1", "exitCode": "137"}
    event = Event("container", "die", "c1", 5, labels | task)
    got = read(spell_event(event) or b"")
    assert got == Event("container", "die", "c1", 5, task)
    endless = {f"com.docker.swarm.{number}": "x" * 1000 for number in range(100)}
    assert spell_event(Event("container", "die", "c1", 5, endless)) is None


def test_unknown_types_and_fields_are_ignored() -> None:
    """A later release may say more: a type nobody knows is Unknown, a field is not looked at."""
    assert read(b'{"t":"weather","rain":1}') == Unknown()
    assert read(b'{"rain":1}') == Unknown()
    said = json.loads(spell_about(about()))
    assert read(json.dumps({**said, "later": [1]}).encode()) == about()
    encoder = ReportEncoder()
    encoded = encoder.encode(report("t1"))
    samples = json.loads(encoded.samples)
    samples["rows"][0].append("more")
    samples["later"] = {}
    table, later = read(encoded.table), read(json.dumps(samples).encode())
    assert isinstance(later, Samples)
    assert isinstance(table, Table)
    assert read_rows(later, table) == report("t1")


def test_what_an_older_release_does_not_say_has_defaults() -> None:
    """Of an agent's word on itself only the node must be there."""
    assert read(b'{"t":"about","node":"n1"}') == About("n1", "", "")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"[]", b"7", b"[" * 100_000, b'{"t":"about"}', b'{"t":"about","node":""}',
        b'{"t":"about","node":"a\\nb"}', b'{"t":"about","node":"n","http_port":65536}',
        b'{"t":"about","node":"n","name":"\\ud800"}',
        b'{"t":"table","number":1,"tasks":["a","a"]}', b'{"t":"table","number":1,"tasks":[""]}',
        b'{"t":"table","number":1,"tasks":"ab"}', b'{"t":"table","number":NaN,"tasks":[]}',
        b'{"t":"samples","table":1,"sent_at":NaN,"wall":1,"rows":[]}',
        b'{"t":"samples","table":1,"sent_at":-Infinity,"wall":1,"rows":[]}',
        b'{"t":"samples","table":1,"sent_at":true,"wall":1,"rows":[]}',
        b'{"t":"samples","table":1,"sent_at":1,"wall":-1' + b"0" * 400 + b',"rows":[]}',
        b'{"t":"event","type":"c","action":1,"actor":"a","time_ns":1}',
        b'{"t":"event","type":"c","action":"a","actor":"a","time_ns":1,"attributes":{"a":1}}',
        b'{"t":"command","id":"a","kind":"b","term":1,"expires_in":1e9}',
        b'{"t":"command","id":"a","kind":"b","term":1,"expires_in":1,"arguments":[]}',
        b'{"t":"result","id":"a"}', b'{"t":"result","id":7,"done":true}',
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_malformed(content: bytes) -> None:
    """Wrong types, unbounded or unprintable texts and numbers that are none raise Malformed."""
    with pytest.raises(Malformed):
        read(content)


@pytest.mark.parametrize(
    "row",
    [
        7, [], [0, 1, 0, 1, 1], [True, 1, 0, 1, 1, 1], [1, 1, 0, 1, 1, 1], [-1, 1, 0, 1, 1, 1],
        [0, 1, 0, -1, 1, 1], [0, 1, 0, 1, 1.5, 1], [0, None, 0, 1, 1, 1], [0, 1, -1, 1, 1, 1],
        [0, 1, 0, 1, 1, 2**63], [0, 1, 0, 1, 1, 1, None, 1, 1, 1], [0, 1, 0, 1, 1, 1, 1, 1, 1, -1],
    ],
)  # fmt: skip
def test_rows_out_of_bounds_are_malformed(row: object) -> None:
    """A row that is too short, misplaced, or no numbers spoils its report, and says so."""
    with pytest.raises(Malformed):
        read_rows(Samples(1, 0.0, 0.0, [row]), Table(1, ("t1",)))
    twice = [[0, 1, 0, 1, 1, 1], [0, 1, 0, 1, 1, 1]]
    with pytest.raises(Malformed, match="out of place"):
        read_rows(Samples(1, 0.0, 0.0, twice), Table(1, ("t1",)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
NAMES = ["node", "name", "tasks", "number", "table", "sent_at", "wall", "rows", "type", "action",
         "actor", "time_ns", "attributes", "id", "kind", "term", "expires_in", "arguments", "done",
         "http_port", "detail"]  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from(["about", "table", "samples", "event", "command", "result", "later"]),
    st.dictionaries(st.sampled_from(NAMES), JSON),
)
def test_any_json_is_a_message_or_malformed(kind: str, fields: dict[str, object]) -> None:
    """Nothing else is raised, whatever an authentic but mad agent says."""
    try:
        message = read(json.dumps({"t": kind, **fields}).encode())
        if isinstance(message, Samples):
            read_rows(message, Table(message.table, ("t1", "t2")))
    except Malformed:
        pass


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(content: bytes) -> None:
    """The same for what is no JSON at all."""
    with contextlib.suppress(Malformed):
        read(content)
