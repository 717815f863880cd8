"""On the way of a restore: records gathered into writes of a size that pays, their alarms, and how far it is."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import structlog

from streams.engine import records
from streams.engine.log import Page
from streams.view import View
from vaart import metrics

TOLD_EVERY_S = 5.0
ENTRY_BYTES = 150
"""What a record takes in memory beside its key and value, about."""

log = structlog.get_logger()


class Gathered(NamedTuple):
    """The newest value per record key of some pages, and the position behind them."""

    newest: dict[bytes, bytes | None]
    reached: int


def gathered(pages: Iterable[Page], bytes_least: int) -> Iterator[Gathered]:
    """All of `pages`, in pieces that take about so many bytes of memory or a page more; the last may be smaller."""
    newest: dict[bytes, bytes | None] = {}
    size, reached = 0, -1
    for page in pages:
        newest.update(page.records)
        size += sum([ENTRY_BYTES + len(key) + len(value or b"") for key, value in page.records])
        reached = page.reached
        if size >= bytes_least:
            yield Gathered(newest, reached)
            newest, size = {}, 0
    if reached >= 0:
        yield Gathered(newest, reached)


def alarms(newest: dict[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    """The due index of these heads.

    What it held of older values of theirs stays: a hint that no longer holds is thrown away when it is due, which costs
    less than to read every head's older value.
    """
    wake_of, key_of, due_key = records.wake_of, records.key_of_head, records.due_key
    return {
        due_key(at, key_of(key)): b""
        for key, value in newest.items()
        if value is not None and key.startswith(records.HEAD) and (at := wake_of(value)) is not None
    }


class Progress:
    """Tells log and metrics how far the restore of a lane is, which reads from `start` to `stop`."""

    def __init__(self, view: View, lane: int, start: int, stop: int) -> None:
        self.records = 0
        self._lane, self._stop = lane, stop
        self._read = metrics.RESTORE_RECORDS.labels(view.group)
        self._remaining = metrics.RESTORE_REMAINING.labels(view.group, lane)
        self._began = self._told = time.monotonic()
        self._note_remaining(start)

    def note(self, page: Page) -> None:
        """`page` was read."""
        self.records += len(page.records)
        self._read.inc(len(page.records))
        remaining = self._note_remaining(page.reached)
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY_S:
            self._told = now
            rate = round(self.records / (now - self._began))
            log.info(
                "lane_restoring", lane=self._lane, records=self.records, remaining=remaining, per_second=rate
            )

    def close(self) -> None:
        """The restore is over: done, or not."""
        self._remaining.set(0)

    def _note_remaining(self, reached: int) -> int:
        remaining = max(0, self._stop - reached)
        self._remaining.set(remaining)
        return remaining
