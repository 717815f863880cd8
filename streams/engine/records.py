"""State records as bytes: how a head, a collection's record, an alarm and a lane's position are kept.

A record key is one byte of kind and length-prefixed parts, so that ids may hold any character and the records of one
key lie together. A value is one byte of version and msgpack; a head's value carries its alarm and its incarnation in
front: a key that was forgotten and came back has other collection records than before. The changelog holds the same
bytes; the due index is derived from the heads and lies in the store only. Keys are bytes, as Kafka has them.
"""

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from streams.view import Part, Record
from vaart.errors import ConfigFault

HEAD = b"h"
COLLECTION = b"c"
FORGOTTEN = b"f"
FORGOTTEN_END = b"g"
HELD = b"r"
DUE = b"d"
POSITION = b"p"
KEPT = b"s"
KEPT_END = b"t"

_length = struct.Struct(">H")
_time = struct.Struct(">q")
_incarnation = struct.Struct(">I")
_life = struct.Struct(">qI")
_header = struct.Struct(">BqI")
_HEADER_BYTES = _header.size
INCARNATION_BYTES = _incarnation.size
_encode = msgspec.msgpack.Encoder().encode

Decode = Callable[[bytes], Any]


def part_bytes(part: str) -> bytes:
    """`part` with its length in front. Raises OverflowError past 65,535 bytes."""
    encoded = part.encode()
    if len(encoded) > 0xFFFF:
        raise OverflowError("an id in a state key is longer than 65,535 bytes")
    return _length.pack(len(encoded)) + encoded


def head_key(key: bytes) -> bytes:
    """Where the head of `key` (at most 65,535 bytes) lies."""
    return HEAD + _length.pack(len(key)) + key


def collection_prefix(number: int, key: bytes, incarnation: int) -> bytes:
    """Where the records of the view's collection `number` under an incarnation of `key` begin."""
    return COLLECTION + bytes((number,)) + _length.pack(len(key)) + key + _incarnation.pack(incarnation)


def forgotten_key(key: bytes) -> bytes:
    """Where it stands that collection records of `key` are still to be deleted."""
    return FORGOTTEN + key


def parts_bytes(parts: Part) -> bytes:
    """The end of a collection record's key."""
    return b"".join([part_bytes(part) for part in parts])


def parts_of(encoded: bytes) -> Part:
    """The parts that `parts_bytes` joined."""
    parts = []
    at = 0
    while at < len(encoded):
        (length,) = _length.unpack_from(encoded, at)
        at += 2
        parts.append(encoded[at : at + length].decode())
        at += length
    return tuple(parts)


def due_key(at: int, key: bytes) -> bytes:
    """Where the due index holds the alarm of `key`. Keys sort by time."""
    return DUE + _time.pack(at) + key


def due_of(encoded: bytes) -> tuple[int, bytes]:
    """The time and key that `due_key` joined."""
    return _time.unpack_from(encoded, 1)[0], encoded[9:]


def due_until(at: int) -> bytes:
    """Behind every due entry whose time is at most `at`."""
    return DUE + _time.pack(at + 1)


def held_key(at: int, event_id: str, offset: int) -> bytes:
    """Where an event waits for its turn in a replay: by its time, then its id, then its offset."""
    return HELD + _time.pack(at) + part_bytes(event_id) + _time.pack(offset)


def kept_key(topic: str, key: bytes) -> bytes:
    """Where a muted lane keeps the last snapshot of `topic` and `key`."""
    return KEPT + part_bytes(topic) + key


def topic_and_key_of_kept(encoded: bytes) -> tuple[str, bytes]:
    """The topic and the key that `kept_key` joined."""
    (length,) = _length.unpack_from(encoded, 1)
    return encoded[3 : 3 + length].decode(), encoded[3 + length :]


def held_until(at: int) -> bytes:
    """Behind every held event whose time is at most `at`."""
    return HELD + _time.pack(at + 1)


def head_value(head: Record, wake_at: int | None, incarnation: int = 0) -> bytes:
    """A head, its alarm and its incarnation, encoded."""
    return _header.pack(head.version, wake_at or 0, incarnation) + _encode(head)


def wake_of(encoded: bytes) -> int | None:
    """The alarm of an encoded head."""
    return _time.unpack_from(encoded, 1)[0] or None


def life_of(encoded: bytes) -> tuple[int | None, int]:
    """The alarm and the incarnation of an encoded head."""
    wake_at, incarnation = _life.unpack_from(encoded, 1)
    return wake_at or None, incarnation


def key_of_forgotten(encoded: bytes) -> bytes:
    """The key that `forgotten_key` wrote."""
    return encoded[1:]


def forgotten_value(incarnation: int) -> bytes:
    """That all records up to this incarnation are to be deleted."""
    return _incarnation.pack(incarnation)


def forgotten_incarnation(encoded: bytes) -> int:
    """The incarnation that `forgotten_value` wrote."""
    found: int = _incarnation.unpack(encoded)[0]
    return found


def key_of_head(encoded: bytes) -> bytes:
    """The key whose head lies at `encoded`."""
    return encoded[3:]


def record_value(record: Record) -> bytes:
    """A collection's record, encoded."""
    return bytes((record.version,)) + _encode(record)


def head_decoder(kind: type[Record]) -> Decode:
    """Reads what `head_value` wrote, in this version or an older one."""
    return _decoder(kind, _HEADER_BYTES)


def record_decoder(kind: type[Record]) -> Decode:
    """Reads what `record_value` wrote, in this version or an older one."""
    return _decoder(kind, 1)


def _decoder(kind: type[Record], start: int) -> Decode:
    decode = msgspec.msgpack.Decoder(kind).decode
    current = kind.version

    def read(encoded: bytes) -> Any:
        version = encoded[0]
        if version == current:
            return decode(memoryview(encoded)[start:])
        if version > current:
            raise ConfigFault(
                f"the state holds {kind.__name__} of version {version}, this program knows {current}: "
                "run the newer program, or rebuild the state as a new version of the view"
            )
        return kind.upgrade(version, encoded[start:])

    return read
