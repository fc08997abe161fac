"""Which services, or which nodes, a rule is about."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.model.node import Node
from monitor.model.service import Service


@dataclass(frozen=True, slots=True)
class Selector:
    """Exact Swarm names and globs, or one stack, or one label; less `exclude`.

    `label` is ("tier", "front"), or ("tier", None) for any value. Names are compared whole:
    the Engine's own name filter matches prefixes, so it is not used.
    """

    names: tuple[str, ...] = ()
    stack: str | None = None
    label: tuple[str, str | None] | None = None
    exclude: tuple[str, ...] = ()

    def matches(self, service: Service) -> bool:
        if any(fnmatchcase(service.name, pattern) for pattern in self.exclude):
            return False
        if self.stack is not None:
            return service.stack == self.stack
        if self.label is not None:
            key, value = self.label
            return key in service.labels and value in (None, service.labels[key])
        return any(fnmatchcase(service.name, pattern) for pattern in self.names)

    @property
    def exact_names(self) -> tuple[str, ...]:
        """The names without wildcards: those a rule's writer expects to exist."""
        return tuple(name for name in self.names if not any(sign in name for sign in "*?["))


@dataclass(frozen=True, slots=True)
class NodeSelector:
    """Host names and globs, or one role (manager, worker), or one label; less `exclude`."""

    names: tuple[str, ...] = ("*",)
    role: str | None = None
    label: tuple[str, str | None] | None = None
    exclude: tuple[str, ...] = ()

    def matches(self, node: Node) -> bool:
        if any(fnmatchcase(node.name, pattern) for pattern in self.exclude):
            return False
        if self.role is not None:
            return node.role == self.role
        if self.label is not None:
            key, value = self.label
            return key in node.labels and value in (None, node.labels[key])
        return any(fnmatchcase(node.name, pattern) for pattern in self.names)
