"""Structured logs: one JSON object a line on stdout, or readable lines on a terminal; what libraries say, too."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from vaart import __version__

LIBRARY_EVENT = "library_log"
"""The event of every line that a library logs; what it says stands under `text`."""
TEXT_MAX = 1_000
EXPECTED = {
    ("aiokafka.consumer.group_coordinator", "Heartbeat failed for group %s because it is rebalancing"),
}
"""Warnings, by logger and words, of what is a part of everyday life."""

REPEAT_S = 10.0
KINDS_MAX = 1_000

# Frames without their variables: those hold what customers sent.
_TRACEBACK = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(service: str, level: str = "info", *, instance: str = "", readable: bool | None = None) -> None:
    """After this every logger of the process writes to stdout. `readable` None: readable on a terminal, else JSON.

    Each line names the service and, where there is one, the instance, whichever thread it comes from. Of libraries
    warnings and worse are shown.
    """
    pretty = sys.stdout.isatty() if readable is None else readable
    names = {"service": service, "version": __version__} | ({"instance": instance} if instance else {})
    first: list[Processor] = [
        _Names(names),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info if pretty else _TRACEBACK,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_library_handler(first, last)], force=True)


class _Names:
    """Adds what every line says."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**self._names, **event}


def _library_handler(first: list[Processor], last: list[Processor]) -> logging.Handler:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_as_text, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    handler.addFilter(lambda record: (record.name, record.msg) not in EXPECTED)
    handler.addFilter(_Sparing())
    return handler


class _Sparing(logging.Filter):
    """Lets the same sentence of a library through once in REPEAT_S, and says how often it was heard meanwhile.

    A client whose broker is away says so ten times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = (record.name, str(record.msg))
        since, times = self._heard.get(kind, (-REPEAT_S, 0))
        if record.created - since < REPEAT_S:
            self._heard[kind] = (since, times + 1)
            return False
        if len(self._heard) > KINDS_MAX:
            self._heard.clear()
        self._heard[kind] = (record.created, 0)
        record.repeated = times
        return True


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's sentence is no constant: it stands beside the event, cut off where it goes on and on."""
    record, text = event["_record"], str(event["event"])[:TEXT_MAX]
    repeated = {"repeated": record.repeated} if record.repeated else {}
    return {**event, "event": LIBRARY_EVENT, "logger": record.name, "text": text, **repeated}
