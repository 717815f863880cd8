"""What is kept beside a request's events: the request as it came, and each item that became no event."""

import uuid
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from connectors.protocol.channel import Channel, Fetch, Reject, Request, Source
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import FetchRequested, RequestReceived
from schemas.meta import Meta
from schemas.topics import RAW
from vaart import __version__

SERVICE = "gateway"
STAGE = "receive"
REDACTED = "(redacted)"
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "apikey", "dhl-api-key"}
)
"""Beside these every header whose name says that it is a secret, a token or a signature."""
SECRET_WORDS = (
    "secret",
    "token",
    "signature",
    "hmac",
    "password",
    "api_key",
    "api-key",
    "apikey",
    "credential",
)
NO_SECRETS = frozenset({"i-twilio-idempotency-token", "idempotency-key"})
ADDRESS_HEADERS = frozenset(
    {"forwarded", "x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip"}
)
HEADERS_MAX = 60
NAMES_KEPT = 4_096
HEADER_OPTION = "header"
"""The option by which a source names the header that its secret, or its signature, comes in."""
STORED_AT = "https://stored.invalid"
"""The address of a request that is read again: its own may have held a secret."""


def kept_request(
    request: Request, request_id: str, channel: Channel, source: Source, verdict: str
) -> RequestReceived:
    """The request as it is kept for 7 days, to be read again. Secrets and addresses are taken out."""
    secret_header = str(source.options.get(HEADER_OPTION, "")).lower()
    return RequestReceived(
        meta=Meta(
            event_id=request_id,
            occurred_at=request.received_at,
            received_at=request.received_at,
            channel=channel.name,
            source=source.name,
            source_event_id=request_id,
        ),
        request_id=request_id,
        route=_route(request, channel),
        headers=redacted(request.headers, secret_header),
        body=request.body,
        verdict=verdict,
    )


def request_of(kept: RequestReceived) -> Request:
    """The request again, without what was taken out."""
    method, _, route = kept.route.partition(" ")
    path, _, query = route.partition("?")
    return Request(
        method=method,
        route=path,
        public_url=STORED_AT + path,
        headers={name: (value,) for name, value in kept.headers.items() if value != REDACTED},
        query=parse_qsl(query, keep_blank_values=True),
        body=kept.body,
        received_at=kept.meta.received_at,
    )


def redacted(headers: Mapping[str, object], secret_header: str = "") -> dict[str, str]:
    """The headers without what proves who someone is or where they are."""
    return {
        name: REDACTED if _is_secret(name) or name == secret_header else ", ".join(map(str, values))
        for name, values in list(headers.items())[:HEADERS_MAX]
        if isinstance(values, list | tuple)
    }


def letter(reject: Reject, request: Request, request_id: str, channel: str, source: str) -> DeadLettered:
    """The dead letter of an item. Its key is the id of the request, which stands in `ingest.raw.v1`."""
    return DeadLettered(
        service=f"{SERVICE}.{channel}",
        stage=STAGE,
        reason=reject.reason,
        detail=f"{source}: {reject.detail}",
        source_topic=RAW.name,
        partition=-1,
        offset=-1,
        key=request_id.encode(),
        value=reject.item,
        first_seen_at=request.received_at,
        service_version=__version__,
    )


def fetch_of(fetch: Fetch, request: Request, channel: Channel, source: Source) -> FetchRequested:
    """What the request only points at, as it is asked for."""
    meta = Meta(
        event_id=str(uuid.uuid4()),
        occurred_at=request.received_at,
        received_at=request.received_at,
        channel=channel.medium,
        source=source.name,
    )
    return FetchRequested(meta=meta, what=fetch.what, foreign_id=fetch.id)


def _route(request: Request, channel: Channel) -> str:
    """The method, and what follows the source's name: where that is a secret, without it."""
    path = REDACTED if channel.proof == "secret address" else request.route
    told = [(name, REDACTED if _is_secret(name) else value) for name, value in request.query]
    return f"{request.method} {path}{'?' if told else ''}{urlencode(told)}"


@lru_cache(NAMES_KEPT)
def _is_secret(name: str) -> bool:
    name = name.lower()
    sounds_so = any(word in name for word in SECRET_WORDS) and name not in NO_SECRETS
    return sounds_so or name in SECRET_HEADERS or name in ADDRESS_HEADERS
