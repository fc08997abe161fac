"""Logs: readable lines for a terminal, JSON for machines."""

import logging
import sys
from typing import TextIO

import structlog

FORMATS = ("console", "json")
LEVELS = ("debug", "info", "warning", "error")


def configure_logs(
    log_format: str | None, level: str = "info", stream: TextIO = sys.stderr
) -> None:
    """log_format: `console`, `json`, or None: console on a terminal, else JSON.

    Logs go to standard error; standard output is for what a command was asked for.
    """
    console = stream.isatty() if log_format is None else log_format == "console"
    renderer: structlog.typing.Processor
    if console:
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=40)
    else:
        renderer = structlog.processors.JSONRenderer()
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not console:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
