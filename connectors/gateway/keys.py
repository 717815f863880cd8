"""Senders' public keys, fetched once: from hosts that the channel names, never from one that a request names."""

import asyncio
import time
from collections import OrderedDict

import httpx
import structlog

from connectors.protocol.channel import KeyPlace, Source

KEYS_MAX = 1_000
KNOWN_S, UNKNOWN_S = 24 * 3600.0, 60.0
"""How long a key is taken for the sender's, and how long one that is not there is not asked for again."""
ANSWER_BYTES_MAX = 64 * 1024
WITHIN_S = 2.0

log = structlog.get_logger()


class KeyAway(Exception):
    """Whoever has the key does not answer. The request may be good: it is to come again."""


class Keys:
    """The keys of all sources. `client` follows no redirects and takes no proxy from the environment."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._known: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[bytes | None]] = {}

    async def get(self, place: KeyPlace, name: str, source: Source) -> bytes | None:
        """The key, None where the sender has none of that name. Asked for once at a time. Raises KeyAway."""
        url = place.url(name, source)
        if url is None:
            return None
        until, key = self._known.get(url, (0.0, None))
        if time.monotonic() < until:
            return key
        if url not in self._asking:
            self._asking[url] = asyncio.create_task(self._ask(url, place, name))
        try:
            return await asyncio.shield(self._asking[url])
        finally:
            self._asking.pop(url, None)

    async def _ask(self, url: str, place: KeyPlace, name: str) -> bytes | None:
        try:
            async with asyncio.timeout(WITHIN_S), self._client.stream("GET", url) as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ValueError("the answer is too long")
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.warning("no_key", error=type(error).__name__)
            raise KeyAway from None
        if answer.is_server_error:
            raise KeyAway
        key = place.read(bytes(body), name) if answer.is_success else None
        self._known[url] = (time.monotonic() + (UNKNOWN_S if key is None else KNOWN_S), key)
        if len(self._known) > KEYS_MAX:
            self._known.popitem(last=False)
        return key
