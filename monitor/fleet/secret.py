"""The secret that all agents of a fleet share."""

from pathlib import Path

_SHORTEST = 16
_LONGEST = 4096
_MAKE_ONE = "make one with: openssl rand -base64 32 | docker secret create swarm-monitor -"


class SecretError(Exception):
    """There is no usable secret; `str()` says why and what to do, never the secret itself."""


class Secret:
    """From a file, which is read at each handshake so that it can be changed, or a value.

    Give exactly one. Connections that exist outlive a change of the file.
    """

    __slots__ = ("_file", "_value")

    def __init__(self, *, file: Path | None = None, value: str | bytes | None = None) -> None:
        if (file is None) == (value is None):
            raise ValueError("a Secret has either a file or a value")
        self._file = file
        self._value = value.encode() if isinstance(value, str) else value

    def read(self) -> bytes:
        """The secret without white space around it, 16 to 4096 bytes. Raises SecretError."""
        if self._file is None:
            return _checked(self._value or b"", "the secret")
        try:
            with self._file.open("rb") as opened:
                found = opened.read(_LONGEST + 1)
        except FileNotFoundError:
            raise SecretError(
                f"There is no secret at {self._file}: {_MAKE_ONE}, and give it to the service."
            ) from None
        except OSError as error:
            raise SecretError(
                f"The secret at {self._file} cannot be read: {error.strerror}."
            ) from None
        return _checked(found, f"the secret at {self._file}")

    def __repr__(self) -> str:
        return f"Secret(file={str(self._file)!r})" if self._file else "Secret(value=...)"


def _checked(found: bytes, name: str) -> bytes:
    if len(found) > _LONGEST:
        raise SecretError(f"{_upper(name)} is longer than {_LONGEST} bytes: {_MAKE_ONE}.")
    stripped = found.strip()
    if not stripped:
        raise SecretError(f"{_upper(name)} is empty: {_MAKE_ONE}.")
    if len(stripped) < _SHORTEST:
        raise SecretError(
            f"{_upper(name)} has {len(stripped)} bytes, at least {_SHORTEST} are needed:"
            f" {_MAKE_ONE}."
        )
    return stripped


def _upper(name: str) -> str:
    """`capitalize` would put the rest of a path into lower case."""
    return name[0].upper() + name[1:]
