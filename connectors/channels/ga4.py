"""Google Analytics 4: what servers and apps send by its Measurement Protocol.

| event | events |
| --- | --- |
| page_view | PageViewed; CampaignTouched where the page's address names a campaign or an ad |
| screen_view | ScreenViewed |
| campaign_details | CampaignTouched |
| login, sign_up | CustomerIdentified |
| search, view_search_results | SearchPerformed |
| view_item_list | ProductListViewed |
| view_item, select_item | ProductViewed, ProductClicked of each item |
| add_to_cart, remove_from_cart | CartLineAdded, CartLineRemoved of each item |
| add_to_wishlist | WishlistLineAdded of each item |
| view_cart | CartReported |
| begin_checkout | CheckoutStarted |
| add_shipping_info, add_payment_info | CheckoutStepCompleted |
| purchase, refund | OrderPlaced, RefundIssued |
| any other | CustomActivityRecorded |
| `user_properties` | TraitsChanged |

`api_secret` in the query is the proof; `measurement_id` or `firebase_app_id` says which source it is. The protocol
never tells a sender that something is wrong, but for `/debug/mp/collect`, which checks and keeps nothing
(developers.google.com/analytics/devguides/collection/protocol/ga4).
"""

from connectors.protocol import bodies, facts, signatures
from connectors.protocol.channel import (
    Answer,
    Answers,
    Challenge,
    Channel,
    Evidence,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.vendors.ga4.checking import checked
from connectors.vendors.ga4.reading import Reader
from connectors.vendors.web import addresses, shopping
from connectors.vendors.web.hits import once

COLLECT, DEBUG = "/mp/collect", "/debug/mp/collect"
NOTHING_TO_SAY = Answer(204)


def receive(request: Request, source: Source) -> Outcome:
    """A sender that is known hears nothing, whatever it sent; one that asks for a check hears what is wrong."""
    if not signatures.same(source.secrets, request.parameter("api_secret")):
        return Refused("the api_secret does not fit")
    if request.route.startswith(DEBUG):
        return Challenge(checked(request.body))
    try:
        return _read(request, source)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def key_of(request: Request) -> str | None:
    """The stream of events that the request is for."""
    return request.parameter("measurement_id") or request.parameter("firebase_app_id")


def _read(request: Request, source: Source) -> Verdict:
    reader = Reader(request, source, bodies.parsed(request.body))
    verdict = facts.gather(reader.items(), reader.events)
    verdict.events = once([*reader.traits(), *verdict.events])
    return verdict


CHANNEL = Channel(
    name="ga4",
    title="Google Analytics 4 (Measurement Protocol)",
    medium="web",
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "documented", "documented", "developers.google.com, Measurement Protocol (Google Analytics 4)"
    ),
    answers=Answers(
        ok=NOTHING_TO_SAY,
        malformed=NOTHING_TO_SAY,
        refused=NOTHING_TO_SAY,
        too_large=NOTHING_TO_SAY,
    ),
    options=(addresses.OPTION, shopping.ORDERS),
    routes=(COLLECT, DEBUG),
    key_of=key_of,
    retries=False,
)
