"""What managers check of the words that say how a container runs."""

import re
from typing import Any

from monitor.simulate.http.answers import Refused
from monitor.simulate.state import Spec

_INVALID = "rpc error: code = InvalidArgument desc = "
_LEAST_NS = 1_000_000
_MOUNTS = ("bind", "volume", "tmpfs", "npipe", "cluster")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_STEP = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_IMAGE = re.compile(
    rf"(?:{_DOMAIN}/)?{_STEP}(?:/{_STEP})*(?::{_TAG})?(?:@{_DIGEST})?", flags=re.ASCII
)


def check_container(container: Spec) -> None:
    """Raises Refused, in the order in which the daemon and then the managers look."""
    _check_mounts(container.get("Mounts") or ())
    image = container.get("Image", "")
    if not image:
        raise Refused(400, f"{_INVALID}ContainerSpec: image reference must be provided")
    if not _IMAGE.fullmatch(image):
        raise Refused(400, f'{_INVALID}ContainerSpec: "{image}" is not a valid repository/tag')
    _check_targets(container.get("Mounts") or ())
    _check_health(container.get("Healthcheck") or {})


def _check_mounts(mounts: Any) -> None:
    for mount in mounts:
        kind = mount.get("Type", "")
        if kind not in _MOUNTS:
            raise Refused(400, f'invalid MountType: "{kind}"')


def _check_targets(mounts: Any) -> None:
    seen = set()
    for mount in mounts:
        target = mount.get("Target", "")
        if target in seen:
            raise Refused(400, f"{_INVALID}ContainerSpec: duplicate mount point: {target}")
        seen.add(target)


def _check_health(check: Spec) -> None:
    for key in ("Interval", "Timeout", "StartPeriod"):
        span = check.get(key, 0)
        if span and span < _LEAST_NS:
            raise Refused(
                400, f"{_INVALID}ContainerSpec: {key} in HealthConfig cannot be less than 1ms"
            )
    if check.get("Retries", 0) < 0:
        raise Refused(400, f"{_INVALID}ContainerSpec: Retries in HealthConfig cannot be negative")
