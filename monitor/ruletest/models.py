"""A file of rule tests as it is written."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from monitor.model.decision import ACTION_NAMES
from monitor.model.node import Availability
from monitor.model.reason import Reason
from monitor.rulefile import units
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import (
    Cores,
    Interval,
    Many,
    Replicas,
    RuleName,
    StackName,
    choice,
    text,
)
from monitor.ruletest.series import parse_series

LONGEST = 30 * 86400.0


def _offset(value: object) -> float:
    seconds = units.seconds(value)
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"must be from 0s to 30d after the start, not {value}")
    return seconds


def _size(value: object) -> int:
    return int(units.size(value))


def _moment(value: object) -> float:
    """Wall seconds of an RFC 3339 moment with its zone."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f'must be a moment such as "2026-03-02T08:00:00Z", not {value}')
    return moment.timestamp()


def _lasting(value: object) -> float:
    seconds = units.seconds(value)
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"must be more than 0s and at most 30d, not {value}")
    return seconds


Offset = Annotated[float, BeforeValidator(_offset)]
Lasting = Annotated[float, BeforeValidator(_lasting)]
Size = Annotated[int, BeforeValidator(_size)]
Moment = Annotated[float, BeforeValidator(_moment)]
Word = Annotated[str, BeforeValidator(text(r"^.{1,200}$", "text", "one line"))]
Action = Annotated[
    str,
    BeforeValidator(
        text(
            rf"^({'|'.join(ACTION_NAMES)})$",
            "an action",
            f"{', '.join(ACTION_NAMES[1:])} or none",
        )
    ),
]


class ServiceGiven(Strict):
    """A replicated service that runs when the test starts."""

    EXAMPLE: ClassVar[str] = "{name: web, replicas: 2, cpu_limit: 0.5}"

    name: Word
    replicas: Replicas
    stack: StackName | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    cpu_limit: Cores | None = None
    cpu_reservation: Cores | None = None
    memory_limit: Size | None = None
    memory_reservation: Size | None = None
    start_time: Offset = 1.0
    start_period: Offset | None = None
    fails_after: Lasting | None = None


class NodeGiven(Strict):
    """A worker of this size. joins, leaves: when it comes, and when it goes down with its tasks.

    breaks: when its tasks begin to fail, each within 2 s.
    """

    EXAMPLE: ClassVar[str] = "{name: w1, cpus: 4, memory: 8GiB}"
    MEANT: ClassVar[dict[str, str]] = {"cpu": "cpus", "cores": "cpus"}

    name: Word
    cpus: Cores
    memory: Size
    joins: Offset = 0.0
    leaves: Offset | None = None
    breaks: Offset | None = None
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_order(self) -> "NodeGiven":
        if self.leaves is not None and self.leaves <= self.joins:
            raise Faults(("leaves", "must be later than joins"))
        return self


class DeployGiven(Strict):
    """A deploy of a service: another image, and the replicas that the compose file says.

    fails_after: how long a task of that image runs before it fails; None: for ever.
    """

    EXAMPLE: ClassVar[str] = "{at: 5m, service: web, replicas: 2}"

    at: Offset
    service: Word
    replicas: Replicas
    fails_after: Lasting | None = None


class SeriesGiven(Strict):
    EXAMPLE: ClassVar[str] = """{series: 'cpu{service="web"}', values: '0.1x3 0.4'}"""

    series: Word
    values: str

    @model_validator(mode="after")
    def _readable(self) -> "SeriesGiven":
        try:
            parse_series(self.series, self.values)
        except ValueError as error:
            raise Faults(("", str(error))) from None
        return self


_OF_SERVICES = ("replicas", "at_least", "at_most", "pending", "tasks_on")


