"""What a page calls something that happens in a shop, and which of our events that is.

The names are those of Segment's ecommerce and mobile specs (segment.com/docs, "V2 Ecommerce Events", "Mobile
Lifecycle Events"); RudderStack has the same. Other vendors' names are turned into them.

| name | event |
| --- | --- |
| Products Searched | SearchPerformed |
| Product List Viewed, Product List Filtered | ProductListViewed |
| Product Clicked, Product Viewed | ProductClicked, ProductViewed |
| Product Added, Product Removed, Wishlist Product Added to Cart | CartLineAdded, CartLineRemoved |
| Cart Viewed | CartReported |
| Checkout Started | CheckoutStarted |
| Checkout Step Completed, Payment Info Entered | CheckoutStepCompleted |
| Order Completed, Order Updated | OrderPlaced, OrderReported |
| Order Refunded, Order Cancelled | RefundIssued, OrderCancelled |
| Coupon Entered, Coupon Applied, Coupon Denied, Coupon Removed | CouponEntered |
| Product Added to Wishlist, Product Removed from Wishlist | WishlistLineAdded, WishlistLineRemoved |
| Product Reviewed | ReviewSubmitted |
| Application Installed, Opened, Updated, Backgrounded, Uninstalled, Crashed | AppStateChanged |
| any other | CustomActivityRecorded |
"""

from collections.abc import Callable, Iterator

from connectors.protocol.channel import Option
from connectors.protocol.documents import Unfit
from connectors.vendors.web import orders
from connectors.vendors.web.baskets import lines_of, sku_of
from connectors.vendors.web.hits import Hit
from connectors.vendors.web.properties import Properties, as_json
from schemas.events.activity import (
    AppStateChanged,
    CouponEntered,
    CustomActivityRecorded,
    ProductClicked,
    ProductListViewed,
    ProductViewed,
    ReviewSubmitted,
    SearchPerformed,
)
from schemas.events.baskets import (
    CartLineAdded,
    CartLineRemoved,
    CartReported,
    CheckoutStarted,
    CheckoutStepCompleted,
    WishlistLineAdded,
    WishlistLineRemoved,
)
from schemas.meta import Event

ORDERS = Option(
    "orders",
    "`elsewhere` where the shop itself reports its orders too: what pages say about orders is then custom activity",
)
ELSEWHERE = "elsewhere"
RATING_SCALE = 5

Made = Iterator[Event]


def events(hit: Hit, name: str, told: Properties) -> Made:
    """The events that `name` with these properties is. Raises Unfit where it lacks what such an event says."""
    word = name.strip().lower().replace("_", " ")
    make = _NAMES.get(word)
    if make is None or (word in _OF_ORDERS and hit.source.options.get(ORDERS.name) == ELSEWHERE):
        return custom(hit, name, told)
    return make(hit, told)


def custom(hit: Hit, name: str, told: Properties) -> Made:
    """The event for what has none of its own."""
    properties = as_json(told.told)
    yield CustomActivityRecorded(meta=hit.meta(CustomActivityRecorded), name=name, properties_json=properties)


def _searched(hit: Hit, told: Properties) -> Made:
    yield SearchPerformed(
        meta=hit.meta(SearchPerformed),
        query=told.needed("query"),
        result_count=told.whole("result_count", "results"),
        filters=_filters(told),
    )


def _list_viewed(hit: Hit, told: Properties) -> Made:
    yield ProductListViewed(
        meta=hit.meta(ProductListViewed),
        list_id=told.text("list_id", "list_name"),
        category=told.text("category"),
        filters=_filters(told),
        skus=[sku_of(product) for product in told.each("products")],
    )


def _product(kind: type[ProductViewed] | type[ProductClicked]) -> Callable[[Hit, Properties], Made]:
    def make(hit: Hit, told: Properties) -> Made:
        price = told.amount("price")
        yield kind(
            meta=hit.meta(kind),
            sku=sku_of(told),
            product_id=told.text("product_id"),
            currency=None if price is None else hit.currency(told.text("currency")),
            price=price,
            position=told.whole("position"),
            list_id=told.text("list_id"),
        )

    return make


def _cart_line(kind: type[CartLineAdded] | type[CartLineRemoved]) -> Callable[[Hit, Properties], Made]:
    def make(hit: Hit, told: Properties) -> Made:
        yield kind(
            meta=hit.meta(kind),
            cart_id=_cart(hit, told),
            currency=hit.currency(told.text("currency")),
            line=lines_of([told])[0],
        )

    return make


def _cart_viewed(hit: Hit, told: Properties) -> Made:
    """A page that does not say what is in the cart says nothing about it."""
    if not told.has("products"):
        yield from custom(hit, "Cart Viewed", told)
        return
    lines = lines_of(told.each("products"))
    meta = hit.meta(CartReported)
    yield CartReported(
        meta=meta,
        cart_id=_cart(hit, told),
        updated_at=meta.occurred_at,
        currency=hit.currency(told.text("currency")),
        lines=lines,
        total=told.amount("total", "value") if lines else 0,
    )


