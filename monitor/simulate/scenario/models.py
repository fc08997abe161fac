"""A scenario as it is written."""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from monitor.rulefile import units
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import Cores, Many, Replicas, text

_LONGEST = 366 * 86400.0


def _duration(low: float) -> Any:
    def check(value: object) -> float:
        seconds = units.seconds(value)
        if not low <= seconds <= _LONGEST:
            raise ValueError(f"must be from {low:g}s to 366d, not {value}")
        return seconds

    return BeforeValidator(check)


def _demand(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
        raise ValueError(f"must be cores such as 0.5, 0 or more, not {units.shown(value)}")
    return float(value)


def _size(value: object) -> int:
    return int(units.size(value))


def _constant(value: object) -> object:
    """A bare number or size is a curve as well."""
    return value if isinstance(value, dict) else {"constant": value}


_NAME = r"[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?"
Name = Annotated[
    str, BeforeValidator(text(rf"^{_NAME}$", "a name", "at most 63 letters, digits, - and _"))
]
Line = Annotated[str, BeforeValidator(text(r"^.{1,500}$", "text", "one line"))]
Offset = Annotated[float, _duration(0)]
Lasting = Annotated[float, _duration(0.1)]
Demand = Annotated[float, BeforeValidator(_demand)]
Size = Annotated[int, BeforeValidator(_size)]


CpuTime = Annotated[float, _duration(0.0001)]


def _check_order(times: list[float]) -> None:
    if times != sorted(set(times)):
        raise Faults(("steps", "must be in order of time, each later than the one before"))


def _check_one(curve: Strict) -> None:
    if len(curve.model_fields_set) != 1:
        raise Faults(("", "write one of constant, step, ramp, daily, burst, trace"))


class Step(Strict):
    EXAMPLE: ClassVar[str] = "{at: 1m, cores: 2}"

    at: Offset
    cores: Demand

    @property
    def height(self) -> float:
        return self.cores


class Steps(Strict):
    EXAMPLE: ClassVar[str] = "{steps: [{at: 0s, cores: 0.2}, {at: 1m, cores: 2}], repeat: 3m}"

    steps: Many[Step] = Field(min_length=1)
    repeat: Lasting | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Steps":
        _check_order([step.at for step in self.steps])
        return self


class Ramp(Strict):
    EXAMPLE: ClassVar[str] = "{from: 0.1, to: 2, over: 10m}"

    start: Demand = Field(alias="from")
    to: Demand
    over: Lasting


class Daily(Strict):
    """A day may be shorter than 24 hours: `period`."""

    EXAMPLE: ClassVar[str] = "{low: 0.2, high: 2, period: 24h}"

    low: Demand
    high: Demand
    period: Lasting = 86400.0


class Burst(Strict):
    EXAMPLE: ClassVar[str] = "{base: 0.2, peak: 2, every: 5m, for: 30s}"

    base: Demand
    peak: Demand
    every: Lasting
    lasting: Lasting = Field(alias="for")

    @model_validator(mode="after")
    def _fits(self) -> "Burst":
        if self.lasting >= self.every:
            raise Faults(("for", "must be shorter than every"))
        return self


class Trace(Strict):
    """A CSV file with lines `seconds,value`, found beside the scenario."""

    EXAMPLE: ClassVar[str] = "{file: load.csv, repeat: true}"

    file: Line
    repeat: bool = False


class Cpu(Strict):
    """Cores that the service as a whole wants, shared by its tasks: one kind of curve."""

    EXAMPLE: ClassVar[str] = "0.5, or {daily: {low: 0.2, high: 2}}"

    constant: Demand | None = None
    step: Steps | None = None
    ramp: Ramp | None = None
    daily: Daily | None = None
    burst: Burst | None = None
    trace: Trace | None = None

    @model_validator(mode="after")
    def _one(self) -> "Cpu":
        _check_one(self)
        return self


class RateStep(Strict):
    EXAMPLE: ClassVar[str] = "{at: 1m, rate: 200}"

    at: Offset
    rate: Demand

    @property
    def height(self) -> float:
        return self.rate


class RateSteps(Strict):
    EXAMPLE: ClassVar[str] = "{steps: [{at: 0s, rate: 20}, {at: 1m, rate: 200}], repeat: 3m}"

    steps: Many[RateStep] = Field(min_length=1)
    repeat: Lasting | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "RateSteps":
        _check_order([step.at for step in self.steps])
        return self


class Rate(Strict):
    """Requests per second to the service as a whole: one kind of curve, as of `cpu`."""

    EXAMPLE: ClassVar[str] = "50, or {daily: {low: 20, high: 200}}"

    constant: Demand | None = None
    step: RateSteps | None = None
    ramp: Ramp | None = None
    daily: Daily | None = None
    burst: Burst | None = None
    trace: Trace | None = None

    @model_validator(mode="after")
    def _one(self) -> "Rate":
        _check_one(self)
        return self


class Requests(Strict):
    """What comes to the service, and what each request takes: CPU, queue and latency follow.

    cpu: CPU time of a request. wait: time that it takes besides. queue: how many may wait; more
    are refused. memory: what each adds to its task while it is there.
    """

    EXAMPLE: ClassVar[str] = "{rate: {daily: {low: 20, high: 200}}, cpu: 10ms}"
    MEANT: ClassVar[dict[str, str]] = {"per_second": "rate", "cpu_seconds": "cpu"}

    rate: Annotated[Rate, BeforeValidator(_constant)]
    cpu: CpuTime
    wait: Offset = 0.0
    queue: Demand = 1000.0
    memory: Size = 0


class Leak(Strict):
    """Each task begins with `start` and grows."""

    EXAMPLE: ClassVar[str] = "{from: 30MiB, per_minute: 5MiB}"

    start: Size = Field(alias="from")
    per_minute: Size


class Memory(Strict):
    """Memory of each task."""

    EXAMPLE: ClassVar[str] = "60MiB, or {leak: {from: 30MiB, per_minute: 5MiB}}"

    constant: Size | None = None
    leak: Leak | None = None

    @model_validator(mode="after")
    def _one(self) -> "Memory":
        if len(self.model_fields_set) != 1:
            raise Faults(("", "write a size such as 60MiB, or leak"))
        return self


class Node(Strict):
    EXAMPLE: ClassVar[str] = "{name: w1, role: worker, cpus: 4, memory: 8GiB}"
    MEANT: ClassVar[dict[str, str]] = {"cpu": "cpus", "cores": "cpus"}

    name: Name
    role: Literal["manager", "worker"] = "worker"
    cpus: Cores = 4.0
    memory: Size = 8 * 1024**3
    labels: dict[str, str] = Field(default_factory=dict)


class Service(Strict):
    """start, stop: how long its containers take for it. exits_after: by itself, with exit_code.

    unhealthy_after: it has a health check, which fails so long after each start.
    """

    EXAMPLE: ClassVar[str] = "{name: web, image: web:1, replicas: 2, cpu: 0.5}"

    name: Name
    image: Line = "app:1"
    mode: Literal["replicated", "global"] = "replicated"
    replicas: Replicas = 1
    labels: dict[str, str] = Field(default_factory=dict)
    constraints: Many[Line] = ()
    cpu_limit: Cores | None = None
    cpu_reservation: Cores | None = None
    memory_limit: Size | None = None
    memory_reservation: Size | None = None
    start: Offset = 0.8
    stop: Offset = 0.2
    exits_after: Lasting | None = None
    unhealthy_after: Lasting | None = None
    exit_code: Annotated[int, Field(ge=0, le=255)] = 1
    cpu: Annotated[Cpu, BeforeValidator(_constant)] = Cpu(constant=0.0)
    requests: Requests | None = None
    memory: Annotated[Memory, BeforeValidator(_constant)] = Memory.model_validate(
        {"constant": "20MiB"}
    )

    @model_validator(mode="after")
    def _constraints(self) -> "Service":
        for index, constraint in enumerate(self.constraints):
            if not re.fullmatch(r"\s*[\w.-]+\s*(==|!=)\s*\S+\s*", constraint):
                raise Faults((("constraints", index), 'write as in "node.role == worker"'))
        return self

    @model_validator(mode="after")
    def _load(self) -> "Service":
        if self.requests is not None and "cpu" in self.model_fields_set:
            raise Faults(("requests", "its CPU follows from requests: leave out cpu, or requests"))
        return self

    @property
    def curve(self) -> Cpu | Rate:
        """Cores, or requests per second where the service has `requests`."""
        return self.cpu if self.requests is None else self.requests.rate


class Happening(Strict):
    """Something that befalls the Swarm once, `at` so long after the start."""

    EXAMPLE: ClassVar[str] = "{at: 2m, node_down: w1}, or {at: 3m, deploy: web, image: web:2}"
    KINDS: ClassVar[tuple[str, ...]] = ("node_down", "node_ready", "drain", "activate", "deploy")

    at: Offset
    node_down: Name | None = None
    node_ready: Name | None = None
    drain: Name | None = None
    activate: Name | None = None
    deploy: Name | None = None
    image: Line | None = None

    @model_validator(mode="after")
    def _one(self) -> "Happening":
        if sum(getattr(self, kind) is not None for kind in self.KINDS) != 1:
            raise Faults(("", f"write one of {', '.join(self.KINDS)}"))
        if (self.deploy is None) != (self.image is None):
            raise Faults(("", "deploy and image belong together"))
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in self.KINDS if getattr(self, kind) is not None)

    @property
    def whom(self) -> str:
        """The node's or the service's name."""
        return str(getattr(self, self.kind))


