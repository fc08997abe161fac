"""Where messages go: a form, and an address that is written out or in a file."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

from monitor.notify.forms import Form, alertmanager, slack, webhook

FORMS: Mapping[str, Form] = {"webhook": webhook, "slack": slack, "alertmanager": alertmanager}

_ALERTS = "/api/v2/alerts"
_MOST = 16 * 1024
_EXAMPLES = (
    "slack=/run/secrets/slack-url, webhook=https://host/path or "
    "alertmanager=http://alertmanager:9093"
)


class TargetError(ValueError):
    """A target cannot be used; `str()` says why, without its address, which may be a secret."""


@dataclass(frozen=True, slots=True)
class Address:
    """headers: may hold secrets, as the path and query of the URL may."""

    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """Without what may be secret: of an incoming webhook, that is the path."""
        return str(self.url.origin())

    def scrub(self, text: str) -> str:
        """The text without them: a server may say back what it was sent."""
        secret = {self.url.path_qs, self.url.raw_path_qs, self.url.password or ""}
        secret |= {word for value in self.headers.values() for word in value.split()}
        secret |= {part for part in self.url.parts if len(part) >= 8}
        for word in sorted(secret, key=len, reverse=True):
            if len(word) > 3:
                text = text.replace(word, "***")
        return text


@dataclass(frozen=True, slots=True)
class Target:
    """name: for metrics and logs. place: an address, or where one is read at each use."""

    name: str
    form: Form = field(repr=False)
    place: str = field(repr=False)
    alerts: bool = False

    @property
    def in_file(self) -> bool:
        return self.place.startswith("/")

    def address(self) -> Address:
        """Reads the file, if it is one. Raises TargetError. Blocks as long as the disk takes."""
        return self._made(_lines(self.place) if self.in_file else [self.place])

    def _made(self, lines: list[str]) -> Address:
        try:
            url = URL(lines[0].strip() if lines else "")
        except ValueError:
            url = URL()
        if url.scheme not in ("http", "https") or not url.host:
            raise TargetError(f"{self.name}: this is no URL to send to: write https://host/path")
        if self.alerts and not url.path.endswith(_ALERTS):
            url = url.with_path(url.path.rstrip("/") + _ALERTS)
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name.strip().isascii() or not value.strip():
                raise TargetError(
                    f"{self.name}: below the URL the file has headers, one a line, as "
                    "`Authorization: Bearer TOKEN`"
                )
            headers[name.strip()] = value.strip()
        return Address(url, headers)


def parse_targets(texts: tuple[str, ...]) -> tuple[Target, ...]:
    """`FORM=URL` or `FORM=/FILE` each. Raises TargetError that says what to write."""
    made: list[Target] = []
    for text in texts:
        kind, equals, place = text.partition("=")
        if not equals or kind not in FORMS or not place:
            raise TargetError(f"write FORM=URL or FORM=FILE, as in {_EXAMPLES}")
        before = sum(target.name.partition("-")[0] == kind for target in made)
        name = f"{kind}-{before + 1}" if before else kind
        target = Target(name, FORMS[kind], place, alerts=kind == "alertmanager")
        if not target.in_file:
            target.address()
        made.append(target)
    return tuple(made)


def _lines(path: str) -> list[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise TargetError(f"the file {path} is not a regular file")
            content = file.read(_MOST + 1)
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise TargetError(f"the file {path} cannot be read: {why}") from None
    if len(content) > _MOST:
        raise TargetError(f"the file {path} is larger than {_MOST // 1024} KiB")
    try:
        return [line for line in content.decode().splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise TargetError(f"the file {path} is not UTF-8 text") from None
