"""What is said about rule files that are wrong."""

from pathlib import Path

import pytest
import yaml

from monitor.rulefile.text import YamlFault
from monitor.rulefile.yaml_source import compose
from tests.unit.rulefile import bad
from tests.unit.rulefile.helpers import said

EXPECTED = Path(__file__).with_name("expected.txt")


def expected() -> dict[str, list[str]]:
    """Case -> lines, from a file in which a case's name is followed by its indented lines."""
    cases: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in EXPECTED.read_text().splitlines():
        if line.startswith("    "):
            lines.append(line.strip())
        else:
            lines = cases.setdefault(line, [])
    return cases


def test_every_case_has_its_expected_lines() -> None:
    """The table of bad files and the file of expected messages name the same cases."""
    assert list(expected()) == list(bad.ALL)


@pytest.mark.parametrize("case", bad.ALL)
def test_message(case: str) -> None:
    """A bad file is refused with exactly these places and sentences."""
    assert said(bad.ALL[case]) == expected()[case]


@pytest.mark.parametrize("case", bad.ALL)
def test_no_phrase_of_the_libraries_reaches_the_reader(case: str) -> None:
    """Sentences are the product's own, not the validator's or the YAML scanner's."""
    foreign = ("Input should", "valid", "Extra inputs", "Value error", "not permitted", "any token")
    for line in said(bad.ALL[case]):
        assert not any(phrase in line for phrase in foreign), line


@pytest.mark.parametrize("case", bad.YAML)
def test_pure_loader_agrees(case: str) -> None:
    """Without the C parser the same files are refused, with the same sentences."""
    data = bad.YAML[case].encode()
    pure, fast = refusal(data, yaml.SafeLoader), refusal(data, yaml.CSafeLoader)
    assert pure == fast


def refusal(data: bytes, loader: type) -> list[str]:
    try:
        return [str(fault) for fault in compose(data, loader).faults]
    except YamlFault as fault:
        return [str(fault)]


def test_problems_of_all_files_are_told() -> None:
    """Every file's problems are reported, in the order of files and lines."""
    lines = said(bad.SCALING["min quoted"], bad.SCALE, "version: 2\nrules: 3\n")
    places = [line.split(": ")[0] for line in lines]
    assert places == ["1.yml:3:11", "1.yml:6:12", "2.yml:3:11", "3.yml:1:10", "3.yml:2:8"]


def test_rule_name_in_two_files_points_at_both() -> None:
    """Two rules of one name are refused at both places, each naming the other."""
    first, second = said(bad.SCALE, bad.RESTART)
    assert first.startswith("1.yml:3:11: ")
    assert "2.yml:3:11" in first
    assert second.startswith("2.yml:3:11: ")
    assert "1.yml:3:11" in second


def test_hopeless_file_is_cut_off() -> None:
    """A file full of faults gives a hundred problems and a count, not thousands of lines."""
    lines = said("version: 1\nrules: [" + "1, " * 5000 + "1]\n")
    assert len(lines) == 101
    assert "more problems" in lines[-1]


def test_column_counts_characters_not_bytes() -> None:
    """A place behind letters beyond ASCII is where an editor shows it."""
    text = 'version: 1\nrules:\n  - {name: "äöü€😀", services: [web], scale: 3}\n'
    assert said(text)[1].startswith("1.yml:3:45: scale: ")


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"version: 1\r\nrules: []\r\n# \xff\r\n", "1.yml:3:3"),
        (b"version: 1\n# \xc3\xa4 \xc3(\n", "1.yml:2:5"),
        (b"\xff\xfev\x00", "1.yml:1:1"),
        (b"\xfe\xff\x00v", "1.yml:1:1"),
    ],
)
def test_other_encodings(data: bytes, place: str) -> None:
    """What is not UTF-8 is refused at the first byte that is not."""
    (line,) = said(data)
    assert line.startswith(place)
    assert "save" in line
    assert "UTF-8" in line


def test_byte_order_mark_is_no_fault() -> None:
    """Files of editors that write a byte order mark load like others."""
    assert said(b"\xef\xbb\xbf" + bad.SCALE.encode()) == []
