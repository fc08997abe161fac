"""`GET /configs` to Config."""

from monitor.engine.raw import Raw, identifier, labels, part, whole
from monitor.model.config import Config


def parse_config(raw: Raw) -> Config:
    """`raw` becomes `Config.raw` as it is; labels that are no strings are left out of `labels`."""
    spec = part(raw, "Spec")
    return Config(
        id=identifier(raw, "ID", "config"),
        name=identifier(spec, "Name", "config"),
        version=whole(part(raw, "Version"), "Index"),
        labels=labels(spec, "Labels"),
        raw=raw,
    )
