"""The JSON Schema of rule files, for editors that complete and check while one types."""

from typing import Any

from monitor.rulefile.models import RuleFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Draft 2020-12. It knows every field; what fields must go together, `check` tells."""
    schema = _without_null(RuleFile.model_json_schema(by_alias=True))
    return {"$schema": DIALECT, **schema, "title": "swarm-monitor rule file"}


def _without_null(value: Any) -> Any:
    """A field may be left out, but not be empty: the models' `| None` is no value to write."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {
        key: _without_null(item)
        for key, item in value.items()
        if not (key == "default" and item is None) and not (key == "title" and _is_text(item))
    }
    options = [o for o in result.get("anyOf", ()) if o != {"type": "null"}]
    if "anyOf" in result and len(options) == 1:
        del result["anyOf"]
        result = {**options[0], **result}
    elif options:
        result["anyOf"] = options
    return result


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
