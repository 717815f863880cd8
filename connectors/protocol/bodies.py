"""Bodies of clients of all kinds: JSON within bounds, perhaps packed as gzip without saying so."""

import zlib
from typing import Any

from connectors.protocol import documents
from connectors.protocol.channel import BATCH_BYTES_MAX, Request
from connectors.protocol.documents import DEPTH_MAX, NotReadable

PARSED = "parsed"
GZIP = b"\x1f\x8b"


def parsed(body: bytes) -> Any:
    """What the JSON stands for, at most DEPTH_MAX deep. Raises NotReadable."""
    plain = unpacked(body)
    found = documents.parse(plain)
    if plain.count(b"{") + plain.count(b"[") > DEPTH_MAX and documents.is_too_deep(found):
        raise NotReadable(f"it is nested deeper than {DEPTH_MAX}")
    return found


def parsed_of(request: Request) -> Any:
    """`parsed(request.body)`, made once: nobody may change it. Raises NotReadable."""
    if PARSED not in request.memo:
        request.memo[PARSED] = parsed(request.body)
    return request.memo[PARSED]


def unpacked(body: bytes) -> bytes:
    """The body, unpacked where it is gzip: one that says so was unpacked before it came here. Raises NotReadable."""
    if not body.startswith(GZIP):
        return body
    packed = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = packed.decompress(body, BATCH_BYTES_MAX + 1)
    except zlib.error:
        raise NotReadable("it is no whole gzip") from None
    if len(found) > BATCH_BYTES_MAX:
        raise NotReadable(f"it has more than {BATCH_BYTES_MAX} bytes when it is unpacked")
    if not packed.eof:
        raise NotReadable("it is no whole gzip")
    return found
