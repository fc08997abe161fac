"""Docker labels as Prometheus labels: by allow-list, never all of them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

MAX_LABELS = 50
"""Labels of one object that are exported at most, the first by name."""

_NAME_LIMIT = 128
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_]")


def allowed_labels(
    labels: Mapping[str, str], allowed: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """(name, value) of those labels whose key is in `allowed` or matches a glob there.

    Names are `label_` and the key with `_` for all else than letters and digits. Keys that
    come to the same name get `_conflict1`, `_conflict2` in the order of the keys, as
    kube-state-metrics names them.
    """
    keys = sorted(key for key in labels if any(fnmatchcase(key, item) for item in allowed))
    keys = keys[:MAX_LABELS]
    plain = {key: "label_" + _NOT_ALLOWED.sub("_", key[:_NAME_LIMIT]) for key in keys}
    times = Counter(plain.values())
    taken = {name for name, count in times.items() if count == 1}
    pairs = []
    for key in keys:
        name = plain[key]
        if times[name] > 1:
            number = 1
            while f"{name}_conflict{number}" in taken:
                number += 1
            name = f"{name}_conflict{number}"
            taken.add(name)
        pairs.append((name, labels[key]))
    return tuple(pairs)
