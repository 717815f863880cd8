"""When each source was last heard, from what is kept of its requests and polls: no gateway has to remember it.

`ingest.raw.v1` is read from its end, until every source that is asked about is found, all that is kept was looked at,
or the bound is reached. What was not found was not heard since the horizon: how far back was looked.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from connectors.sources import SourceForm
from schemas.codec import Decode, Undecodable
from schemas.events.ingest import CursorMoved, RequestReceived, RequestsRefused
from schemas.meta import Instant
from schemas.topics import CURSORS, RAW
from vaart import metrics
from vaart.backwards import Backwards
from vaart.clock import Clock
from vaart.reading import Reader

RECORDS_MAX, WITHIN_S = 20_000, 5.0
"""What a gateway reads at most before it listens."""
SECOND_US = 1_000_000

Way = tuple[str, str]
"""Channel, or poller, and source."""


@dataclass(slots=True)
class Heard:
    """`since` is how far back was looked; None where all that is kept was."""

    at: dict[Way, Instant] = field(default_factory=dict)
    refused: dict[Way, RequestsRefused] = field(default_factory=dict)
    since: Instant | None = None

    def latest(self, way: Way, form: SourceForm) -> Instant | None:
        """When it was heard, or at the latest can have been; None where it never was as far as is kept.

        A source that is polled or read need not send anything by itself: one that was not found is not expected to.
        """
        return self.at.get(way, None if form.poll or form.queue or form.drop else self.since)

    def note(self, record: object) -> None:
        """One record more, of whatever age."""
        if isinstance(record, RequestReceived | CursorMoved):
            name = record.poller if isinstance(record, CursorMoved) else record.meta.channel
            way = name, record.meta.source
            self.at[way] = max(record.meta.received_at, self.at.get(way, 0))
        elif isinstance(record, RequestsRefused):
            way = record.meta.channel, record.meta.source
            if way not in self.refused or self.refused[way].meta.received_at < record.meta.received_at:
                self.refused[way] = record


def last_heard(
    reader: Reader,
    decode: Decode,
    partitions: int,
    wanted: Collection[Way],
    since_ms: int,
    is_enough: Callable[[int], bool],
) -> Heard:
    """When each of `wanted` last sent a request, looking back to `since_ms`, until `is_enough(records read)`."""
    floors = reader.at(RAW.name, range(partitions), since_ms)
    heard, read = Heard(), 0
    back = Backwards(reader, RAW.name, floors)
    while (horizon_ms := back.horizon_ms) is not None:
        if is_enough(read) or all(heard.at.get(way, -1) >= horizon_ms * 1_000 for way in wanted):
            heard.since = horizon_ms * 1_000
            return heard
        for message in back.round():
            read += 1
            _read(heard, decode, message.value())
    if any(floor > reader.bounds(RAW.name, partition)[0] for partition, floor in floors.items()):
        heard.since = since_ms * 1_000
    return heard


def last_polled(reader: Reader, decode: Decode, partitions: int) -> Heard:
    """When each source that is asked last answered. Its topic is compacted: all of it is read."""
    starts = {each: reader.bounds(CURSORS.name, each)[0] for each in range(partitions)}
    heard = Heard()
    for message in reader.records(CURSORS.name, starts):
        _read(heard, decode, message.value())
    return heard


def begin(
    forms: Mapping[str, SourceForm], reader: Reader, decode: Decode, partitions: int, clock: Clock
) -> None:
    """After this the metrics say after what silence a source is silent, and when each was heard before this start."""
    limited = {
        (form.channel, name): form
        for name, form in forms.items()
        if sends(form) and expect(form.channel, name, form)
    }
    if not limited:
        return
    longest_s = max(form.silent_after_s or 0 for form in limited.values())
    deadline = time.monotonic() + WITHIN_S
    since_ms = clock() // 1_000 - int(1_000 * longest_s)
    found = last_heard(
        reader,
        decode,
        partitions,
        limited,
        since_ms,
        lambda read: read >= RECORDS_MAX or time.monotonic() > deadline,
    )
    for way, form in limited.items():
        if (at := found.latest(way, form)) is not None:
            metrics.SOURCE_HEARD.labels(*way).set(at / SECOND_US)


def expect(channel: str, source: str, form: SourceForm) -> bool:
    """Whether its silence is an alert; if so, the metric says after how long."""
    if form.silent_after_s is None or form.is_paused:
        return False
    metrics.SOURCE_SILENT_AFTER.labels(channel, source).set(form.silent_after_s)
    return True


def sends(form: SourceForm) -> bool:
    """Whether its requests are kept; of files and of others' topics only how far they are read is."""
    return form.drop is None and (form.queue is None or form.queue.sqs is not None)


def _read(heard: Heard, decode: Decode, value: bytes | None) -> None:
    """What cannot be read is no sign of life."""
    try:
        heard.note(None if value is None else decode(value))
    except Undecodable:
        return
