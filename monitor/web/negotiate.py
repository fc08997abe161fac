"""What a client accepts: the format and the compression of an exposition."""

from collections.abc import Iterator


def _weights(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """(name, parameters, weight) of each item of an Accept header; bad weights count as 0."""
    for item in header.split(","):
        name, *rest = (part.strip() for part in item.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        try:
            weight = float(parameters.pop("q", "1"))
        except ValueError:
            weight = 0.0
        if name:
            yield name.lower(), parameters, weight


def wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics 1.0 (or 0.0.1, or any) is liked at least as much as plain text."""
    openmetrics, text = 0.0, 0.0
    for name, parameters, weight in _weights(accept):
        if name == "application/openmetrics-text":
            if parameters.get("version", "1.0.0") in ("1.0.0", "0.0.1"):
                openmetrics = max(openmetrics, weight)
        elif name in ("text/plain", "text/*"):
            text = max(text, weight)
    return openmetrics > 0 and openmetrics >= text


def wants_gzip(accept_encoding: str) -> bool:
    weights = {name: weight for name, _, weight in _weights(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0