def _checkout_started(hit: Hit, told: Properties) -> Made:
    yield CheckoutStarted(
        meta=hit.meta(CheckoutStarted),
        checkout_id=_checkout(hit, told),
        cart_id=told.text("cart_id"),
        currency=hit.currency(told.text("currency")),
        lines=lines_of(told.each("products")),
        total=told.amount("total", "value", "revenue"),
    )


def _step(otherwise: str) -> Callable[[Hit, Properties], Made]:
    def make(hit: Hit, told: Properties) -> Made:
        yield CheckoutStepCompleted(
            meta=hit.meta(CheckoutStepCompleted),
            checkout_id=_checkout(hit, told),
            cart_id=told.text("cart_id"),
            step=told.text("step") or otherwise,
            shipping_method=told.text("shipping_method"),
            payment_method=told.text("payment_method"),
        )

    return make


def _coupon(outcome: str) -> Callable[[Hit, Properties], Made]:
    def make(hit: Hit, told: Properties) -> Made:
        code = told.text("coupon_name", "coupon_id", "coupon")
        if code is None:
            raise Unfit("a coupon has neither `coupon_name` nor `coupon_id`")
        yield CouponEntered(
            meta=hit.meta(CouponEntered),
            code=code,
            cart_id=told.text("cart_id"),
            outcome=outcome,
            reason=told.text("reason"),
        )

    return make


def _wished(kind: type[WishlistLineAdded] | type[WishlistLineRemoved]) -> Callable[[Hit, Properties], Made]:
    def make(hit: Hit, told: Properties) -> Made:
        named = told.text("wishlist_id", "wishlist_name") or hit.visitor
        if named is None:
            raise Unfit("`wishlist_id` is missing, and nobody is named whose list it could be")
        yield kind(meta=hit.meta(kind), list_id=named, sku=sku_of(told))

    return make


def _reviewed(hit: Hit, told: Properties) -> Made:
    yield ReviewSubmitted(
        meta=hit.meta(ReviewSubmitted),
        review_id=told.text("review_id") or hit.id,
        platform=hit.source.name,
        sku=sku_of(told),
        rating=told.whole("rating"),
        scale=RATING_SCALE if told.has("rating") else None,
        text=told.text("review_body"),
    )


def _app(state: str) -> Callable[[Hit, Properties], Made]:
    def make(hit: Hit, told: Properties) -> Made:
        meta = hit.meta(AppStateChanged)
        yield AppStateChanged(meta=meta, state=state, version=told.text("version"))

    return make


def _cart(hit: Hit, told: Properties) -> str:
    """A shop that does not name its carts has one for each visitor."""
    found = told.text("cart_id") or hit.visitor
    if found is None:
        raise Unfit("`cart_id` is missing, and nobody is named whose cart it could be")
    return found


def _checkout(hit: Hit, told: Properties) -> str:
    return told.text("checkout_id", "order_id") or _cart(hit, told)


def _filters(told: Properties) -> dict[str, str]:
    return {each.text("type") or "": each.text("value") or "" for each in told.each("filters")}


_NAMES: dict[str, Callable[[Hit, Properties], Made]] = {
    "products searched": _searched,
    "product list viewed": _list_viewed,
    "product list filtered": _list_viewed,
    "product clicked": _product(ProductClicked),
    "product viewed": _product(ProductViewed),
    "product added": _cart_line(CartLineAdded),
    "product removed": _cart_line(CartLineRemoved),
    "wishlist product added to cart": _cart_line(CartLineAdded),
    "cart viewed": _cart_viewed,
    "checkout started": _checkout_started,
    "checkout step completed": _step("unknown"),
    "payment info entered": _step("payment"),
    "order completed": orders.completed,
    "order updated": orders.updated,
    "order refunded": orders.refunded,
    "order cancelled": orders.cancelled,
    "coupon entered": _coupon("entered"),
    "coupon applied": _coupon("applied"),
    "coupon denied": _coupon("denied"),
    "coupon removed": _coupon("removed"),
    "product added to wishlist": _wished(WishlistLineAdded),
    "product removed from wishlist": _wished(WishlistLineRemoved),
    "product reviewed": _reviewed,
    "application installed": _app("installed"),
    "application opened": _app("opened"),
    "application updated": _app("updated"),
    "application backgrounded": _app("backgrounded"),
    "application uninstalled": _app("uninstalled"),
    "application crashed": _app("crashed"),
}
_OF_ORDERS = frozenset({"order completed", "order updated", "order refunded", "order cancelled"})
