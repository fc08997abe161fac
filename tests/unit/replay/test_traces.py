"""Traces as people have them."""

import gzip
import json
from pathlib import Path

import pytest

from monitor.replay.read import read_trace
from monitor.replay.times import UNKNOWN_START, moment


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("1767225600", 1767225600),
        ("1767225600.5", 1767225600.5),
        ("1767225600000", 1767225600),
        ("1767225600000000", 1767225600),
        ("1767225600000000000", 1767225600),
        ("90", UNKNOWN_START + 90),
        ("2026-01-01", 1767225600),
        ("2026-01-01 00:01", 1767225660),
        ("2026/01/01 00:01:30", 1767225690),
        ("2026-01-01T01:00:00+01:00", 1767225600),
        ("2026-01-01T00:00:00Z", 1767225600),
    ],
)
def test_a_moment_is_understood_in_each_of_its_spellings(text: str, wall: float) -> None:
    """Epoch numbers of any unit, seconds since the start, and ISO 8601 with and without a zone."""
    assert moment(text) == wall


def test_lines_are_read_with_or_without_heading_packed_or_not(tmp_path: Path) -> None:
    """Commas, semicolons and tabs, comments, empty cells and gzip give the same trace."""
    plain, packed = tmp_path / "a.csv", tmp_path / "b.csv.gz"
    plain.write_text("0,1\n60,2\n120,3\n")
    packed.write_bytes(gzip.compress(b"time;load\n# night\n0;1\n60;2\n90;\n120;3\n\n"))
    one, other = read_trace(plain), read_trace(packed)
    assert one.values == other.values == (1, 2, 3)
    assert one.times == other.times
    assert (one.step, one.seconds) == (60, 180)
    assert other.notes == ("1 lines without a value are left out",)


def test_columns_are_chosen_by_name_or_number_and_added_up(tmp_path: Path) -> None:
    """A wide file asks which column, and takes several as their sum."""
    wide = tmp_path / "wide.csv"
    wide.write_text("time,web,api,db\n0,1,10,100\n60,2,20,200\n")
    with pytest.raises(ValueError, match="--column one of web, api, db"):
        read_trace(wide)
    assert read_trace(wide, ["api"]).values == (10, 20)
    assert read_trace(wide, ["web", "4"]).values == (101, 202)
    with pytest.raises(ValueError, match="no column cache: it has web, api, db"):
        read_trace(wide, ["cache"])


def test_a_matrix_of_prometheus_is_a_trace(tmp_path: Path) -> None:
    """One series as it is; several by a label's value, or all added up; NaN is left out."""
    file = tmp_path / "range.json"
    series = [
        {"metric": {"job": job}, "values": [[0, str(base)], [15, "NaN"], [30, str(base + 1)]]}
        for job, base in (("web", 1), ("api", 10))
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": series}}
    file.write_text(json.dumps(answer))
    with pytest.raises(ValueError, match=r'2 series.*--column.*\{job="web"\}, \{job="api"\}'):
        read_trace(file)
    assert read_trace(file, ["api"]).values == (10, 11)
    assert read_trace(file, ["*"]).values == (11, 13)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no lines"),
        ("time,load\n", "holds no values"),
        ("1\n2\n", "one column only"),
        ("0,1\n60,two\n", ":2: 'two' is no load"),
        ("0,1\n60,-1\n", ":2: '-1' is no load"),
        ("0,1\nnoon,2\n", ":2: 'noon' is no moment"),
        ("60,1\n0,2\n", ":2: 0 is earlier than the line above"),
        ("60,1\n60,2\n", ":2: 60 is twice the same time"),
        ('{"status": "error", "error": "too many points"}', "too many points"),
        ('{"data": {"resultType": "vector", "result": []}}', "a vector, not a matrix"),
        ('{"data": {"resultType": "matrix", "result": []}}', "holds no series"),
        ('{"data": ', "is no JSON"),
    ],
)
def test_what_is_no_trace_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """Each fault names the file, the line where there is one, and what is wrong."""
    file = tmp_path / "load.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_trace(file)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """A missing file, one that is no text, and a torn gzip are faults in words."""
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(b"0,1\n60,2\n")[:-6])
    noise = tmp_path / "noise.csv"
    noise.write_bytes(b"\xff\xfe\x00\x81")
    for file, message in (
        (tmp_path / "none.csv", "No such file"),
        (torn, "cannot be read"),
        (noise, "is no text"),
    ):
        with pytest.raises(ValueError, match=message):
            read_trace(file)


def test_a_part_is_cut_by_time() -> None:
    """From a moment on, for a duration; nothing at all is a fault."""
    from tests.unit.replay.scene import BEGIN, minutes

    trace = minutes(*range(10))
    assert trace.part(BEGIN + 120, 180).values == (2, 3, 4)
    assert trace.part(None, 120).values == (0, 1)
    with pytest.raises(ValueError, match="no points there"):
        trace.part(BEGIN + 86400, None)
