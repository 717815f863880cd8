"""What is kept beside a request's events: the request as it came, and each item that became no event."""

import uuid
from collections.abc import Mapping

from connectors.protocol.channel import Reject, Request
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import RequestReceived
from schemas.meta import Meta
from schemas.topics import RAW
from vaart import __version__

SERVICE = "gateway"
STAGE = "receive"
REDACTED = "(redacted)"
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "apikey", "dhl-api-key", "anonymousid"}
)
"""Beside these every header whose name says that it is a secret, a token or a signature."""
SECRET_WORDS = ("secret", "token", "signature", "hmac", "password")
ADDRESS_HEADERS = frozenset(
    {"forwarded", "x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip"}
)
HEADERS_MAX = 60


def kept_request(
    request: Request, request_id: str, channel: str, source: str, route: str, verdict: str
) -> RequestReceived:
    """The request as it is kept for 7 days, to be parsed again. Secrets and addresses are taken out."""
    return RequestReceived(
        meta=Meta(
            event_id=str(uuid.uuid4()),
            occurred_at=request.received_at,
            received_at=request.received_at,
            channel=channel,
            source=source,
            source_event_id=request_id,
        ),
        request_id=request_id,
        route=f"{request.method} {route}",
        headers=redacted(request.headers),
        body=request.body,
        verdict=verdict,
    )


def redacted(headers: Mapping[str, object]) -> dict[str, str]:
    """The headers without what proves who someone is or where they are."""
    return {
        name: REDACTED if _is_secret(name) else ", ".join(map(str, values))
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


def _is_secret(name: str) -> bool:
    return name in SECRET_HEADERS or name in ADDRESS_HEADERS or any(word in name for word in SECRET_WORDS)
