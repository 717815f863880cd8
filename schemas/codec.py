"""Bytes on a topic to events and back: Confluent framing around Avro, each reader and writer made once.

    codec = Codec(registry, prefix)
    decode = codec.decoder(topics.ORDERS)
    encode = codec.encoder(topics.ORDERS, SoldInStore)

The frame is a zero, four bytes of schema id, then Avro. A schema's id is looked up, never registered, here.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from struct import error as struct_error
from typing import Any

from schemas import reading, wire, writing
from schemas.avsc import name_of, schema_of
from schemas.coders import FRAME_BYTES, Reader, Writer
from schemas.registry import Registry, SchemaUnknown, SchemaUnreadable
from schemas.resolution import Schema, Unresolvable, full_name
from schemas.topic import Topic
from schemas.wellformed import checked

MAGIC = 0
KEY_BYTES_MAX = 1024
_JSON_STARTS = (b"{", b"[", b'"')
_READ_FAULTS = (IndexError, KeyError, ValueError, OverflowError, struct_error)
_WRITE_FAULTS = (AttributeError, TypeError, ValueError, KeyError, OverflowError, struct_error)

Decode = Callable[[bytes | None], Any]
Encode = Callable[[Any], bytes]


class Reason(StrEnum):
    """Why bytes are no record of a topic."""

    EMPTY_VALUE = "empty_value"
    TOO_SHORT = "too_short"
    WRONG_MAGIC = "wrong_magic"
    JSON = "json"
    UNKNOWN_SCHEMA_ID = "unknown_schema_id"
    FOREIGN_SCHEMA = "foreign_schema"
    UNREADABLE_SCHEMA = "unreadable_schema"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    INVALID_TEXT = "invalid_text"
    INVALID_VALUE = "invalid_value"
    INVALID_KEY = "invalid_key"


class Undecodable(Exception):
    """These bytes are no record of the topic. `detail` names the field, and never shows what was sent."""

    def __init__(self, reason: Reason, detail: str, schema_id: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.schema_id = schema_id


class Unencodable(ValueError):
    """A struct holds what its schema does not allow. The text names the field, and never shows the value."""


class Codec:
    """Readers and writers of one deployment's topics. `prefix` stands before every topic's name."""

    def __init__(self, registry: Registry, prefix: str = "") -> None:
        self._registry = registry
        self._prefix = prefix

    def decoder(self, topic: Topic) -> Decode:
        """`decode(value)` is the event, snapshot or entry that a record on the topic holds.

        It raises Undecodable for anything else, and RegistryAway while a schema is not at hand: then wait.
        """
        readers: dict[bytes, Reader | _Refuser] = {}
        reads: dict[bytes, Decode] = {}

        def decode(value: bytes | None) -> Any:
            read = reads.get(value[:FRAME_BYTES]) if value else None
            if read is None:
                return meet(value)
            try:
                return read(value)
            except _READ_FAULTS as error:
                assert value is not None
                raise _undecodable(error, readers[value[:FRAME_BYTES]], value) from None

        def meet(value: bytes | None) -> Any:
            schema_id = _framed_id(value)
            readers[frame(schema_id)] = reader = self._reader(topic, schema_id)
            reads[frame(schema_id)] = reader.read
            return decode(value)

        return decode

    def encoder(self, topic: Topic, struct: type) -> Encode:
        """`encode(record)` is the record's bytes for the topic; it raises Unencodable, naming the field.

        Asks the registry now: SchemaUnknown when nobody registered the schema, RegistryAway without answer.
        """
        schema = schema_of(struct)
        schema_id = self._registry.id_of(subject_of(topic, struct, self._prefix), schema)
        writer = Writer(schema, struct, frame(schema_id))
        write = writer.write

        def encode(record: Any) -> bytes:
            try:
                return write(record)
            except _WRITE_FAULTS as error:
                raise _unencodable(error, writer, struct) from None

        return encode

    def _reader(self, topic: Topic, schema_id: int) -> "Reader | _Refuser":
        try:
            written = checked(self._registry.schema(schema_id))
            struct = _struct_named(written, topic)
            if struct is None:
                about = f"{topic.name} does not carry this record type"
                return _Refuser(Reason.FOREIGN_SCHEMA, about, schema_id)
            return Reader(written, schema_of(struct), struct)
        except SchemaUnknown as error:
            raise Undecodable(Reason.UNKNOWN_SCHEMA_ID, str(error), schema_id) from None
        except (SchemaUnreadable, Unresolvable) as error:
            return _Refuser(Reason.UNREADABLE_SCHEMA, str(error), schema_id)


class _Refuser:
    """Stands for a schema that the topic's readers cannot take."""

    paths: Sequence[str] = ()

    def __init__(self, reason: Reason, detail: str, schema_id: int) -> None:
        self._undecodable = (reason, detail, schema_id)

    def read(self, value: bytes | None) -> Any:
        raise Undecodable(*self._undecodable)


