"""Structured logs: one JSON object a line on stdout, or readable lines on a terminal."""

import logging
import sys

import structlog

from vaart import __version__

PLAIN = "%(levelname)s %(name)s %(message)s"
"""How libraries that log by the standard way are shown."""


# Frames without their variables: those hold what customers sent.
_TRACEBACK = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(service: str, level: str = "info", *, readable: bool | None = None) -> None:
    """After this every logger of the process writes to stdout. `readable` None: readable on a terminal, else JSON."""
    pretty = sys.stdout.isatty() if readable is None else readable
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if pretty else _TRACEBACK,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service=service, version=__version__)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format=PLAIN, force=True)
