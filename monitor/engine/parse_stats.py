"""`GET /containers/{id}/stats` to Reading."""

from typing import Any

from monitor.engine.raw import Raw, integer, part, parts, ratio, wall_seconds, whole
from monitor.model.usage import Network, Reading
from monitor.ports.errors import BadAnswer, NotFound

_NO_PIDS_LIMIT = 1 << 62  # "max" comes as 2**64 - 1


def parse_stats(raw: Raw, host_memory: int) -> Reading:
    """`host_memory` in bytes: what the Engine gives as limit where there is none.

    A container that does not run gets an answer of zeros whose `read` is the year 1: NotFound.
    Memory keys differ between cgroup v1 and v2 (moby daemon/stats_unix.go, statsV1 and statsV2).
    """
    if wall_seconds(raw, "read") <= 0:
        raise NotFound("the container does not run")
    cpu, memory = part(raw, "cpu_stats"), part(raw, "memory_stats")
    used, throttling = part(cpu, "cpu_usage"), part(cpu, "throttling_data")
    usage = integer(memory, "usage")
    if integer(used, "total_usage") is None or usage is None:
        raise BadAnswer("stats without cpu_usage.total_usage or memory_stats.usage")
    kinds = part(memory, "stats")
    limit = whole(memory, "limit")
    read_bytes, written_bytes = _block_io(part(raw, "blkio_stats"))
    return Reading(
        cpu_seconds=ratio(used, "total_usage"),
        memory_usage=usage,
        working_set=max(0, usage - (_first(kinds, "total_inactive_file", "inactive_file") or 0)),
        cpu_user_seconds=ratio(used, "usage_in_usermode"),
        cpu_system_seconds=ratio(used, "usage_in_kernelmode"),
        cpu_periods=integer(throttling, "periods"),
        cpu_throttled_periods=integer(throttling, "throttled_periods"),
        cpu_throttled_seconds=ratio(throttling, "throttled_time") if throttling else None,
        rss=_first(kinds, "total_rss", "rss", "anon"),
        cache=_first(kinds, "total_cache", "cache", "file"),
        memory_limit=limit if limit > 0 and limit != host_memory else None,
        memory_failures=whole(memory, "failcnt"),  # left out by the daemon when it is zero
        network=_network(raw.get("networks")),
        block_read_bytes=read_bytes,
        block_write_bytes=written_bytes,
        pids=integer(part(raw, "pids_stats"), "current"),
        pids_limit=_pids_limit(part(raw, "pids_stats")),
    )


def _first(raw: Raw, *keys: str) -> int | None:
    return next((value for key in keys if (value := integer(raw, key)) is not None), None)


def _network(raw: Any) -> Network | None:
    # Containers on the host's network have none of their own.
    if not isinstance(raw, dict):
        return None
    cards = [card for card in raw.values() if isinstance(card, dict)]

    def total(key: str) -> int:
        return sum(whole(card, key) for card in cards)

    return Network(
        receive_bytes=total("rx_bytes"),
        receive_packets=total("rx_packets"),
        receive_errors=total("rx_errors"),
        receive_dropped=total("rx_dropped"),
        transmit_bytes=total("tx_bytes"),
        transmit_packets=total("tx_packets"),
        transmit_errors=total("tx_errors"),
        transmit_dropped=total("tx_dropped"),
    )


def _block_io(raw: Raw) -> tuple[int | None, int | None]:
    # null where the cgroup has no io controller; ops are "Read" on v1 and "read" on v2.
    if not isinstance(raw.get("io_service_bytes_recursive"), list):
        return None, None
    entries = parts(raw, "io_service_bytes_recursive")

    def total(op: str) -> int:
        return sum(whole(entry, "value") for entry in entries if _op(entry) == op)

    return total("read"), total("write")


def _op(entry: Raw) -> str:
    op = entry.get("op")
    return op.lower() if isinstance(op, str) else ""


def _pids_limit(raw: Raw) -> int | None:
    limit = whole(raw, "limit")
    return limit if 0 < limit < _NO_PIDS_LIMIT else None
