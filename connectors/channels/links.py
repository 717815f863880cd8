"""Codes on posters, shelves and products: `GET /q/{code}` records the scan and leads on.

| request | events |
| --- | --- |
| GET of a code that the source has | CodeScanned, and CampaignTouched where the code is of a campaign |
| HEAD, and GET by a robot or a preview of a link | nothing: nobody scanned |
| a code that it does not have | nothing; it leads to the option `otherwise`, else 404 |

Which source it is follows from the host name under which the code was scanned (a write key of the source). Where a code
leads stands in the source alone: nothing of the request has a say in it. A scan has no id of its own, so that each
request is one.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connectors.protocol import documents
from connectors.protocol.channel import (
    Answer,
    Answers,
    Challenge,
    Channel,
    Evidence,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from schemas.events.activity import CampaignTouched, CodeScanned
from schemas.meta import Event

MEDIUM = "store"
PREFIX = "/q/"
NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer-when-downgrade"}
NOT_THERE = Answer(404, b"There is no such code.\n", headers=NO_STORE)
WEB = ("http", "https")
_NOBODY = re.compile(
    r"bot\b|crawl|spider|preview|facebookexternalhit|whatsapp/|slackbot|telegram|curl/|wget/|python-",
    re.IGNORECASE,
)


class Code(msgspec.Struct, forbid_unknown_fields=True):
    """What a source says of one code."""

    target: str
    store_id: str | None = None
    placement: str | None = None
    campaign: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """The scan, and where it leads."""
    named = request.route.removeprefix(PREFIX)
    codes: Any = source.options.get("codes")
    if not isinstance(codes, dict):
        return Refused("no source has this host")
    if named not in codes:
        return Challenge(_leading(str(source.options.get("otherwise", ""))))
    try:
        code = documents.fit(codes[named], Code)
    except Unfit:
        return Challenge(NOT_THERE)
    if request.method == "HEAD" or _NOBODY.search(request.header("user-agent") or ""):
        return Challenge(_leading(code.target))
    return Verdict(
        list(_events(Facts(request, source, MEDIUM), request, named, code)), answer=_leading(code.target)
    )


def host_of(request: Request) -> str | None:
    """The host name under which the gateway was reached, by its configured address where there is one."""
    return urlsplit(request.public_url).hostname


def _events(made: Facts, request: Request, named: str, code: Code) -> Iterator[Event]:
    scan = f"{named}:{request.received_at}:{request.peer}"
    yield CodeScanned(
        meta=made.meta(CodeScanned, scan, None),
        code=named,
        store_id=code.store_id,
        placement=code.placement,
        campaign=code.campaign,
        target=code.target,
    )
    if code.campaign is not None:
        yield CampaignTouched(
            meta=made.meta(CampaignTouched, scan, None),
            source="code",
            medium="offline",
            campaign=code.campaign,
            content=code.placement,
            landing_url=code.target,
        )


def _leading(target: str) -> Answer:
    parts = urlsplit(target)
    if parts.scheme not in WEB or not parts.hostname or any(map(str.isspace, target)):
        return NOT_THERE
    return Answer(302, headers={**NO_STORE, "Location": target})


CHANNEL = Channel(
    name="links",
    title="Codes on posters, shelves and products",
    medium=MEDIUM,
    receive=receive,
    proof="public key",
    evidence=Evidence("documented", "documented", "our own: deploy/examples/sources.yaml"),
    answers=Answers(refused=NOT_THERE),
    options=(
        Option(
            "codes", "by code its target, and store_id, placement and campaign", is_required=True, is_map=True
        ),
        Option("otherwise", "where a code leads that is not there"),
    ),
    methods=("GET", "HEAD"),
    routes=("/q/{code}",),
    key_of=host_of,
)
