"""`/api/v1/pauses`: what is paused, pausing and resuming."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field, field_validator, model_validator

from monitor.control.pauses import LONGEST
from monitor.model.pause import Pause, PauseScope
from monitor.rulefile.units import seconds
from monitor.web.api import answer
from monitor.web.body import SMALL, Body, body_of
from monitor.web.keys import DOOR, STATE
from monitor.web.present import present_pause
from monitor.web.state import Refused

_ONE = "say one of service, rule and all"


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write one line of printable text")
    return text.strip()


Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=200), AfterValidator(_line)]


class PauseBody(Body):
    """One of service, rule and all; `for` as rule files spell durations, null without an end."""

    service: Name | None = None
    rule: Name | None = None
    all: bool | None = None
    for_: str | None = Field(default=None, alias="for")
    note: Text = ""
    by: Text = ""

    @field_validator("for_")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None and not 1.0 <= seconds(value) <= LONGEST:
            raise ValueError(f"write from 1s to {LONGEST / 86400:.0f}d, not {value}")
        return value

    @field_validator("all")
    @classmethod
    def _true(cls, value: bool | None) -> bool | None:
        if value is False:
            raise ValueError("write true, or leave it out")
        return value

    @model_validator(mode="after")
    def _one(self) -> "PauseBody":
        if sum(value is not None for value in (self.service, self.rule, self.all)) != 1:
            raise ValueError(_ONE)
        return self

    @property
    def scope(self) -> tuple[PauseScope, str]:
        if self.service is not None:
            return PauseScope.SERVICE, self.service
        if self.rule is not None:
            return PauseScope.RULE, self.rule
        return PauseScope.ALL, ""

    @property
    def seconds(self) -> float | None:
        return None if self.for_ is None else seconds(self.for_)


async def pauses(request: web.Request) -> web.Response:
    return answer([present_pause(pause) for pause in request.app[STATE].operations.pauses()])


async def pause(request: web.Request) -> web.Response:
    """{service | rule | all: true, for: "2h" | null, note, by}; answers the pause."""
    await request.app[DOOR].admit(request, "pausing")
    body = await body_of(request, PauseBody, SMALL)
    scope, name = body.scope
    by = body.by or request.remote or ""
    operations = request.app[STATE].operations
    made = await operations.pause(scope, name, body.seconds, note=body.note, by=by)
    return answer(present_pause(made))


async def resume(request: web.Request) -> web.Response:
    """`?service=NAME`, `?rule=NAME` or `?all=true`; answers the pause that was ended."""
    await request.app[DOOR].admit(request, "resuming")
    scope, name = _asked(request)
    operations = request.app[STATE].operations
    ended = await operations.resume(scope, name)
    sentence = f"{ended.what} is not paused any more{_still(operations.pauses(), scope)}"
    return answer(present_pause(ended) | {"sentence": sentence})


def _asked(request: web.Request) -> tuple[PauseScope, str]:
    given = [(scope, request.query[scope]) for scope in PauseScope if scope in request.query]
    if len(given) != 1 or len(request.query) != 1:
        raise Refused(400, f"{_ONE}: ?service=NAME, ?rule=NAME or ?all=true.")
    scope, name = given[0]
    if scope is PauseScope.ALL:
        if name not in ("true", "1", ""):
            raise Refused(400, "Write ?all=true.")
        return scope, ""
    return scope, name


def _still(others: Sequence[Pause], ended: PauseScope) -> str:
    """What a person who resumed something should know of other pauses."""
    if ended is not PauseScope.ALL:
        others = [pause for pause in others if pause.scope is PauseScope.ALL]
    return "".join(f"; but {pause.sentence}" for pause in others[:3])
