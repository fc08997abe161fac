"""Whether two specs say the same, whatever their spelling."""

import hashlib
import json
from typing import Any


def without_empties(value: Any) -> Any:
    """`value` less every null, false, zero and empty part, recursively.

    The Engine API leaves such parts out or spells them in several ways (absent, null, [], 0),
    all with one meaning.
    """
    if isinstance(value, dict):
        kept = {key: without_empties(part) for key, part in value.items()}
        return {key: part for key, part in kept.items() if part or part is True}
    if isinstance(value, list):
        return [without_empties(part) for part in value]
    return value


def fingerprint(spec: Any) -> str:
    """16 hex digits, equal for specs of equal meaning. `spec` is raw JSON of the Engine API."""
    canonical = json.dumps(without_empties(spec), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
