"""What customers do and say about themselves: who they are, what they look at, what brought them."""

from schemas.events.people import Address
from schemas.meta import Amount, Event, Identifier, Instant


class CustomerIdentified(Event, frozen=True, gc=False, kw_only=True):
    """A customer said who they are, by logging in or filling something in."""

    user_id: str | None = None
    anonymous_id: str | None = None
    traits: dict[str, str] = {}
    method: str | None = None


class IdentifiersLinked(Event, frozen=True, gc=False, kw_only=True):
    """A source says that two identifiers are one customer."""

    from_identifier: Identifier
    to_identifier: Identifier
    reason: str | None = None


class TraitsChanged(Event, frozen=True, gc=False, kw_only=True):
    """Traits of a customer were set or removed."""

    set: dict[str, str] = {}
    removed: list[str] = []
    effective_at: Instant | None = None


class CustomerReported(Event, frozen=True, gc=False, kw_only=True):
    """A source says how a customer is known there now."""

    customer_id: str
    version: int | None = None
    updated_at: Instant | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    company: str | None = None
    addresses: list[Address] = []
    tags: list[str] = []


class ConsentChanged(Event, frozen=True, gc=False, kw_only=True):
    """A customer allowed or forbade being contacted, for one purpose on one medium."""

    purpose: str
    medium: str
    address: str | None = None
    granted: bool
    legal_basis: str | None = None
    text_version: str | None = None


class ErasureRequested(Event, frozen=True, gc=False, kw_only=True):
    """A customer asked to be forgotten."""

    request_id: str
    subjects: list[Identifier]
    order_ids: list[str] = []
    due_at: Instant | None = None


class AccessRequested(Event, frozen=True, gc=False, kw_only=True):
    """A customer asked for everything that is held about them."""

    request_id: str
    subjects: list[Identifier]
    order_ids: list[str] = []
    due_at: Instant | None = None


class PageViewed(Event, frozen=True, gc=False, kw_only=True):
    """A customer looked at a page."""

    url: str | None = None
    path: str | None = None
    title: str | None = None
    referrer: str | None = None
    session_id: str | None = None


class ScreenViewed(Event, frozen=True, gc=False, kw_only=True):
    """A customer looked at a screen of an app."""

    name: str
    app_version: str | None = None
    session_id: str | None = None


class ProductViewed(Event, frozen=True, gc=False, kw_only=True):
    """A customer looked at a product."""

    sku: str | None = None
    product_id: str | None = None
    currency: str | None = None
    price: Amount | None = None
    position: int | None = None
    list_id: str | None = None


class ProductClicked(Event, frozen=True, gc=False, kw_only=True):
    """A customer chose a product from a list."""

    sku: str | None = None
    product_id: str | None = None
    currency: str | None = None
    price: Amount | None = None
    position: int | None = None
    list_id: str | None = None


class ProductListViewed(Event, frozen=True, gc=False, kw_only=True):
    """A customer looked at a list of products."""

    list_id: str | None = None
    category: str | None = None
    filters: dict[str, str] = {}
    skus: list[str] = []


class SearchPerformed(Event, frozen=True, gc=False, kw_only=True):
    """A customer searched."""

    query: str
    result_count: int | None = None
    filters: dict[str, str] = {}


class CouponEntered(Event, frozen=True, gc=False, kw_only=True):
    """A customer tried a discount code."""

    code: str
    cart_id: str | None = None
    outcome: str
    reason: str | None = None


class CampaignTouched(Event, frozen=True, gc=False, kw_only=True):
    """A customer came from, or was reached by, a campaign."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    content: str | None = None
    term: str | None = None
    click_id_kind: str | None = None
    click_id: str | None = None
    landing_url: str | None = None
    referrer_class: str | None = None


class CodeScanned(Event, frozen=True, gc=False, kw_only=True):
    """A customer scanned a code on a product, a poster or a shelf."""

    code: str
    store_id: str | None = None
    placement: str | None = None
    campaign: str | None = None
    target: str | None = None


class StoreVisited(Event, frozen=True, gc=False, kw_only=True):
    """A customer was in a store."""

    store_id: str
    method: str
    duration_s: int | None = None


class ReviewSubmitted(Event, frozen=True, gc=False, kw_only=True):
    """A customer rated a product, an order or the shop."""

    review_id: str
    platform: str
    sku: str | None = None
    rating: int | None = None
    scale: int | None = None
    text: str | None = None
    order_id: str | None = None


class FormSubmitted(Event, frozen=True, gc=False, kw_only=True):
    """A customer sent a form."""

    form_id: str
    fields: dict[str, str] = {}
    topic: str | None = None
    order_id: str | None = None


class AppStateChanged(Event, frozen=True, gc=False, kw_only=True):
    """An app was installed, opened, updated or removed."""

    state: str
    version: str | None = None
    push_token: str | None = None


class CustomActivityRecorded(Event, frozen=True, gc=False, kw_only=True):
    """Something that has no event of its own here."""

    name: str
    properties_json: str
