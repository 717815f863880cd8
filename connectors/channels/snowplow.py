"""Snowplow: what its trackers send to a collector, which the gateway is for them.

| event | events |
| --- | --- |
| pv (page view) | PageViewed; CampaignTouched where the page's address names a campaign or an ad |
| pp (page ping) | none |
| se (structured) | CustomActivityRecorded |
| tr (transaction) | OrderPlaced, with the items of the same request |
| ti (item of a transaction) | none, or OrderChanged where it comes without its transaction |
| ue (self-describing) snowplow_ecommerce_action | by its type the event of a shop |
| ue add_to_cart, remove_from_cart | CartLineAdded, CartLineRemoved |
| ue site_search, submit_form | SearchPerformed, FormSubmitted |
| ue screen_view, application_install, _foreground, _background, _error | ScreenViewed, AppStateChanged |
| ue of any other schema | CustomActivityRecorded |

Nothing is signed; the app id (`aid`) says which source it is. Wire format: docs.snowplow.io, "Snowplow Tracker
Protocol".
"""

from typing import Any

from connectors.protocol import bodies, facts
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Answer,
    Answers,
    Channel,
    Evidence,
    Malformed,
    Outcome,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable
from connectors.vendors.snowplow.reading import Reader
from connectors.vendors.web import addresses, shopping
from connectors.vendors.web.hits import once
from connectors.vendors.web.sending import PICTURE

POSTED, PICTURED = "/com.snowplowanalytics.snowplow/tp2", "/i"
OVERLOADED_S = "5"


def receive(request: Request, source: Source) -> Outcome:
    """The events of all payloads in a request, whose one is the query of a picture."""
    if request.method == "GET":
        return _read(request, source, [dict(request.query)], PICTURE)
    try:
        told = bodies.parsed_of(request)
    except NotReadable as error:
        return Malformed(str(error))
    payloads = told.get("data") if isinstance(told, dict) else None
    if not isinstance(payloads, list) or not payloads:
        return Malformed("`data` must be a list of payloads")
    return _read(request, source, payloads)


def key_of(request: Request) -> str | None:
    """The app id of the first payload."""
    if request.method == "GET":
        return request.parameter("aid")
    try:
        told = bodies.parsed_of(request)
    except NotReadable:
        return None
    payloads = told.get("data") if isinstance(told, dict) else None
    first = payloads[0] if isinstance(payloads, list) and payloads else None
    found = first.get("aid") if isinstance(first, dict) else None
    return found if isinstance(found, str) else None


def _read(request: Request, source: Source, payloads: list[Any], answer: Answer | None = None) -> Verdict:
    reader = Reader(request, source, payloads)
    verdict = facts.gather(payloads, reader.events)
    return Verdict(once(verdict.events), verdict.rejects, answer=answer)


CHANNEL = Channel(
    name="snowplow",
    title="Snowplow's trackers",
    medium="web",
    receive=receive,
    proof="public key",
    evidence=Evidence(
        "documented",
        "captured request",
        "browser-tracker, node-tracker and snowplow-tracker; docs.snowplow.io, Snowplow Tracker Protocol",
    ),
    answers=Answers(
        ok=Answer(200, b"ok"),
        overloaded=Answer(503, headers={"Retry-After": OVERLOADED_S}),
    ),
    options=(addresses.OPTION, shopping.ORDERS),
    methods=("POST", "GET"),
    routes=(POSTED, PICTURED),
    key_of=key_of,
    body_bytes_max=BATCH_BYTES_MAX,
)
