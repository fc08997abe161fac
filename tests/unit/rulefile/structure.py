"""Just enough of JSON Schema to hold rule files against it.

Scalars arrive as the text that stands in the file, so numbers are judged by their spelling.
"""

import re
from typing import Any


def violations(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None) -> list[str]:
    root = root or schema
    found: list[str] = []
    if "$ref" in schema:
        found += violations(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    for word, wanted in (("anyOf", range(1, 100)), ("oneOf", range(1, 2))):
        if word in schema:
            fitting = sum(not violations(value, option, root) for option in schema[word])
            if fitting not in wanted:
                found.append(f"{word}: {fitting} fit {value!r}")
    match schema.get("type"):
        case "object":
            found += _object(value, schema, root)
        case "array":
            found += _array(value, schema, root)
        case "string":
            if not isinstance(value, str) or not re.search(schema.get("pattern", ""), value):
                found.append(f"{value!r} is not {schema.get('pattern')}")
        case "integer" | "number":
            if not isinstance(value, str) or not re.fullmatch(r"[0-9.]+", value):
                found.append(f"{value!r} is no number")
        case None if "required" in schema and isinstance(value, dict):
            found += [f"{name} is missing" for name in schema["required"] if name not in value]
    if "const" in schema and value != schema["const"]:
        found.append(f"{value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{value!r} is none of {schema['enum']}")
    return found


def _object(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{value!r} is no mapping"]
    found = [f"{name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, item in value.items():
        if name not in schema["properties"]:
            found.append(f"{name} is unknown")
        else:
            found += violations(item, schema["properties"][name], root)
    return found


def _array(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    if not isinstance(value, list):
        return [f"{value!r} is no list"]
    found = [f"only {len(value)} items"] if len(value) < schema.get("minItems", 0) else []
    for item in value:
        found += violations(item, schema["items"], root)
    return found