class Scenario(Strict):
    """nodes: a list of them; left out, as many as the command is told, or five."""

    EXAMPLE: ClassVar[str] = '"version: 1" and "services:" with a list below'

    version: Annotated[int, Field(ge=1, le=1)]
    seed: int = 0
    nodes: Many[Node] = ()
    services: Many[Service] = ()
    happens: Many[Happening] = ()

    @model_validator(mode="after")
    def _names(self) -> "Scenario":
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for part, items in (("nodes", self.nodes), ("services", self.services)):
            names = [item.name for item in items]
            faults += [
                ((part, index, "name"), f"another one is named {name}")
                for index, name in enumerate(names)
                if name in names[:index]
            ]
        if self.nodes and not any(node.role == "manager" for node in self.nodes):
            faults.append((("nodes",), "a Swarm needs a manager: give one node role: manager"))
        services = {service.name for service in self.services}
        nodes = {node.name for node in self.nodes}
        for index, one in enumerate(self.happens):
            known = services if one.kind == "deploy" else nodes
            what = "service" if one.kind == "deploy" else "node"
            if (nodes or one.kind == "deploy") and one.whom not in known:
                faults.append((("happens", index, one.kind), f"no {what} is named {one.whom}"))
        if faults:
            raise Faults(*faults)
        return self


def beside(scenario: Path | None, file: str) -> Path:
    """Where a file that a scenario names is."""
    return (scenario.parent if scenario else Path()) / file
