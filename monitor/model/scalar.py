"""Metrics that are one number for a whole service: where it comes from and how it is judged."""

from dataclasses import dataclass
from enum import StrEnum


class Per(StrEnum):
    """replica: the number is shared by the replicas, `ceil(value / target)` are wanted.

    total: the number is a level of the whole, replicas grow by `value / target`.
    """

    REPLICA = "replica"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Names of files that hold secrets; they are read when used and never shown."""

    bearer_token_file: str | None = None
    username: str | None = None
    password_file: str | None = None


NO_CREDENTIALS = Credentials()


@dataclass(frozen=True, slots=True)
class PrometheusQuery:
    """An instant query; `address` None is the agent's own default server.

    `$service`, `$stack` and `$rule` in the query are replaced before it is asked.
    empty_is: what an empty result means; None: the metric fails.
    """

    query: str
    address: str | None = None
    credentials: Credentials = NO_CREDENTIALS
    timeout: float = 5.0
    interval: float = 10.0
    empty_is: float | None = None


@dataclass(frozen=True, slots=True)
class JsonUrl:
    """A number in the JSON that `url` answers, at `path` such as `queues[0].length`.

    `$service`, `$stack` and `$rule` in the URL are replaced before it is asked.
    """

    url: str
    path: str
    credentials: Credentials = NO_CREDENTIALS
    timeout: float = 5.0
    interval: float = 10.0


@dataclass(frozen=True, slots=True)
class TasksPending:
    """How many tasks of the service wait for a node."""


@dataclass(frozen=True, slots=True)
class Formula:
    """An arithmetic expression over the names of other metrics of the rule."""

    expression: str


NumberSource = PrometheusQuery | JsonUrl | TasksPending | Formula


@dataclass(frozen=True, slots=True)
class ScalarMetric:
    """target: None where the number is only an input of a formula.

    activation: with `min: 0`, a number above it wakes the service; at or below it the service
    may sleep.
    """

    name: str
    source: NumberSource
    target: float | None
    per: Per = Per.REPLICA
    activation: float = 0.0


@dataclass(frozen=True, slots=True)
class Number:
    """What a source last said. `value` None: it failed, and `problem` is one sentence on why.

    age: seconds since it was read, by this agent's clock.
    """

    value: float | None
    age: float
    problem: str = ""
