"""What `run` says at start about a token that cannot be read."""

from pathlib import Path

from monitor.agent.settings import Settings
from monitor.cli.run import token_doubt


def settings(file: Path | None) -> Settings:
    return Settings(
        docker="unix:///var/run/docker.sock", rules=(), host="::1", port=0, token_file=file
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A typo in --token-file is told at start, not when somebody needs to pause in a hurry."""
    doubt = token_doubt(settings(tmp_path / "token"))
    assert doubt is not None
    assert str(tmp_path / "token") in doubt


def test_what_is_in_a_bad_file_is_not_told(tmp_path: Path) -> None:
    """The sentence names the file and never shows the secret."""
    file = tmp_path / "token"
    file.write_text("open sesame")
    doubt = token_doubt(settings(file))
    assert doubt is not None
    assert "sesame" not in doubt


def test_a_readable_token_or_none_raises_no_doubt(tmp_path: Path) -> None:
    """Without a token nobody may pause, which is a setting and no mistake."""
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    assert token_doubt(settings(file)) is None
    assert token_doubt(settings(None)) is None