class Expected(Strict):
    """What must hold at one moment."""

    EXAMPLE: ClassVar[str] = "{at: 1m, service: web, replicas: 4}"

    at: Offset
    service: Word | None = None
    node: Word | None = None
    rule: RuleName | None = None
    replicas: Replicas | None = None
    at_least: Replicas | None = None
    at_most: Replicas | None = None
    reason: Annotated[Reason, BeforeValidator(choice(Reason))] | None = None
    action: Action | None = None
    writes: Replicas | None = None
    pending: Replicas | None = None
    tasks_on: dict[str, Replicas] | None = None
    availability: Annotated[Availability, BeforeValidator(choice(Availability))] | None = None

    @property
    def subject(self) -> str:
        """The name of the service or node that it is about."""
        return self.service or self.node or ""

    @model_validator(mode="after")
    def _something(self) -> "Expected":
        if (self.service is None) == (self.node is None):
            raise Faults(("", "write either service: or node:, whichever it is about"))
        asked = self.model_dump(exclude={"at", "service", "node", "rule"}, exclude_none=True)
        if not asked:
            known = "replicas, reason, action, writes, pending or tasks_on"
            raise Faults(("", f"expects nothing: write {known}"))
        of_other = _OF_SERVICES if self.node is not None else ("availability",)
        wrong = next((name for name in of_other if name in asked), None)
        if wrong is not None:
            what = "node" if self.node is not None else "service"
            raise Faults((wrong, f"a {what} has none: remove it"))
        return self


class RuleTest(Strict):
    EXAMPLE: ClassVar[str] = "{name: ..., services: [...], series: [...], expect: [...]}"
    MEANT: ClassVar[dict[str, str]] = {"input_series": "series", "expectations": "expect"}

    name: Word
    start: Moment | None = None
    interval: Interval = 15.0
    services: Many[ServiceGiven]
    nodes: Many[NodeGiven] = Field(default=(), min_length=1)
    deploys: Many[DeployGiven] = ()
    series: Many[SeriesGiven] = ()
    expect: Many[Expected]

    @model_validator(mode="after")
    def _known_services(self) -> "RuleTest":
        known = {service.name for service in self.services}
        faults: list[tuple[tuple[str | int, ...], str]] = [
            (("expect", index, "service"), f"no service of this test is named {expected.service}")
            for index, expected in enumerate(self.expect)
            if expected.service is not None and expected.service not in known
        ]
        faults += [
            (("deploys", index, "service"), f"no service of this test is named {deploy.service}")
            for index, deploy in enumerate(self.deploys)
            if deploy.service not in known
        ]
        names = [node.name for node in self.nodes]
        faults += [
            (("nodes", index, "name"), f"another node of this test is named {name}")
            for index, name in enumerate(names)
            if name in names[:index]
        ]
        faults += [
            (("expect", index, "tasks_on"), f"no node of this test is named {name}")
            for index, expected in enumerate(self.expect)
            for name in expected.tasks_on or ()
            if name not in names
        ]
        for index, given in enumerate(self.series):
            series = parse_series(given.series, given.values)
            if series.service not in known and not series.node:
                text = f"no service of this test is named {series.service}"
                faults.append((("series", index, "series"), text))
            elif series.node and series.node not in names:
                text = f"no node of this test is named {series.node}"
                faults.append((("series", index, "series"), text))
        faults += [
            (("expect", index, "node"), f"no node of this test is named {expected.node}")
            for index, expected in enumerate(self.expect)
            if expected.node is not None and expected.node not in names
        ]
        if not self.expect:
            faults.append((("expect",), "expects nothing: write at least one expectation"))
        if faults:
            raise Faults(*faults)
        return self


class RuleTestFile(Strict):
    """Tests of the rules in other files."""

    EXAMPLE: ClassVar[str] = '"version: 1", "rules:" with files and "tests:" with a list below'
    MEANT: ClassVar[dict[str, str]] = {"rule_files": "rules"}

    version: Annotated[int, Field(ge=1, le=1)]
    rules: Many[Word]
    tests: Many[RuleTest]
