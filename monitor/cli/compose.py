"""A compose file as text in which replica counts are changed and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml


class ComposeError(ValueError):
    """The file cannot be used; `str()` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces `text[start:end]`; positions count characters."""

    start: int
    end: int
    text: str


def declared_services(text: str) -> list[str]:
    """The names under `services:`; raises ComposeError."""
    return [key.value for key, _ in _entries(_services(text))]


def stack_name(text: str) -> str | None:
    """The top-level `name:` of the file, if it has one."""
    for key, value in _entries(_root(text)):
        if key.value == "name" and isinstance(value, yaml.ScalarNode):
            return str(value.value)
    return None


def with_replicas(text: str, counts: Mapping[str, int]) -> tuple[str, list[str]]:
    """The text with `deploy.replicas` of each service in `counts` set, and a note per change.

    Raises ComposeError, also where the edited text would say anything else than that.
    """
    edits, notes = [], []
    for key, service in _entries(_services(text)):
        if key.value not in counts or _declared_mode(service) == "global":
            continue
        wanted = counts[key.value]
        before, edit = _edit_of(text, key, service, wanted)
        if before == str(wanted):
            continue
        edits.append(edit)
        notes.append(f"{key.value}: {before} -> {wanted} replicas, as it runs now")
    changed = _applied(text, edits)
    _prove(text, changed, counts)
    return changed, notes


def _root(text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ComposeError(f"not YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ComposeError("not a compose file: it has no services")
    return root


def _services(text: str) -> yaml.MappingNode:
    found = _value(_root(text), "services")
    if not isinstance(found, yaml.MappingNode):
        raise ComposeError("not a compose file: it has no services")
    return found


def _entries(node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key, value


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    return next((value for key, value in _entries(node) if key.value == name), None)


def _declared_mode(service: yaml.Node) -> str | None:
    deploy = _value(service, "deploy")
    mode = None if deploy is None else _value(deploy, "mode")
    return str(mode.value) if isinstance(mode, yaml.ScalarNode) else None


def _edit_of(text: str, key: yaml.ScalarNode, service: yaml.Node, wanted: int) -> tuple[str, Edit]:
    """The count that stands there (1 where none does) and the edit that replaces it."""
    if not isinstance(service, yaml.MappingNode) or _is_elsewhere(key, service):
        raise ComposeError(
            f"service {key.value} is not written out where it stands: give it a deploy of its own"
        )
    deploy_key = next((k for k, _ in _entries(service) if k.value == "deploy"), None)
    deploy = _value(service, "deploy")
    if deploy_key is None or deploy is None:
        return "1", _insert(text, service, f"deploy: {{replicas: {wanted}}}")
    if _is_elsewhere(deploy_key, deploy):
        start = text.index("*", deploy_key.end_mark.index)
        end = start + 1
        while end < len(text) and not (text[end].isspace() or text[end] in ",}]"):
            end += 1
        replicas = _value(deploy, "replicas")
        before = replicas.value if isinstance(replicas, yaml.ScalarNode) else "1"
        return before, Edit(start, end, f"{{<<: {text[start:end]} , replicas: {wanted}}}")
    replicas = _value(deploy, "replicas")
    if isinstance(replicas, yaml.ScalarNode):
        start, end = replicas.start_mark.index, replicas.end_mark.index
        return str(replicas.value), Edit(start, end, str(wanted))
    if isinstance(deploy, yaml.MappingNode):
        return "1", _insert(text, deploy, f"replicas: {wanted}")
    start, end = deploy_key.end_mark.index, deploy.end_mark.index
    return "1", Edit(start, end, f": {{replicas: {wanted}}}")


def _is_elsewhere(key: yaml.ScalarNode, value: yaml.Node) -> bool:
    """Whether the value is an alias: its node stands before its key, at its anchor."""
    return bool(value.start_mark.index < key.start_mark.index)


def _insert(text: str, mapping: yaml.MappingNode, entry: str) -> Edit:
    """Adds an entry as the first of a mapping, in the mapping's own style."""
    start = mapping.start_mark.index
    if mapping.flow_style:
        comma = ", " if mapping.value else ""
        return Edit(start + 1, start + 1, f"{entry}{comma}")
    first = mapping.value[0][0].start_mark
    indent = " " * first.column
    return Edit(first.index, first.index, f"{entry}\n{indent}")


def _applied(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _prove(before: str, after: str, counts: Mapping[str, int]) -> None:
    """The two texts must say the same but for the counts."""
    old, new = yaml.safe_load(before), yaml.safe_load(after)
    for document in (old, new):
        for name in counts:
            _forget_replicas(document["services"].get(name))
    for name, wanted in counts.items():
        service = yaml.safe_load(after)["services"].get(name) or {}
        deploy = service.get("deploy") or {}
        if deploy.get("mode") != "global" and deploy.get("replicas", 1) != wanted:
            raise ComposeError(f"the replicas of {name} could not be set; set them by hand")
    if old != new:
        raise ComposeError("changing the counts would change more; set them by hand")


def _forget_replicas(service: Any) -> None:
    if not isinstance(service, dict):
        return
    deploy = service.get("deploy")
    if isinstance(deploy, dict):
        deploy = {key: value for key, value in deploy.items() if key != "replicas"}
        service["deploy"] = deploy
    if not deploy:
        service.pop("deploy", None)
