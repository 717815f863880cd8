"""How far a worker's lanes are behind their sources, in records and in seconds."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from vaart import metrics


class Standing(NamedTuple):
    """A source partition of an open lane.

    Everything before `level` is committed, markers included. `waiting` records have been fetched and not folded, the
    first of which was sent at `oldest`, in seconds.
    """

    topic: str
    partition: int
    next_offset: int
    level: int
    waiting: int
    oldest: float | None


class Lag:
    """Tells the lag of `group` in metrics. A partition that has moved to another worker is told no more."""

    def __init__(self, group: str, now: Callable[[], float] = time.time) -> None:
        self._group = group
        self._now = now
        self._level_at: dict[tuple[str, int], float] = {}

    def tell(self, standings: Iterable[Standing], ends: Mapping[tuple[str, int], int]) -> None:
        """After this the metrics are of this moment. `ends` are the broker's, by topic and partition."""
        found = {(each.topic, each.partition): each for each in standings}
        for place in self._level_at.keys() - found.keys():
            self._forget(place)
        for place, standing in found.items():
            now = self._now()
            records = max(0, ends.get(place, standing.level) - standing.level)
            level_at = self._level_at.setdefault(place, now)
            if not records:
                self._level_at[place] = level_at = now
            since = level_at if standing.oldest is None else standing.oldest
            self._tell(standing, records, max(0.0, now - since) if records else 0.0)

    def _tell(self, standing: Standing, records: int, seconds: float) -> None:
        labels = (self._group, standing.topic, str(standing.partition))
        metrics.CONSUMER_LAG_RECORDS.labels(*labels).set(records)
        metrics.CONSUMER_LAG_SECONDS.labels(*labels).set(seconds)
        metrics.COMMITTED_OFFSET.labels(*labels).set(standing.next_offset)
        metrics.QUEUE_DEPTH.labels(":".join(labels)).set(standing.waiting)

    def _forget(self, place: tuple[str, int]) -> None:
        del self._level_at[place]
        labels = (self._group, place[0], str(place[1]))
        for gauge in (metrics.CONSUMER_LAG_RECORDS, metrics.CONSUMER_LAG_SECONDS, metrics.COMMITTED_OFFSET):
            gauge.remove(*labels)
        metrics.QUEUE_DEPTH.remove(":".join(labels))
