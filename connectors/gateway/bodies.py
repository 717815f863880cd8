"""Request bodies, read within bounds: of size (unpacked), of time, and of what all requests hold together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.gateway.problems import Problem
from vaart import metrics

READ_S_MAX = 5.0
IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024
RETRY_AFTER_S = 1
ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
CLOSE = {"Connection": "close"}
"""What is left of such a body is never read."""


class Bodies:
    """Reads bodies; holds at most IN_FLIGHT_BYTES_MAX of them at once."""

    def __init__(self) -> None:
        self._held = 0

    @asynccontextmanager
    async def read(self, request: web.Request, bytes_max: int) -> AsyncIterator[bytes]:
        """The body, unpacked. Raises Problem: 400 cut, 408 slow, 413 too large, 415 unknown packing."""
        if request.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
            raise Problem(415, "send the body plain, or with Content-Encoding gzip or deflate")
        if (request.content_length or 0) > bytes_max:
            raise _too_large(bytes_max)
        body = bytearray()
        try:
            await self._fill(body, request, bytes_max)
            yield bytes(body)
        finally:
            self._hold(-len(body))

    async def _fill(self, body: bytearray, request: web.Request, bytes_max: int) -> None:
        try:
            async with asyncio.timeout(READ_S_MAX):
                async for chunk in request.content.iter_any():
                    self._take(body, chunk, bytes_max)
        except TimeoutError:
            raise Problem(
                408, f"the body must arrive within {READ_S_MAX:.0f} seconds", headers=CLOSE
            ) from None
        except web.RequestPayloadError:
            raise Problem(400, "the body is cut off, or is not packed as it says", headers=CLOSE) from None

    def _take(self, body: bytearray, chunk: bytes, bytes_max: int) -> None:
        if len(body) + len(chunk) > bytes_max:
            raise _too_large(bytes_max)
        if self._held + len(chunk) > IN_FLIGHT_BYTES_MAX:
            raise Problem(503, "too much at once; send it again", headers={"Retry-After": str(RETRY_AFTER_S)})
        body += chunk
        self._hold(len(chunk))

    def _hold(self, count: int) -> None:
        self._held += count
        metrics.BYTES_IN_FLIGHT.set(self._held)


def _too_large(bytes_max: int) -> Problem:
    return Problem(413, f"a body may have {bytes_max} bytes at most; split the list", headers=CLOSE)
