"""Where engines put the cgroups of containers, below the root of a hierarchy."""

import re
from dataclasses import dataclass

# A container id as the last part of a name: `<id>`, `docker-<id>.scope`, `cri-<id>`.
_ID = re.compile(r"(?:^|[-:])([0-9a-f]{12,64})(?:\.scope)?$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path with `{}` in the place of the container's id, say `system.slice/docker-{}.scope`."""

    parent: str
    prefix: str = ""
    suffix: str = ""

    def path(self, container_id: str) -> str:
        return f"{self.parent}/{self.prefix}{container_id}{self.suffix}".lstrip("/")

    @classmethod
    def of(cls, path: str, container_id: str) -> "Pattern":
        """The pattern behind a path whose last part holds the id."""
        parent, _, name = path.strip("/").rpartition("/")
        prefix, _, suffix = name.partition(container_id)
        return cls(parent, prefix, suffix)


def id_in(name: str) -> str:
    """The container id that a cgroup's name ends in, "" if there is none."""
    found = _ID.search(name)
    return found[1] if found else ""


def patterns(cgroup_parent: str) -> tuple[Pattern, ...]:
    """Where the cgroupfs and the systemd driver put a container with this `CgroupParent`.

    Without one, cgroupfs uses `docker` and systemd `system.slice` (moby daemon/oci_linux.go).
    """
    parent = cgroup_parent.strip("/")
    if not parent:
        return Pattern("docker"), Pattern("system.slice", "docker-", ".scope")
    if parent.endswith(".slice") and "/" not in parent:
        return (Pattern(expand_slice(parent), "docker-", ".scope"), Pattern(parent))
    return (Pattern(parent), Pattern(parent, "docker-", ".scope"))


def expand_slice(name: str) -> str:
    """`a-b.slice` lies in `a.slice/a-b.slice`, as systemd.slice(5) has it."""
    stem = name.removesuffix(".slice")
    parts = stem.split("-")
    if stem == "" or "" in parts:
        return "" if name == "-.slice" else name
    return "/".join("-".join(parts[: i + 1]) + ".slice" for i in range(len(parts)))


def cut_at(path: str, container_id: str) -> str:
    """The path down to the part that names the container, "" if none does.

    The container's first process may have moved itself below it (systemd in a container).
    Parts `..` come from a cgroup namespace that is not the root's: such a path is of no use
    but for its end.
    """
    parts = path.strip("/").split("/")
    for index, part in enumerate(parts):
        if id_in(part) == container_id:
            return "/".join(parts[: index + 1])
    return ""
