"""Every topic of the house: its key, the events it carries and its settings, in one catalogue."""

import schemas.events.activity as a
import schemas.events.baskets as b
import schemas.events.codes as c
import schemas.events.orders as o
import schemas.events.service as talk
import schemas.events.stock as s
import schemas.events.stock_requests as r
from schemas.events.answers import AnswerPublished
from schemas.events.dead_letters import DeadLettered, LetterReplayed, LetterSkipped
from schemas.events.ingest import (
    CursorMoved,
    FetchRequested,
    ReferenceLearned,
    RequestReceived,
    RequestsRefused,
)
from schemas.events.loyalty import PointsEarned, PointsExpired, PointsSpent, TierChanged
from schemas.events.marketing import MessageStatusReported, SpendReported
from schemas.events.notifications import NotificationOutcomeReported, NotificationRequested
from schemas.events.parcels import ParcelLinked, ParcelStatusReported
from schemas.events.prices import PriceAcknowledged, PriceObserved, PricePublished, PriceSet
from schemas.events.products import ProductReported
from schemas.events.states import (
    IdentityPointer,
    JourneyState,
    OrderState,
    Profile,
    StockLedgerEntry,
    StockLevel,
)
from schemas.keys import (
    by,
    by_campaign,
    by_conversation,
    by_fetch,
    by_message,
    by_parcel,
    by_person,
    by_poller,
    by_purchase,
    by_reference,
    spread,
)
from schemas.meta import Event
from schemas.topic import Topic

LETTER_BYTES_MAX = 1_200_000
"""A dead letter holds a whole record and what is said about it."""
REQUEST_BYTES_MAX = 8 * 1024 * 1024 + 64 * 1024
"""A request's body and what is said about it."""


class Unroutable(ValueError):
    """The event's type is on no topic that channels publish to."""


def route(event: Event, secret: str = "") -> tuple[Topic, str]:
    """The topic and the record key of an event that a channel publishes.

    Raises Unroutable for a type that is on no input topic, SecretMissing when the key would show a person and
    `secret` is empty.
    """
    topic = _ROUTES.get(type(event))
    if topic is None or topic.key is None:
        raise Unroutable(f"{type(event).__name__} is on no topic that channels publish to")
    return topic, topic.key(event, secret)


ACTIVITY = Topic(
    "customer.activity.v1",
    (
        a.CustomerIdentified,
        a.IdentifiersLinked,
        a.TraitsChanged,
        a.CustomerReported,
        a.ConsentChanged,
        a.ErasureRequested,
        a.AccessRequested,
        a.PageViewed,
        a.ScreenViewed,
        a.ProductViewed,
        a.ProductClicked,
        a.ProductListViewed,
        a.SearchPerformed,
        b.CartLineAdded,
        b.CartLineRemoved,
        b.CartReported,
        b.WishlistLineAdded,
        b.WishlistLineRemoved,
        b.CheckoutStarted,
        b.CheckoutStepCompleted,
        a.CouponEntered,
        a.CampaignTouched,
        a.CodeScanned,
        a.StoreVisited,
        a.ReviewSubmitted,
        a.FormSubmitted,
        a.AppStateChanged,
        a.CustomActivityRecorded,
    ),
    by_person,
)
ORDERS = Topic(
    "commerce.orders.v1",
    (
        o.OrderReported,
        o.OrderPlaced,
        o.OrderAccepted,
        o.OrderPaid,
        o.PaymentFailed,
        o.OrderChanged,
        o.CancellationRequested,
        o.OrderCancelled,
        o.OrderLineShort,
        o.OrderPacked,
        o.OrderShipped,
        o.OrderOutForDelivery,
        o.OrderDelivered,
        o.DeliveryFailed,
        o.OrderReadyForPickup,
        o.OrderCollected,
        o.ReturnRequested,
        o.ReturnAnnounced,
        o.ReturnReceived,
        o.ReturnInspected,
        o.RefundIssued,
        o.SoldInStore,
        o.ReturnedInStore,
        o.StoreSaleVoided,
    ),
    by_purchase,
)
STOCK = Topic(
    "commerce.stock.v1",
    (
        s.StockSold,
        s.StockSaleVoided,
        s.StockCounted,
        s.StockLevelReported,
        s.StockReceived,
        s.StockShipped,
        s.StockMoved,
        s.StockAdjusted,
        s.StockInspected,
        s.InboundAnnounced,
        s.InboundChanged,
        s.InboundCancelled,
        s.SellerStockDeclared,
        s.StockFactCorrected,
        r.ReserveStock,
        r.ExtendReservation,
        r.ReleaseReservation,
        r.CommitStock,
        r.SourceOrderLine,
        r.RejectOrderLine,
        r.PickStock,
        r.DispatchStock,
        r.CancelCommitment,
        r.RequestTransfer,
        r.TransferShipped,
        r.TransferReceived,
        r.AllocateRing,
        r.SetSafetyStock,
        r.SetBuffer,
        r.StartRecall,
    ),
    by("sku"),
)
PARCELS = Topic("commerce.parcels.v1", (ParcelStatusReported, ParcelLinked), by_parcel)
CODES = Topic(
    "commerce.codes.v1",
    (c.CodeIssued, c.CheckCode, c.RedeemCode, c.ReleaseCode, c.CodeRedeemed, c.CodeRevoked),
    by("code"),
)
PRICES = Topic("commerce.prices.v1", (PriceSet, PricePublished, PriceAcknowledged, PriceObserved), by("sku"))
PRODUCTS = Topic("commerce.products.v1", (ProductReported,), by("sku"), cleanup="compact")
CONVERSATIONS = Topic(
    "service.conversations.v1",
    (
        talk.ConversationStarted,
        talk.ConversationAssigned,
        talk.ConversationClosed,
        talk.ConversationRated,
        talk.MessageReceived,
        talk.MessageSent,
        talk.MessageRemoved,
        talk.PromiseMade,
        talk.CallStarted,
        talk.CallEnded,
        talk.SocialMentioned,
        talk.CommentPosted,
    ),
    by_conversation,
)
LOYALTY = Topic("customer.loyalty.v1", (PointsEarned, PointsSpent, PointsExpired, TierChanged), by("card"))
ANSWERS = Topic("service.answers.v1", (AnswerPublished,), by("answer_id"), cleanup="compact")
SPEND = Topic("marketing.spend.v1", (SpendReported,), by_campaign)
MESSAGES = Topic("marketing.messages.v1", (MessageStatusReported,), by_message)
RAW = Topic(
    "ingest.raw.v1",
    (RequestReceived, RequestsRefused),
    spread,
    retention_days=7,
    is_public=False,
    record_bytes_max=REQUEST_BYTES_MAX,
)
FETCHES = Topic("connectors.fetches.v1", (FetchRequested,), by_fetch, retention_days=7, is_public=False)
REFERENCES = Topic(
    "connectors.references.v1", (ReferenceLearned,), by_reference, cleanup="compact", is_public=False
)
CURSORS = Topic("connectors.cursors.v1", (CursorMoved,), by_poller, cleanup="compact", is_public=False)
"""How far each source that must be asked has been asked, written with what it answered."""

