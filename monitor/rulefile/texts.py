"""Texts in rule files that mean something elsewhere: names, queries, addresses, file names."""

import difflib
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from monitor.model.jsonpath import path_error
from monitor.rulefile import units
from monitor.rulefile.fields import text

_REPLACED = ("service", "stack", "rule")
_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
_FILE = r"^/[^\s]{1,1023}$"
_SCHEDULE = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
_ZONE = r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$"
_USER = r"^[^:\s]{1,256}$"
_URL = r"^https?://[^\s]{1,2040}$"
_API = re.compile(r"/api/v1(/query)?/*$")
_PLACEHOLDER = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_LONGEST_QUERY = 4096


def _placeholders(value: str) -> None:
    """Refuses Grafana's variables and near misses of ours.

    Other words behind a dollar sign may be meant as they are: names of groups in
    `label_replace`, for example.
    """
    for found in _PLACEHOLDER.finditer(value):
        if found[1] in _REPLACED:
            continue
        if found[1].startswith("__"):
            raise ValueError(f"{found[0]} is Grafana's: write a duration such as 1m")
        if close := difflib.get_close_matches(found[1].lower(), _REPLACED, n=1, cutoff=0.7):
            raise ValueError(f"{found[0]} is not known: did you mean ${close[0]}?")


def _long_text(kind: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be {kind}, not {units.shown(value)}")  # noqa: TRY004
        if not value.strip():
            raise ValueError(f"must be {kind}, not empty text")
        if len(value) > _LONGEST_QUERY:
            raise ValueError(f"is longer than {_LONGEST_QUERY} characters")
        _placeholders(value)
        return value.strip()

    return check


def _path(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f"must be a path such as queues[0].length: write [{value}] for an element")  # noqa: TRY004
    if not isinstance(value, str):
        raise ValueError(f"must be a path such as queues[0].length, not {units.shown(value)}")  # noqa: TRY004
    if (problem := path_error(value)) is not None:
        raise ValueError(problem)
    return value


def _url(value: object) -> SplitResult:
    if not isinstance(value, str):
        raise ValueError(f"must be a URL such as http://host:9090, not {units.shown(value)}")  # noqa: TRY004
    if "://" not in value and re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?(/\S*)?", value):
        raise ValueError(f'must be a URL: write "http://{value}"')
    if not re.fullmatch(_URL, value):
        raise ValueError(
            f"must be a URL such as http://host:9090, with http or https, not {units.shown(value)}"
        )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("is no URL: its host or port cannot be read") from None
    if not parts.hostname or port == 0:
        raise ValueError("is no URL: it has no host, or port 0")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a password: write it to a file and give auth: {...}")
    if parts.fragment:
        raise ValueError(f"must end before #{parts.fragment[:20]}: no server is told that part")
    return parts


def _address(value: object) -> str:
    parts = _url(value)
    if "$" in parts.geturl():
        raise ValueError("must be one address for all services: nothing is replaced in it")
    if _API.search(parts.path):
        raise ValueError("must be the server's address alone: remove /api/v1 and what follows")
    return parts.geturl().rstrip("/")


def _json_url(value: object) -> str:
    parts = _url(value)
    _placeholders(parts.geturl())
    return parts.geturl()


def _file(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise ValueError(f'must be an absolute path: write "/run/secrets/{value}"')
    if not isinstance(value, str) or not re.fullmatch(_FILE, value):
        raise ValueError(
            f"must be an absolute path such as /run/secrets/token, not {units.shown(value)}"
        )
    return value


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


MetricName = Annotated[
    str,
    BeforeValidator(
        text(_NAME, "a metric's name", "at most 63 letters, digits and _, no digit in front")
    ),
    _schema(_NAME, "queue"),
]
Query = Annotated[
    str, BeforeValidator(_long_text("a PromQL query")), _schema(r"\S", "sum(queue_length)")
]
Expression = Annotated[
    str, BeforeValidator(_long_text("a formula")), _schema(r"\S", "max(queue, lag) / 2")
]
JsonPath = Annotated[str, BeforeValidator(_path), _schema(r"", "queues[0].length")]
Address = Annotated[str, BeforeValidator(_address), _schema(_URL, "http://prometheus:9090")]
Url = Annotated[str, BeforeValidator(_json_url), _schema(_URL, "http://queue:8080/stats")]
SecretFile = Annotated[str, BeforeValidator(_file), _schema(_FILE, "/run/secrets/token")]
UserName = Annotated[
    str,
    BeforeValidator(text(_USER, "a user's name", "without blanks and colons")),
    _schema(_USER, "monitor"),
]
ScheduleName = Annotated[
    str,
    BeforeValidator(
        text(_SCHEDULE, "a schedule's name", "at most 63 letters, digits, _ . - with no sign first")
    ),
    _schema(_SCHEDULE, "office-hours"),
]
CronText = Annotated[
    str, BeforeValidator(_long_text("a cron expression")), _schema(r"\S", "0 8 * * mon-fri")
]
Timezone = Annotated[
    str,
    BeforeValidator(text(_ZONE, "a time zone", "a name such as Europe/Berlin or UTC")),
    _schema(_ZONE, "Europe/Berlin"),
]
