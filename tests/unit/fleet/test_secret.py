"""The shared secret's file."""

from pathlib import Path

import pytest

from monitor.fleet.secret import Secret, SecretError


def test_it_is_read_anew_each_time_without_white_space(tmp_path: Path) -> None:
    """A changed file is the next handshake's secret; a line's end is no part of it."""
    file = tmp_path / "secret"
    secret = Secret(file=file)
    file.write_bytes(b"  sixteen bytes ok\r\n")
    assert secret.read() == b"sixteen bytes ok"
    file.write_bytes(b"another one of more bytes")
    assert secret.read() == b"another one of more bytes"
    assert Secret(value="sixteen bytes ok\n").read() == b"sixteen bytes ok"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"fifteen bytes..\n", "15 bytes"), (b" \n", "is empty"), (b"x" * 4097, "longer than 4096")],
)
def test_unusable_ones_are_refused_with_what_to_do(
    tmp_path: Path, content: bytes, words: str
) -> None:
    """Each refusal names the file and how to make a secret, and never quotes what is in it."""
    file = tmp_path / "Secret"
    file.write_bytes(content)
    with pytest.raises(SecretError) as refused:
        Secret(file=file).read()
    assert words in str(refused.value)
    assert str(file) in str(refused.value)
    assert "openssl rand" in str(refused.value)
    assert content.decode().strip() not in str(refused.value) or not content.strip()


def test_a_missing_or_unreadable_file_is_said(tmp_path: Path) -> None:
    """No file, and a folder in its place, are told apart."""
    with pytest.raises(SecretError, match="There is no secret at"):
        Secret(file=tmp_path / "none").read()
    with pytest.raises(SecretError, match="cannot be read: Is a directory"):
        Secret(file=tmp_path).read()


def test_it_does_not_show_itself() -> None:
    """Neither repr nor str has the value, and one of file and value must be given."""
    secret = Secret(value="a secret nobody may see")
    assert "nobody" not in f"{secret!r} {secret}"
    with pytest.raises(ValueError):
        Secret()
