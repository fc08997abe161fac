"""`pause` and `resume`: hands off a service, a rule or everything, and on again."""

import difflib
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.cli.client import AskError, Call, ask, call
from monitor.cli.token import operator_token

_PATH = "/api/v1/pauses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a person named: at most one of these; `name` is a service or a rule."""

    name: str | None = None
    service: str | None = None
    rule: str | None = None
    everything: bool = False

    @property
    def count(self) -> int:
        named = sum(text is not None for text in (self.name, self.service, self.rule))
        return named + self.everything


class TargetError(ValueError):
    """What was named is not one thing; `str()` says what to write."""


def run_pause(
    agent: str, target: Target, *, for_: str | None, note: str, token_file: Path | None
) -> int:
    """Prints one sentence. Exit code: 0; 1 the agent said no; 2 the target is not one thing."""

    def pausing() -> Any:
        body: dict[str, Any] = dict(_scope(target, lambda: _known(agent)))
        body |= {"for": for_, "note": note, "by": whoami()}
        token = operator_token(token_file)
        return call(agent, Call(path=_PATH, method="POST", body=body, token=token))

    return _said("pause", target, pausing)


def run_resume(agent: str, target: Target, *, token_file: Path | None) -> int:
    """As `run_pause`. A bare name is looked up among the pauses: the rule may be gone by now."""

    def resuming() -> Any:
        scope = _scope(target, lambda: _paused(agent))
        params = {key: "true" if value is True else str(value) for key, value in scope.items()}
        token = operator_token(token_file)
        return call(agent, Call(path=_PATH, method="DELETE", params=params, token=token))

    return _said("resume", target, resuming)


def _said(command: str, target: Target, action: Callable[[], Any]) -> int:
    try:
        print(f"{action()['sentence']}.")
    except TargetError as error:
        print(f"swarm-monitor {command}: {error}", file=sys.stderr)
        return 2
    except AskError as error:
        print(f"swarm-monitor {command}: {error}", file=sys.stderr)
        return 1
    return 0


@dataclass(frozen=True, slots=True)
class _Names:
    services: Sequence[str]
    rules: Sequence[str]
    none_such: str


def _known(agent: str) -> _Names:
    status = ask(agent, "/api/v1/status")
    services = [service["name"] for service in status["services"]]
    rules = [rule["name"] for rule in status["rules"]]
    return _Names(services, rules, "there is no service and no rule {}")


def _paused(agent: str) -> _Names:
    pauses = ask(agent, _PATH)
    services = [pause["name"] for pause in pauses if pause["scope"] == "service"]
    rules = [pause["name"] for pause in pauses if pause["scope"] == "rule"]
    return _Names(services, rules, "no service and no rule {} is paused")


def _scope(target: Target, names: Callable[[], _Names]) -> dict[str, str | bool]:
    """`service`, `rule` or `all`, as the API takes them. Raises TargetError, AskError."""
    if target.count != 1:
        raise TargetError("name one service or rule, or write --all")
    if target.everything:
        return {"all": True}
    if target.service is not None:
        return {"service": target.service}
    if target.rule is not None:
        return {"rule": target.rule}
    assert target.name is not None
    found, name = names(), target.name
    if name in found.services and name in found.rules:
        raise TargetError(
            f"{name} is the name of a service and of a rule: write --service {name} "
            f"or --rule {name}"
        )
    if name in found.services:
        return {"service": name}
    if name in found.rules:
        return {"rule": name}
    known = sorted({*found.services, *found.rules})
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f": did you mean {' or '.join(close)}?" if close else ""
    raise AskError(found.none_such.format(repr(name)) + hint)


def whoami() -> str:
    """`ann@laptop`, to be shown with the pause."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = str(os.getuid())
    text = f"{user}@{os.uname().nodename}"[:200]
    return text if text.isprintable() else ""