def subject_of(topic: Topic, struct: type, prefix: str = "") -> str:
    """The registry's subject of a record type on a topic (TopicRecordNameStrategy)."""
    return f"{prefix}{topic.name}-{name_of(struct)}"


def frame(schema_id: int) -> bytes:
    """The five bytes in front of a record."""
    return bytes([MAGIC]) + schema_id.to_bytes(FRAME_BYTES - 1, "big")


def key_text(key: bytes | None) -> str:
    """A record's key. Raises Undecodable for one that is missing, longer than KEY_BYTES_MAX or not UTF-8."""
    if not key:
        raise Undecodable(Reason.INVALID_KEY, "the record has no key")
    if len(key) > KEY_BYTES_MAX:
        raise Undecodable(Reason.INVALID_KEY, f"the key is longer than {KEY_BYTES_MAX} bytes")
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise Undecodable(Reason.INVALID_KEY, "the key is not UTF-8") from None


def _framed_id(value: bytes | None) -> int:
    if not value:
        raise Undecodable(Reason.EMPTY_VALUE, "the record has no value")
    if value[0] != MAGIC:
        if value[:1] in _JSON_STARTS:
            raise Undecodable(
                Reason.JSON, "the value looks like JSON: send it through the gateway, or as Avro"
            )
        raise Undecodable(Reason.WRONG_MAGIC, f"the value begins with {value[0]}, not {MAGIC}")
    if len(value) < FRAME_BYTES:
        raise Undecodable(Reason.TOO_SHORT, f"{len(value)} bytes cannot hold a schema id")
    return int.from_bytes(value[1:FRAME_BYTES], "big")


def _struct_named(written: Schema, topic: Topic) -> type | None:
    """The topic's record type with the name of the written record, or an alias of it."""
    if not isinstance(written, dict) or written.get("type") != "record":
        return None
    by_name = {name_of(struct): struct for struct in topic.carries}
    exact = by_name.get(full_name(written))
    return exact or next(
        (each for each in topic.carries if _was_called(schema_of(each), full_name(written))), None
    )


def _was_called(ours: Schema, name: str) -> bool:
    space = ours.get("namespace", "")
    return name in (
        alias if "." in alias or not space else f"{space}.{alias}" for alias in ours.get("aliases", ())
    )


def _undecodable(error: Exception, reader: "Reader | _Refuser", value: bytes) -> Undecodable:
    path, names = _place(error, reading.SOURCE, reader.paths)
    is_cut = isinstance(error, IndexError | struct_error | wire.Cut) or names.get("p", 0) > len(value)
    schema_id = int.from_bytes(value[1:FRAME_BYTES], "big")
    if is_cut:
        return Undecodable(
            Reason.TRUNCATED, f"the bytes end at or before {path or 'the end of the record'}", schema_id
        )
    if isinstance(error, wire.Trailing):
        return Undecodable(Reason.TRAILING_BYTES, str(error), schema_id)
    if isinstance(error, UnicodeDecodeError):
        return Undecodable(Reason.INVALID_TEXT, f"{path}: not UTF-8", schema_id)
    what = str(error) if isinstance(error, wire.Misfit) else "not a value of its type"
    return Undecodable(Reason.INVALID_VALUE, f"{path}: {what}", schema_id)


def _unencodable(error: Exception, writer: Writer, struct: type) -> Unencodable:
    path, _ = _place(error, writing.SOURCE, writer.paths)
    what = str(error) if isinstance(error, wire.Misfit) else "not a value of its type"
    return Unencodable(f"{struct.__name__}.{path}: {what}" if path else f"{struct.__name__}: {what}")


def _place(error: Exception, source: str, paths: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Which field the codec was at, and its local names where it is a Python function."""
    path = getattr(error, "path", None)
    if path is not None:
        return path, {}
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == source:
            return paths[step.tb_lineno - 1], step.tb_frame.f_locals
        step = step.tb_next
    return "", {}
