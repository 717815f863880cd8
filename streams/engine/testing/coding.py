"""Records as bytes without schemas: msgpack behind the name of their type. For tests whose log is in memory."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.codec import Reason, Undecodable
from schemas.topic import Topic

_Named = tuple[str, msgspec.Raw]
_encode = msgspec.msgpack.Encoder().encode
_split = msgspec.msgpack.Decoder(_Named).decode


class Plain:
    """Takes the place of schemas.codec.Codec. What it cannot read is Undecodable, as there."""

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        """Reads records of the types that `topic` carries."""
        readers: dict[str, Callable[[Any], Any]] = {
            kind.__name__: msgspec.msgpack.Decoder(kind).decode for kind in topic.carries
        }

        def decode(value: bytes | None) -> Any:
            try:
                name, rest = _split(value or b"")
                read = readers[name]
                return read(rest)
            except (msgspec.DecodeError, KeyError):
                raise Undecodable(Reason.INVALID_VALUE, "not a record of this topic") from None

        return decode

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        """Writes records of `struct`."""
        name = struct.__name__

        def encode(record: Any) -> bytes:
            return _encode((name, record))

        return encode
