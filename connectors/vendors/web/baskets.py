"""Products, lines and sums in the words of Segment's ecommerce spec, which pages of all vendors use or nearly.

Products have no line ids there: a line is known by its sku, so that a refund finds the line that an order had.
"""

from collections import Counter
from collections.abc import Iterable

from connectors.protocol.documents import Unfit
from connectors.vendors.web.hits import Hit
from connectors.vendors.web.properties import Properties
from schemas.events.lines import Line, LineQuantity, Totals
from schemas.events.people import Customer


def sku_of(product: Properties) -> str:
    """What the product is called; its product id where it has no sku of its own. Raises Unfit."""
    found = product.text("sku", "product_id", "id")
    if found is None:
        raise Unfit("a product has neither `sku` nor `product_id`")
    return found


def lines_of(products: Iterable[Properties]) -> list[Line]:
    """A line for each product. The same sku once more is a line of its own. Raises Unfit."""
    seen: Counter[str] = Counter()
    return [_line(product, _named(sku_of(product), seen)) for product in products]


def quantities_of(products: Iterable[Properties]) -> list[LineQuantity]:
    """How many of which line. Raises Unfit."""
    seen: Counter[str] = Counter()
    return [
        LineQuantity(line_id=_named(sku_of(each), seen), sku=sku_of(each), quantity=_quantity(each))
        for each in products
    ]


def totals_of(told: Properties, lines: list[Line]) -> Totals:
    """The sums of an order. `revenue` is without shipping and tax; a total that is not told is what that makes."""
    goods = sum(line.total for line in lines)
    shipping, tax = told.amount("shipping") or 0, told.amount("tax") or 0
    discount = told.amount("discount") or 0
    revenue = told.amount("revenue", "value")
    total = told.amount("total")
    if total is None:
        total = (goods - discount if revenue is None else revenue) + shipping + tax
    return Totals(
        total=total,
        discount=discount,
        tax=tax,
        shipping=shipping,
        is_tax_included=not tax or total != goods - discount + shipping + tax,
    )


def customer_of(hit: Hit) -> Customer | None:
    """Who ordered, as far as the page knows."""
    found = {each.kind: each.value for each in hit.who}
    named = found.get("customer_id", "").removeprefix(f"{hit.source.name}:")
    if not named and "email" not in found:
        return None
    return Customer(customer_id=named or None, email=found.get("email"), phone=found.get("phone"))


def coupons_of(told: Properties) -> list[str]:
    """The discount codes that an order used."""
    found = told.text("coupon")
    return [] if found is None else [code.strip() for code in found.split(",") if code.strip()]


def _line(product: Properties, line_id: str) -> Line:
    price, quantity = product.amount("price"), _quantity(product)
    return Line(
        line_id=line_id,
        sku=sku_of(product),
        product_id=product.text("product_id"),
        gtin=product.text("gtin", "ean"),
        quantity=quantity,
        unit_price=price,
        total=(price or 0) * quantity,
    )


def _quantity(product: Properties) -> int:
    found = product.whole("quantity")
    if found is None:
        return 1
    if found < 1:
        raise Unfit("`quantity` must be 1 or more")
    return found


def _named(sku: str, seen: Counter[str]) -> str:
    seen[sku] += 1
    return sku if seen[sku] == 1 else f"{sku}:{seen[sku]}"
