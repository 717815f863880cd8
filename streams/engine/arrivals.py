"""What arrives in a lane: several sources in one order of time, and bytes as events or dead letters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from schemas.codec import Reason, Undecodable
from streams.engine.letters import Arrived, Letters

KEY_BYTES_MAX = 1_024

Segment = tuple[str, Sequence[Arrived]]
"""Some records of one source, in their order."""


def merged(batches: Mapping[str, Sequence[Arrived]]) -> list[Segment]:
    """All records, cut where the next one in time is of another source. Each source keeps its own order."""
    if len(batches) == 1:
        return list(batches.items())
    streams = [_timed(number, records) for number, records in enumerate(batches.values())]
    names = list(batches)
    in_order = merge(*streams, key=itemgetter(0, 1))
    return [
        (names[number], [record for _, _, record in run])
        for number, run in groupby(in_order, key=itemgetter(1))
    ]


def decoded(
    decode: Callable[[bytes], Any], letters: Letters, topic: str, arrived: Sequence[Arrived]
) -> list[tuple[Arrived, Any]]:
    """Each record with its event, or with its dead letter."""
    found = []
    for record in arrived:
        key = record.key
        if not key or len(key) > KEY_BYTES_MAX or not _is_text(key):
            found.append((record, letters.of_record(topic, record, "decode", Reason.INVALID_KEY)))
            continue
        try:
            found.append((record, decode(record.value or b"")))
        except Undecodable as error:
            letter = letters.of_record(topic, record, "decode", error.reason, error.detail, error.schema_id)
            found.append((record, letter))
    return found


def _timed(number: int, records: Sequence[Arrived]) -> Iterator[tuple[int, int, Arrived]]:
    """A source's records with times that never step back, whatever its senders' clocks did."""
    newest = 0
    for record in records:
        newest = max(newest, record.timestamp)
        yield newest, number, record


def _is_text(key: bytes) -> bool:
    if key.isascii():
        return True
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
