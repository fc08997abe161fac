"""Reads a trace, whatever it is kept in."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from monitor.replay.read_csv import read_csv
from monitor.replay.read_prometheus import read_prometheus
from monitor.replay.trace import Trace

MOST_BYTES = 200 * 1024 * 1024
"""Unpacked: some years of minutes with many columns."""

_GZIP = b"\x1f\x8b"


def read_trace(path: Path, columns: Sequence[str] = ()) -> Trace:
    """A CSV file or a Prometheus answer, packed by gzip or not; raises ValueError.

    columns: which of several values, see `read_csv` and `read_prometheus`.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{path} cannot be read: {words}") from None
    if len(data) > MOST_BYTES:
        raise ValueError(f"{path} is larger than 200 MiB: cut out what is to be replayed")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text: write a CSV file or Prometheus' JSON") from None
    if text.lstrip()[:1] in ("{", "["):
        return read_prometheus(str(path), text, columns)
    return read_csv(str(path), text, columns)
