"""Which files are read, and what becomes of those that cannot be."""

import os
from pathlib import Path

import pytest

from monitor.rulefile import read as reading
from monitor.rulefile.load import load
from monitor.rulefile.read import read
from tests.unit.rulefile import bad

OTHER = bad.SCALE.replace("name: web", "name: other")


def names(*paths: Path) -> list[str]:
    return [Path(source.file).name for source in read(paths).sources]


def test_folder_is_read_in_order_of_names(tmp_path: Path) -> None:
    """Rule files of a folder are those ending in yml or yaml, but not hidden ones and tests."""
    for name in (
        "b.yml",
        "a.yaml",
        ".hidden.yml",
        "a.test.yml",
        "notes.txt",
        "b.yml.swp",
        "c.yml~",
    ):
        (tmp_path / name).write_text(bad.SCALE)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "x.yml").write_text(bad.SCALE)
    assert names(tmp_path) == ["a.yaml", "b.yml"]


def test_file_and_its_folder_are_read_once(tmp_path: Path) -> None:
    """A file that is named twice does not clash with itself."""
    file = tmp_path / "a.yml"
    file.write_text(bad.SCALE)
    (tmp_path / "link.yml").symlink_to(file)
    assert load([tmp_path, file]).rules is not None


def test_single_file_may_have_any_name(tmp_path: Path) -> None:
    """A Swarm config is mounted under whatever name the stack gives it."""
    file = tmp_path / "rules"
    file.write_text(bad.SCALE)
    result = load([file])
    assert result.rules is not None
    assert result.files == 1


def test_links_into_a_versioned_folder(tmp_path: Path) -> None:
    """Folders whose files are links into a hidden folder, as mounted configs are, are read."""
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "a.yml").write_text(bad.SCALE)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.yml").symlink_to("..data/a.yml")
    result = load([tmp_path])
    assert result.rules is not None
    assert result.rules.rules[0].source == f"{tmp_path}/a.yml:3"


def test_empty_folder_is_no_rules_with_a_warning(tmp_path: Path) -> None:
    """No rules is a valid state, but seldom what somebody wants."""
    result = load([tmp_path])
    assert result.rules is not None
    assert result.rules.rules == ()
    assert str(tmp_path) in result.warnings[0]


def test_missing_path_is_a_problem(tmp_path: Path) -> None:
    """A path that is not there is refused, not passed over."""
    result = load([tmp_path / "nowhere"])
    assert result.rules is None
    assert [str(p) for p in result.problems] == [
        f"{tmp_path}/nowhere:1:1: no such file or folder: check the path"
    ]


def test_test_file_is_skipped_with_a_warning(tmp_path: Path) -> None:
    """A rule test that is named expressly is not taken for rules."""
    file = tmp_path / "a.test.yml"
    file.write_text("tests: []")
    result = load([file])
    assert result.problems == ()
    assert "skipped" in result.warnings[0]


def test_what_is_no_file_is_a_problem(tmp_path: Path) -> None:
    """A pipe without writer does not block, a folder or a dangling link is told."""
    os.mkfifo(tmp_path / "a.yml")
    (tmp_path / "b.yml").mkdir()
    (tmp_path / "c.yml").symlink_to("gone")
    messages = [problem.message for problem in load([tmp_path]).problems]
    assert [message.split(":")[0] for message in messages] == [
        "not a regular file",
        "is a folder",
        "no such file or folder",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    """Missing permission is told as such."""
    file = tmp_path / "a.yml"
    file.write_text(bad.SCALE)
    file.chmod(0)
    assert "permission denied" in str(load([tmp_path]).problems[0])


def test_large_file_is_not_read_whole(tmp_path: Path) -> None:
    """No more than a little over 1 MiB of a file ever comes into memory."""
    with (tmp_path / "a.yml").open("wb") as file:
        file.truncate(1 << 40)
    (source,) = read([tmp_path]).sources
    assert len(source.data) == 1024 * 1024 + 1
    assert "1 MiB" in str(load([tmp_path]).problems[0])


def test_all_files_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with more files or bytes than any set of rules needs is refused."""
    for number in range(12):
        (tmp_path / f"{number:02}.yml").write_bytes(b"#" * 1_000_000)
    assert "8 MiB" in str(load([tmp_path]).problems[-1])
    monkeypatch.setattr(reading, "MAX_FILES", 3)
    assert len(read([tmp_path]).sources) == 4
