"""What the objects of a WooCommerce shop have in common: lines, sums, people, times."""

from connectors.protocol import people, values
from connectors.protocol.channel import Source
from connectors.vendors.woocommerce.payload import Item, Order, Party
from schemas.events.lines import Line, Payment, Totals
from schemas.events.people import Address, Customer
from schemas.meta import Identifier, Instant

GMT = "UTC"
GUEST = 0


def line_of(line: Item) -> Line:
    """One line of an order."""
    total = values.amount(line.total)
    before = values.amount(line.subtotal) if line.subtotal is not None else total
    return Line(
        line_id=str(line.id),
        sku=line.sku or str(line.variation_id or line.product_id),
        product_id=str(line.product_id),
        quantity=line.quantity,
        unit_price=before // line.quantity if line.quantity else before,
        discount=before - total,
        tax=values.amount(line.total_tax),
        total=total,
    )


def totals_of(order: Order) -> Totals:
    """The sums of an order."""
    return Totals(
        total=values.amount(order.total),
        discount=values.amount(order.discount_total),
        tax=values.amount(order.total_tax),
        shipping=values.amount(order.shipping_total),
        is_tax_included=order.prices_include_tax,
    )


def payments_of(order: Order) -> list[Payment]:
    """The payment of an order; none where no method was chosen."""
    if not order.payment_method:
        return []
    named, is_paid = order.transaction_id or str(order.id), order.date_paid_gmt is not None
    status = "paid" if is_paid else "pending"
    return [
        Payment(
            payment_id=named, method=order.payment_method, status=status, amount=values.amount(order.total)
        )
    ]


def who(source: Source, order: Order) -> list[Identifier]:
    """Whose order it is."""
    billing = order.billing or Party()
    return people.known_as(
        source.name,
        customer_id=order.customer_id or None,
        email=billing.email,
        phone=billing.phone,
        region=source.region,
    )


def customer_of(source: Source, order: Order) -> Customer:
    """The customer as the order names them."""
    billing = order.billing or Party()
    return Customer(
        customer_id=None if order.customer_id == GUEST else str(order.customer_id),
        email=people.address_of(billing.email),
        phone=people.number_of(billing.phone, source.region),
        name=name_of(billing.first_name, billing.last_name),
        company=billing.company or None,
        addresses=addresses_of(order.billing, order.shipping),
    )


def addresses_of(billing: Party | None, shipping: Party | None) -> list[Address]:
    """The addresses that say where."""
    return [
        Address(
            kind=kind,
            name=name_of(party.first_name, party.last_name),
            company=party.company or None,
            line_1=party.address_1,
            line_2=party.address_2 or None,
            postal_code=party.postcode or None,
            city=party.city or None,
            region=party.state or None,
            country=party.country or None,
        )
        for kind, party in (("billing", billing), ("delivery", shipping))
        if party is not None and party.address_1
    ]


def name_of(first: str | None, last: str | None) -> str | None:
    """First and last name; None where neither is known."""
    return " ".join(filter(None, [first, last])) or None


def moment_of(text: str | None) -> Instant | None:
    """A time that ends in `_gmt`. Raises Unfit."""
    return None if text is None else values.moment(text, GMT)
