"""Carts and checkouts, which are there before anybody has ordered."""

from connectors.protocol import documents, values
from connectors.protocol.channel import Verdict
from connectors.vendors.shopify.payload import Cart, CartLine
from connectors.vendors.shopify.shop import Shop
from schemas.events.baskets import CartReported, CheckoutStarted
from schemas.events.lines import Line
from schemas.meta import Event


def cart(shop: Shop, body: bytes) -> Verdict:
    return Verdict([_cart(shop, documents.read(body, Cart), None)])


def checkout(shop: Shop, body: bytes) -> Verdict:
    found = documents.read(body, Cart)
    at = shop.at(found.created_at)
    started = CheckoutStarted(
        meta=shop.meta(CheckoutStarted, found.token, at, shop.who(found)),
        checkout_id=found.token,
        cart_id=found.cart_token,
        currency=shop.currency(found.currency),
        lines=_cart_lines(found.line_items),
        total=None if found.total_price is None else values.amount(found.total_price),
    )
    return Verdict([started, _cart(shop, found, found.token)])


def _cart(shop: Shop, found: Cart, checkout_id: str | None) -> Event:
    at = shop.at(found.updated_at)
    return CartReported(
        meta=shop.meta(CartReported, f"{found.token}:{found.updated_at}", at, shop.who(found)),
        cart_id=found.cart_token or found.token,
        checkout_id=checkout_id,
        updated_at=at,
        currency=shop.currency(found.currency),
        lines=_cart_lines(found.line_items),
        total=None if found.total_price is None else values.amount(found.total_price),
    )


def _cart_lines(lines: list[CartLine]) -> list[Line]:
    return [
        Line(
            line_id=str(line.key or line.id or number),
            sku=line.sku or str(line.variant_id or line.id or number),
            product_id=None if line.product_id is None else str(line.product_id),
            quantity=line.quantity,
            unit_price=values.amount(line.price),
            total=values.amount(line.price) * line.quantity,
        )
        for number, line in enumerate(lines, 1)
    ]
