"""What customers have in mind to buy: carts, wish lists, checkouts."""

from schemas.events.lines import Line
from schemas.meta import Amount, Event, Instant


class CartLineAdded(Event, frozen=True, gc=False, kw_only=True):
    """A line, or more units of it, was put into a cart."""

    cart_id: str
    currency: str
    line: Line


class CartLineRemoved(Event, frozen=True, gc=False, kw_only=True):
    """A line, or some units of it, was taken out of a cart."""

    cart_id: str
    currency: str
    line: Line


class CartReported(Event, frozen=True, gc=False, kw_only=True):
    """A source says what a cart holds now."""

    cart_id: str
    checkout_id: str | None = None
    version: int | None = None
    updated_at: Instant | None = None
    currency: str
    lines: list[Line]
    total: Amount | None = None


class WishlistLineAdded(Event, frozen=True, gc=False, kw_only=True):
    """A customer put a product on a wish list."""

    list_id: str
    sku: str


class WishlistLineRemoved(Event, frozen=True, gc=False, kw_only=True):
    """A customer took a product off a wish list."""

    list_id: str
    sku: str


class CheckoutStarted(Event, frozen=True, gc=False, kw_only=True):
    """A customer went to the checkout."""

    checkout_id: str
    cart_id: str | None = None
    currency: str
    lines: list[Line]
    total: Amount | None = None


class CheckoutStepCompleted(Event, frozen=True, gc=False, kw_only=True):
    """A customer finished a step of the checkout."""

    checkout_id: str
    cart_id: str | None = None
    step: str
    shipping_method: str | None = None
    payment_method: str | None = None
