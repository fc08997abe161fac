"""Secrets and configs that a service's containers are given: each has to be there."""

from monitor.simulate.http.answers import Refused
from monitor.simulate.http.face import Face
from monitor.simulate.state import Spec

_INVALID = "rpc error: code = InvalidArgument desc = "


def check_given(face: Face, spec: Spec) -> None:
    """Raises Refused in managers' words where one is badly named or is not there."""
    container = spec["TaskTemplate"]["ContainerSpec"]
    for word, there in (("secret", face.extras.secrets), ("config", face.store.configs)):
        title = word.title()
        missing = []
        for one in container.get(f"{title}s") or ():
            if word == "config" and "File" not in one and "Runtime" not in one:
                raise Refused(400, "invalid Config: either File or Runtime should be set")
            if not one.get(f"{title}ID") or not one.get(f"{title}Name"):
                raise Refused(400, f"{_INVALID}malformed {word} reference")
            if one[f"{title}ID"] not in there:
                missing.append(str(one[f"{title}Name"]))
        if missing:
            many = "s" if len(missing) > 1 else ""
            raise Refused(400, f"{_INVALID}{word}{many} not found: {', '.join(missing)}")