INPUTS = (
    ACTIVITY,
    ORDERS,
    STOCK,
    PARCELS,
    CODES,
    PRICES,
    PRODUCTS,
    CONVERSATIONS,
    LOYALTY,
    ANSWERS,
    SPEND,
    MESSAGES,
    RAW,
    FETCHES,
    REFERENCES,
    CURSORS,
)
"""What connectors and channel teams publish to."""

CUSTOMER_EVENTS = tuple(
    each
    for topic in (ACTIVITY, ORDERS, PARCELS, CODES, CONVERSATIONS, LOYALTY, MESSAGES)
    for each in topic.events
)
"""Every event that may concern a customer."""

PROFILES = Topic("customer.profiles.v1", (Profile,), cleanup="compact")
IDENTITIES = Topic("customer.identities.v1", (IdentityPointer,), cleanup="compact")
TIMELINE = Topic("customer.timeline.v1", CUSTOMER_EVENTS)
LEVELS = Topic("stock.levels.v1", (StockLevel,), cleanup="compact")
LEDGER = Topic("stock.ledger.v1", (StockLedgerEntry,))
ORDER_STATES = Topic("commerce.order-states.v1", (OrderState,), cleanup="compact")
JOURNEYS = Topic("customer.journeys.v1", (JourneyState,), cleanup="compact")
NOTIFICATIONS_REQUESTED = Topic("notifications.requested.v1", (NotificationRequested,))
NOTIFICATION_OUTCOMES = Topic("notifications.outcomes.v1", (NotificationOutcomeReported,))
DEAD_LETTERS = Topic("dead-letters.v1", (DeadLettered,), is_public=False, record_bytes_max=LETTER_BYTES_MAX)
SETTLED_LETTERS = Topic(
    "vaart.dead-letters.settled.v1",
    (LetterReplayed, LetterSkipped),
    is_public=False,
    record_bytes_max=LETTER_BYTES_MAX,
)
"""What was decided on dead letters. A replayed one stands in the partition of the lane that is to take it again."""
ROUTED = Topic("vaart.identity.routed.v1", CUSTOMER_EVENTS, is_public=False)
"""Between the identity view and the profiles: every event that concerns a customer, by profile id."""

TOPICS = (
    *INPUTS,
    PROFILES,
    IDENTITIES,
    TIMELINE,
    LEVELS,
    LEDGER,
    ORDER_STATES,
    JOURNEYS,
    NOTIFICATIONS_REQUESTED,
    NOTIFICATION_OUTCOMES,
    DEAD_LETTERS,
    SETTLED_LETTERS,
    ROUTED,
)
"""The catalogue. Changelogs of views come on top: streams.view.View.changelog."""

_ROUTES = {each: topic for topic in INPUTS for each in topic.events}
