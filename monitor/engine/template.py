"""The fingerprint by which a task can be told to run its service's present spec."""

import hashlib
import json

from monitor.engine.raw import Raw

_NOT_COMPARED = frozenset({"Runtime", "Placement"})


def template(task_spec: Raw) -> str:
    """16 hex digits of a service's `Spec.TaskTemplate` or a task's `Spec`; equal: same spec.

    As a manager sees it, that replaces a task once the two differ (`IsTaskDirty`, swarmkit
    manager/orchestrator/task.go), with what real engines do:

    - It tells an empty part from an absent one (`Init: false` from no `Init` replaces every
      task), so nothing is dropped as empty. The daemon writes both from the same type.
    - `Runtime` is put into the service's alone (moby daemon/cluster/convert/service.go).
    - A change of `Placement` alone leaves a task as it is where its node still fits. Such a task
      bears the old placement for good, so placement is not compared: a rollout that only moves
      tasks is known by the service's update status alone.
    """
    return _digest(task_spec, _NOT_COMPARED)


def deploy(task_spec: Raw) -> str:
    """16 hex digits of a service's `Spec.TaskTemplate`; equal: nothing but a restart between."""
    return _digest(task_spec, frozenset({"ForceUpdate"}))


def _digest(task_spec: Raw, without: frozenset[str]) -> str:
    compared = {key: value for key, value in task_spec.items() if key not in without}
    canonical = json.dumps(compared, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
