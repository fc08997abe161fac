"""Metrics of a scale rule that are one number for the whole service."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from monitor.model.scalar import Per
from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import Interval, Timeout, choice
from monitor.rulefile.numbers import Number, Target
from monitor.rulefile.texts import (
    Address,
    Expression,
    JsonPath,
    Query,
    SecretFile,
    Url,
    UserName,
)
from monitor.rulefile.usage_metrics import NO_TARGET, MetricModel

_ONE_AUTH = "write bearer_token_file alone, or username and password_file"


class AuthModel(Strict):
    """Secrets to show to the server; each is read from its file when it is used."""

    EXAMPLE: ClassVar[str] = "{bearer_token_file: /run/secrets/token}"
    MEANT: ClassVar[dict[str, str]] = {
        "token": "bearer_token_file",
        "bearer_token": "bearer_token_file",
        "bearer": "bearer_token_file",
        "password": "password_file",
        "user": "username",
    }

    bearer_token_file: SecretFile | None = Field(
        default=None,
        description="Absolute path of a file that holds a bearer token.",
        examples=["/run/secrets/prometheus-token"],
    )
    username: UserName | None = Field(
        default=None,
        description="The user's name, with password_file.",
        examples=["monitor"],
    )
    password_file: SecretFile | None = Field(
        default=None,
        description="Absolute path of a file that holds the password.",
        examples=["/run/secrets/prometheus-password"],
    )

    @model_validator(mode="after")
    def _one(self) -> "AuthModel":
        basic = (self.username, self.password_file)
        if self.bearer_token_file is not None and basic != (None, None):
            raise Faults(("bearer_token_file", _ONE_AUTH))
        if self.bearer_token_file is None and None in basic:
            raise Faults(("", _ONE_AUTH))
        return self


class Asking(Strict):
    """How a server is asked for a number."""

    timeout: Timeout = Field(
        default=5.0,
        description="How long an answer may take, 100ms to 1m.",
        examples=["5s"],
        json_schema_extra={"default": "5s"},
    )
    interval: Interval = Field(
        default=10.0,
        description="How often the server is asked, 1s to 1h.",
        examples=["10s"],
        json_schema_extra={"default": "10s"},
    )
    auth: AuthModel | None = Field(
        default=None,
        description="Secrets to show to the server.",
        examples=[{"bearer_token_file": "/run/secrets/token"}],
    )


class NumberMetricModel(MetricModel):
    """What metrics that are one number have in common."""

    target: Target | None = Field(
        default=None,
        description="What the number should be, for each replica or in total; without it the "
        "number is only an input of a formula.",
        examples=[100],
    )
    per: Annotated[Per, BeforeValidator(choice(Per))] = Field(
        default=Per.REPLICA,
        description="replica: the number is shared by the replicas, number / target are wanted; "
        "total: the number is a level of the whole, replicas grow by number / target.",
        examples=["replica"],
        json_schema_extra={"default": "replica"},
    )
    activation: Number = Field(
        default=0.0,
        description="With min: 0, a number above this wakes the service; at or below it the "
        "service may sleep.",
        examples=[5],
        json_schema_extra={"default": 0},
    )

    @model_validator(mode="after")
    def _target_of(self) -> "NumberMetricModel":
        if self.target is None and (given := self.model_fields_set & {"per", "activation"}):
            field = min(given)
            raise Faults((field, NO_TARGET))
        return self


class AskedModel(Asking, NumberMetricModel):
    """What metrics have in common that a server is asked for."""


class PrometheusModel(AskedModel):
    """The answer of a Prometheus server to an instant query."""

    EXAMPLE: ClassVar[str] = "{type: prometheus, query: 'sum(queue_length)', target: 100}"
    MEANT: ClassVar[dict[str, str]] = {
        **MetricModel.MEANT,
        "url": "address",
        "serverAddress": "address",
        "server": "address",
        "expr": "query",
        "promql": "query",
        "ignoreNullValues": "empty_is",
        "metricType": "per",
    }

    type: Literal["prometheus"] = Field(
        description="An instant query to a Prometheus server.", examples=["prometheus"]
    )
    query: Query = Field(
        description="PromQL whose result is one number; $service, $stack and $rule are replaced.",
        examples=['sum(rate(http_requests_total{job="$service"}[1m]))'],
    )
    address: Address | None = Field(
        default=None,
        description="The server's URL; default: the agent's own Prometheus server.",
        examples=["http://prometheus:9090"],
    )
    empty_is: Number | None = Field(
        default=None,
        description="What an empty result means; without it the metric fails then.",
        examples=[0],
    )


class HttpModel(AskedModel):
    """A number in the JSON that a URL answers with."""

    EXAMPLE: ClassVar[str] = "{type: http, url: 'http://queue/stats', path: length, target: 100}"
    MEANT: ClassVar[dict[str, str]] = {
        **MetricModel.MEANT,
        "valueLocation": "path",
        "jsonpath": "path",
        "json_path": "path",
        "address": "url",
    }

    type: Literal["http"] = Field(
        description="A number in the JSON that a URL answers with.", examples=["http"]
    )
    url: Url = Field(
        description="Asked with GET; $service, $stack and $rule are replaced.",
        examples=["http://$service:8080/stats"],
    )
    path: JsonPath = Field(
        default="",
        description="Where the number stands in the answer; default: the answer is the number.",
        examples=["queues[0].length"],
    )


class TasksPendingModel(NumberMetricModel):
    """How many tasks of the service wait for a node."""

    EXAMPLE: ClassVar[str] = "{type: tasks_pending, name: waiting}"

    type: Literal["tasks_pending"] = Field(
        description="How many tasks of the service wait for a node.", examples=["tasks_pending"]
    )


class FormulaModel(NumberMetricModel):
    """An arithmetic expression over other metrics of the rule."""

    EXAMPLE: ClassVar[str] = "{type: formula, formula: 'max(queue, lag) / 2', target: 100}"
    MEANT: ClassVar[dict[str, str]] = {**MetricModel.MEANT, "expression": "formula"}

    type: Literal["formula"] = Field(
        description="An arithmetic expression over other metrics of the rule.",
        examples=["formula"],
    )
    formula: Expression = Field(
        description="Numbers, names of other metrics, + - * / and functions.",
        examples=["max(queue, lag) / 2"],
    )

    @model_validator(mode="after")
    def _has_target(self) -> "FormulaModel":
        if self.target is None:
            raise Faults(("", 'target is missing: write for example "target: 100"'))
        return self
