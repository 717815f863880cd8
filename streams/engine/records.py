"""State records as bytes: how a head, a collection's record, an alarm and a lane's position are kept.

A record key is one byte of kind and length-prefixed parts, so that ids may hold any character and the records of one
key lie together. A value is one byte of version and msgpack; a head's value carries its alarm in front. The changelog
holds the same bytes; the due index is derived from the heads and lies in the store only.
"""

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from streams.view import Part, Record
from vaart.errors import ConfigFault

HEAD = b"h"
COLLECTION = b"c"
HELD = b"r"
DUE = b"d"
POSITION = b"p"

_length = struct.Struct(">H")
_time = struct.Struct(">q")
_encode = msgspec.msgpack.Encoder().encode

Decode = Callable[[bytes], Any]


def part_bytes(part: str) -> bytes:
    """`part` with its length in front. Raises OverflowError past 65,535 bytes."""
    encoded = part.encode()
    if len(encoded) > 0xFFFF:
        raise OverflowError("an id in a state key is longer than 65,535 bytes")
    return _length.pack(len(encoded)) + encoded


def head_key(key: str) -> bytes:
    """Where the head of `key` lies."""
    return HEAD + part_bytes(key)


def collection_prefix(number: int, key: str) -> bytes:
    """Where the records of the view's collection `number` under `key` begin."""
    return COLLECTION + bytes((number,)) + part_bytes(key)


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


def due_key(at: int, key: str) -> bytes:
    """Where the due index holds the alarm of `key`. Keys sort by time."""
    return DUE + _time.pack(at) + key.encode()


def due_of(encoded: bytes) -> tuple[int, str]:
    """The time and key that `due_key` joined."""
    return _time.unpack_from(encoded, 1)[0], encoded[9:].decode()


def due_until(at: int) -> bytes:
    """Behind every due entry whose time is at most `at`."""
    return DUE + _time.pack(at + 1)


def held_key(at: int, event_id: str, offset: int) -> bytes:
    """Where an event waits for its turn in a replay: by its time, then its id, then its offset."""
    return HELD + _time.pack(at) + part_bytes(event_id) + _time.pack(offset)


def held_until(at: int) -> bytes:
    """Behind every held event whose time is at most `at`."""
    return HELD + _time.pack(at + 1)


def head_value(head: Record, wake_at: int | None) -> bytes:
    """A head and its alarm, encoded."""
    return bytes((head.version,)) + _time.pack(wake_at or 0) + _encode(head)


def wake_of(encoded: bytes) -> int | None:
    """The alarm of an encoded head."""
    return _time.unpack_from(encoded, 1)[0] or None


def head_key_text(encoded: bytes) -> str:
    """The key whose head lies at `encoded`."""
    return encoded[3:].decode()


def record_value(record: Record) -> bytes:
    """A collection's record, encoded."""
    return bytes((record.version,)) + _encode(record)


def head_decoder(kind: type[Record]) -> Decode:
    """Reads what `head_value` wrote, in this version or an older one."""
    return _decoder(kind, 9)


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
