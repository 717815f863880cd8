"""A record of a topic or a message of a queue: as a request that a channel reads, and as a dead letter."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.protocol.channel import Reject, Request
from connectors.protocol.records import KEY, METHOD
from schemas.events.dead_letters import DeadLettered, RecordHeader
from schemas.meta import Instant
from vaart import __version__

SERVICE, STAGE = "queues", "receive"
HEADERS_MAX = 60
KEY_BYTES_MAX = 16 * 1024
HEADER_BYTES_MAX = 1024
VALUE_BYTES_MAX = 512 * 1024
"""Of a dead letter, which must fit on its topic whole; a topic's record still stands where the letter says."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """`place` is the topic's or the queue's name; a queue's message has its id for a key, and no partition.

    `received_at` is when the broker took it: reading it again gives the same request.
    """

    place: str
    value: bytes | None
    received_at: Instant
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int = -1
    offset: int = -1


def request_of(arrived: Arrived) -> Request:
    """The request that it stands for."""
    headers: dict[str, list[str]] = {}
    for name, value in arrived.headers[:HEADERS_MAX]:
        headers.setdefault(name.lower(), []).append(_text(value))
    if arrived.key is not None:
        headers[KEY] = [_text(arrived.key)]
    return Request(METHOD, arrived.place, "", headers, (), arrived.value or b"", arrived.received_at)


def letter(reject: Reject, arrived: Arrived, channel: str, source: str) -> DeadLettered:
    """The dead letter of an item of it, or of the whole. Where bytes are left out it says how many."""
    value = reject.item[:VALUE_BYTES_MAX]
    return DeadLettered(
        service=f"{SERVICE}.{channel}",
        stage=STAGE,
        reason=reject.reason,
        detail=f"{source}: {reject.detail}",
        source_topic=arrived.place,
        partition=arrived.partition,
        offset=arrived.offset,
        key=None if arrived.key is None else arrived.key[:KEY_BYTES_MAX],
        value=value,
        headers=[
            RecordHeader(name[:HEADER_BYTES_MAX], value and value[:HEADER_BYTES_MAX])
            for name, value in arrived.headers[:HEADERS_MAX]
        ],
        left_out_bytes=_left_out(arrived.value or b"", reject.item, value),
        first_seen_at=arrived.received_at,
        service_version=__version__,
    )


def _left_out(whole: bytes, item: bytes, kept: bytes) -> int:
    """An item that begins as the record does is the record, cut."""
    return len(whole) - len(kept) if whole.startswith(item) else len(item) - len(kept)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="replace")
