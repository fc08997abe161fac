"""Specs as clients send them: checked as far as the model reads them, all else is kept as it is."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.simulate.http.answers import Refused
from monitor.simulate.http.words import check_words
from monitor.simulate.state import Spec

_NAME = re.compile(r"[a-zA-Z0-9]+(?:[a-zA-Z0-9-_]*[a-zA-Z0-9])?")
_KEPT_NAME = re.compile(r"[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?")
_LONGEST_NAME = 63
_INVALID = "rpc error: code = InvalidArgument desc = "
_AFTER_ISOLATION = ("Sysctls", "CapabilityAdd", "CapabilityDrop", "Ulimits", "OomScoreAdj")
NOT_SIMULATED = "this simulated Swarm runs containers alone"


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


Natural = Annotated[int, Field(ge=0)]
Strings = dict[str, str]


class _Amounts(_Part):
    NanoCPUs: int = 0
    MemoryBytes: int = 0


class _Resources(_Part):
    Limits: _Amounts = _Amounts()
    Reservations: _Amounts = _Amounts()


class _Placement(_Part):
    Constraints: list[str] = []
    MaxReplicas: Natural = 0


class _Restart(_Part):
    Condition: str = ""
    Delay: int = 0
    MaxAttempts: Natural = 0
    Window: int = 0


class _Health(_Part):
    Test: list[str] = []
    Interval: int = 0
    Timeout: int = 0
    StartPeriod: int = 0
    Retries: int = 0


class _Container(_Part):
    Image: str = ""
    Healthcheck: _Health = _Health()
    Mounts: list[dict[str, Any]] = []
    Secrets: list[dict[str, Any]] = []
    Configs: list[dict[str, Any]] = []
    Env: list[str] = []
    Labels: Strings = {}


class _Template(_Part):
    ContainerSpec: _Container | None = None
    Resources: _Resources = _Resources()
    Placement: _Placement = _Placement()
    RestartPolicy: _Restart = _Restart()
    Networks: list[dict[str, Any]] = []
    ForceUpdate: Natural = 0
    Runtime: str = ""


class _Replicated(_Part):
    Replicas: Natural = 1


class _Job(_Part):
    MaxConcurrent: Natural = 1
    TotalCompletions: Natural = 1


class _Mode(_Part):
    Replicated: _Replicated | None = None
    Global: _Part | None = None
    ReplicatedJob: _Job | None = None
    GlobalJob: _Part | None = None


class _Update(_Part):
    Parallelism: Natural = 0
    Delay: int = 0
    Monitor: int = 0
    FailureAction: str = "pause"
    MaxFailureRatio: float | int = 0.0
    Order: str = ""


class _Port(_Part):
    PublishedPort: Natural = 0
    TargetPort: Natural = 0


class _Endpoint(_Part):
    Mode: str = ""
    Ports: list[_Port] = []


class _Service(_Part):
    Name: str = ""
    Labels: Strings = {}
    TaskTemplate: _Template = _Template()
    Mode: _Mode = _Mode()
    UpdateConfig: _Update = _Update()
    RollbackConfig: _Update = _Update()
    EndpointSpec: _Endpoint = _Endpoint()


def checked(spec: Spec) -> Spec:
    """The spec as managers keep it; raises Refused with their words where they would not have it.

    What a client leaves out and the API has no default for stays out: a default filled in here
    would make tasks differ from the spec that they were made from.
    """
    try:
        service = _Service.model_validate(spec)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise Refused(400, f"invalid JSON: {place}: {first['msg']}") from None
    template = service.TaskTemplate
    if template.Runtime not in ("", "container", "plugin", "attachment"):
        raise Refused(400, "unsupported runtime")
    if template.ContainerSpec is None:
        other = template.model_extra or {}
        if other.get("PluginSpec") or other.get("NetworkAttachmentSpec"):
            raise Refused(501, NOT_SIMULATED)
    if template.ContainerSpec is None or template.Runtime not in ("", "container"):
        raise Refused(400, "mismatched Runtime and *Spec fields")
    check_name(service.Name)
    check_words(spec)
    raw = _without_empty(spec["TaskTemplate"], "Networks")
    container = _without_empty(raw["ContainerSpec"], "Labels", "Env", "Mounts")
    return {
        **spec,
        "Labels": spec.get("Labels") or {},
        "TaskTemplate": {"ForceUpdate": 0, **raw, "ContainerSpec": container},
        "Mode": _mode(spec.get("Mode") or {}),
    }


def as_told(spec: Spec, had: Spec | None = None) -> Spec:
    """With the words that the daemon puts into each spec it tells, in the places it has them.

    had: the spec before. One that was not made through the API has none of them, and must not
    get them: its tasks would differ from it.
    """
    for part in ("UpdateConfig", "RollbackConfig"):
        if part in spec:
            spec = {**spec, part: _spelled_out(spec[part])}
    if "EndpointSpec" in spec:
        spec = {**spec, "EndpointSpec": {"Mode": "vip", **spec["EndpointSpec"]}}
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    if had is not None and "Runtime" not in had["TaskTemplate"]:
        return spec
    if "Isolation" not in container:
        after = {key: value for key, value in container.items() if key in _AFTER_ISOLATION}
        before = {key: value for key, value in container.items() if key not in after}
        container = {**before, "Isolation": "default", **after}
    told = _restart_told({**template, "ContainerSpec": container})
    return {**spec, "TaskTemplate": {**told, "Runtime": told.get("Runtime") or "container"}}


def _spelled_out(update: Spec) -> Spec:
    said = {
        "Parallelism": update.get("Parallelism", 0),
        "Delay": update.get("Delay"),
        "FailureAction": update.get("FailureAction") or "pause",
        "Monitor": update.get("Monitor"),
        "MaxFailureRatio": update.get("MaxFailureRatio", 0),
        "Order": update.get("Order") or "stop-first",
    }
    return {key: value for key, value in said.items() if value or key not in ("Delay", "Monitor")}


def _restart_told(template: Spec) -> Spec:
    policy = template.get("RestartPolicy")
    if not policy:
        return template
    shown = {key: policy[key] for key in ("Condition", "Delay") if key in policy}
    shown["MaxAttempts"] = policy.get("MaxAttempts", 0)
    return {**template, "RestartPolicy": {**shown, **policy}}


def strings(raw: Any) -> dict[str, str]:
    """Labels or options as strings by strings; None for none."""
    return {str(key): str(value) for key, value in (raw or {}).items()}


def check_name(name: str) -> None:
    """Raises Refused where managers take no such name."""
    if not name:
        raise Refused(400, f"{_INVALID}meta: name must be provided")
    if not _NAME.fullmatch(name):
        raise Refused(400, f"{_INVALID}name must be valid as a DNS name component")
    if len(name) > _LONGEST_NAME:
        raise Refused(400, f"{_INVALID}name must be {_LONGEST_NAME} characters or fewer")


def check_kept_name(name: str) -> None:
    """That of a config or a secret; raises Refused."""
    if not name:
        raise Refused(400, f"{_INVALID}name must be provided")
    if len(name) > _LONGEST_NAME + 1 or not _KEPT_NAME.fullmatch(name):
        raise Refused(
            400,
            f"{_INVALID}invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and "
            "end character must be [a-zA-Z0-9]",
        )


def _mode(mode: Spec) -> Spec:
    if len(mode) > 1:
        raise Refused(400, "must specify only one service mode")
    if not mode:
        return {"Replicated": {"Replicas": 1}}
    if mode.get("Replicated") == {}:
        return {"Replicated": {"Replicas": 1}}
    return mode


def _without_empty(part: Spec, *keys: str) -> Spec:
    return {key: value for key, value in part.items() if value or key not in keys}


def with_defaults(spec: Spec) -> Spec:
    """What `insertDefaults=true` adds to a spec (swarmkit's api/defaults)."""
    update = {
        "Parallelism": 1,
        "FailureAction": "pause",
        "Monitor": 5_000_000_000,
        "MaxFailureRatio": 0,
        "Order": "stop-first",
    }
    restart = {"Condition": "any", "Delay": 5_000_000_000, "MaxAttempts": 0}
    raw = spec["TaskTemplate"]
    container = {"StopGracePeriod": 10_000_000_000, "DNSConfig": {}, **raw["ContainerSpec"]}
    template = {
        "Resources": {},
        "Placement": {},
        **raw,
        "ContainerSpec": container,
        "RestartPolicy": {**restart, **(raw.get("RestartPolicy") or {})},
    }
    return {
        **spec,
        "TaskTemplate": template,
        "UpdateConfig": {**update, **(spec.get("UpdateConfig") or {})},
        "RollbackConfig": {**update, **(spec.get("RollbackConfig") or {})},
    }
