"""Secrets from files, read whenever they are used, so that a rotated one counts at once."""

import os
import stat
from base64 import b64encode
from dataclasses import dataclass, field

from monitor.model.scalar import Credentials
from monitor.sources.fault import ServerFault

_MOST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Authorization:
    """The header's value, "" for none, and the secrets in it, which must not be shown."""

    header: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def scrub(self, text: str) -> str:
        """The text without the secrets: a server may say back what it was sent."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


NOBODY = Authorization()


def authorization(credentials: Credentials) -> Authorization:
    """Reads the files. Raises ServerFault that names the file, never what is in it."""
    if credentials.bearer_token_file is not None:
        token = _secret(credentials.bearer_token_file)
        if not token.isascii() or any(c.isspace() or not c.isprintable() for c in token):
            raise ServerFault(
                f"{credentials.bearer_token_file} holds no bearer token: that is one line of "
                "printable ASCII without spaces"
            )
        return Authorization(f"Bearer {token}", (token,))
    if credentials.username is None and credentials.password_file is None:
        return NOBODY
    password = "" if credentials.password_file is None else _secret(credentials.password_file)
    pair = f"{credentials.username or ''}:{password}"
    encoded = b64encode(pair.encode()).decode("ascii")
    return Authorization(f"Basic {encoded}", tuple(s for s in (encoded, password) if s))


def _secret(path: str) -> str:
    """The file's text without the line ends at its end."""
    try:
        content = _read(path)
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise ServerFault(f"the secret file {path} cannot be read: {why}") from None
    if len(content) > _MOST:
        raise ServerFault(f"the secret file {path} is larger than {_MOST // 1024} KiB")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ServerFault(f"the secret file {path} is not UTF-8 text") from None
    if not text:
        raise ServerFault(f"the secret file {path} is empty")
    return text


def _read(path: str) -> bytes:
    """At most one byte more than may be; a pipe or a device is refused, for it could block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ServerFault(f"the secret file {path} is not a regular file")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(_MOST + 1)
    finally:
        os.close(descriptor)
