"""Calls of Segment's and RudderStack's clients, after captures of them, and what each gives."""

from typing import Any

SENT_AT = "2025-11-25T10:00:00.000Z"
ANONYMOUS = "8f3b3ac0-1f35-4c8e-9a51-7b0f3d2b6c11"
URL = "https://shop.example/dresses?utm_source=instagram&gclid=Cj0KCQ&session=secret#token"
PAGE = {
    "path": "/dresses",
    "referrer": "https://www.google.com/search?q=dress&hl=nl",
    "search": "?utm_source=instagram&gclid=Cj0KCQ&session=secret",
    "title": "Dresses",
    "url": URL,
}
CONTEXT: dict[str, Any] = {
    "page": PAGE,
    "userAgent": "Mozilla/5.0",
    "locale": "nl-NL",
    "timezone": "Europe/Amsterdam",
    "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
    "campaign": {"source": "instagram", "name": "winter"},
    "ip": "203.0.113.7",
}
PRODUCT = {
    "product_id": "632910392",
    "sku": "dress-36",
    "name": "Dress",
    "price": 199.95,
    "quantity": 1,
    "currency": "EUR",
}
ORDER = {
    "order_id": "50314b8e9bcf000000000000",
    "total": 42.5,
    "revenue": 35,
    "shipping": 5.5,
    "tax": 2,
    "currency": "EUR",
    "coupon": "WELKOM",
    "products": [
        {"product_id": "507f", "sku": "dress-36", "price": 19, "quantity": 1},
        {"product_id": "505b", "sku": "scarf", "price": 8, "quantity": 2},
    ],
}

SHOP: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("Products Searched", {"query": "winter dress"}, "SearchPerformed"),
    (
        "Product List Viewed",
        {"list_id": "hot", "category": "Dresses", "products": [PRODUCT]},
        "ProductListViewed",
    ),
    (
        "Product List Filtered",
        {"list_id": "hot", "filters": [{"type": "size", "value": "36"}]},
        "ProductListViewed",
    ),
    ("Product Clicked", PRODUCT, "ProductClicked"),
    ("Product Viewed", {**PRODUCT, "price": 16.487603305785125}, "ProductViewed"),
    ("Product Added", {**PRODUCT, "cart_id": "skdjsidjsdkdj29j"}, "CartLineAdded"),
    ("product_removed", PRODUCT, "CartLineRemoved"),
    ("Wishlist Product Added to Cart", {**PRODUCT, "wishlist_id": "w-1"}, "CartLineAdded"),
    ("Cart Viewed", {"cart_id": "d92jd29jd92jd29j92d92jd", "products": [PRODUCT]}, "CartReported"),
    ("Checkout Started", {**ORDER, "cart_id": "d92jd29jd92jd29j92d92jd"}, "CheckoutStarted"),
    ("Checkout Step Completed", {"checkout_id": "50314b8e", "step": 2}, "CheckoutStepCompleted"),
    ("Payment Info Entered", {"checkout_id": "50314b8e", "payment_method": "iDEAL"}, "CheckoutStepCompleted"),
    ("Order Completed", ORDER, "OrderPlaced"),
    ("Order Updated", {**ORDER, "status": "packed"}, "OrderReported"),
    ("Order Refunded", {"order_id": "50314b8e", "total": "30.00", "currency": "EUR"}, "RefundIssued"),
    ("Order Cancelled", ORDER, "OrderCancelled"),
    ("Coupon Entered", {"coupon_id": "may_deals"}, "CouponEntered"),
    ("Coupon Applied", {"coupon_name": "May Deals 2025", "discount": 23.32}, "CouponEntered"),
    ("Coupon Denied", {"coupon_id": "may_deals", "reason": "expired"}, "CouponEntered"),
    ("Coupon Removed", {"coupon_id": "may_deals"}, "CouponEntered"),
    ("Product Added to Wishlist", {**PRODUCT, "wishlist_id": "w-1"}, "WishlistLineAdded"),
    ("Product Removed from Wishlist", {**PRODUCT, "wishlist_id": "w-1"}, "WishlistLineRemoved"),
    (
        "Product Reviewed",
        {"product_id": "507f", "review_id": "r-1", "review_body": "Warm", "rating": "5"},
        "ReviewSubmitted",
    ),
    ("Application Opened", {"version": "1.2.3", "build": 1234}, "AppStateChanged"),
    ("Promotion Viewed", {"promotion_id": "promo_1", "price": 1.10}, "CustomActivityRecorded"),
)
"""What a track is called, what it says, and the event that it gives."""


def call(kind: str, **more: Any) -> dict[str, Any]:
    """One call as the browser's client makes it."""
    return {
        "type": kind,
        "messageId": f"ajs-next-1764064799000-{kind}",
        "anonymousId": ANONYMOUS,
        "userId": None,
        "timestamp": "2025-11-25T09:59:59.000Z",
        "context": CONTEXT,
        "integrations": {},
        **more,
    }


IDENTIFY = call(
    "identify",
    userId="97980cfea0067",
    traits={"email": "Sam@Example.com", "phone": "06 12345678", "address": {"city": "Haarlem"}, "plan": None},
)
ALIAS = call("alias", userId="507f191e81", previousId=ANONYMOUS)
GROUP = call(
    "group", userId="97980cfea0067", groupId="0e8c78ea9d", traits={"name": "Initech", "employees": 329}
)
SCREEN = call(
    "screen",
    name="Home",
    channel="mobile",
    context={"app": {"name": "Shop", "version": "545"}, "os": {"name": "iOS"}},
)
