"""The fingerprint by which a task can be told to run its service's present spec."""

import hashlib
import json

from monitor.engine.raw import Raw


def template(task_spec: Raw) -> str:
    """16 hex digits of a service's `Spec.TaskTemplate` or a task's `Spec`; equal: same spec.

    A manager replaces a task once the two differ (`IsTaskDirty`, swarmkit
    manager/orchestrator/task.go), and it tells an empty part from an absent one: a client that
    merely adds `"Placement": {}` makes every task be replaced. So nothing is dropped as empty.
    The daemon writes both from the same type with the same code; `Runtime` alone is put into the
    service's only (moby daemon/cluster/convert/service.go).
    """
    compared = {key: value for key, value in task_spec.items() if key != "Runtime"}
    canonical = json.dumps(compared, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
