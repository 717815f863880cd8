"""What every document of a shop has in common: its times, places, currency and people."""

from connectors.protocol import people, values
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.shopify.payload import NOTHING, Buyer, Cart, Id, Order, Place, Price, Prices, Subject
from schemas.events.people import Address
from schemas.meta import Amount, Identifier, Instant

MEDIUM = "web"
POS = "pos"
ITEM = "inventory_item"
"""The kind of reference that says which sku an inventory item is."""


class Shop:
    """One shop and one request of it: what its documents have in common. `meta` makes the meta of an event."""

    def __init__(self, source: Source, made: Facts) -> None:
        self.source = source
        self.meta = made.meta

    def at(self, text: str | None) -> Instant | None:
        """The moment; one without an offset is the shop's own. Raises Unfit."""
        return None if text is None else values.moment(text, self.source.zone)

    def zone(self) -> str:
        """Where the shop's days begin. Raises Unfit."""
        if self.source.zone is None:
            raise Unfit("a till's receipt needs the shop's business day: set `zone` for this source")
        return self.source.zone

    def location(self, location_id: Id) -> str:
        """The store or warehouse of ours; the shop's own id where the option `stores` does not name it."""
        return self.source.place(location_id)

    def currency(self, told: str | None) -> str:
        """The currency that was told, else the source's. Raises Unfit."""
        found = told or self.source.currency
        if found is None:
            raise Unfit("carts come without a currency: set `currency` for this source")
        return found

    def known(
        self, buyer: Buyer | Subject, email: str | None = None, phone: str | None = None
    ) -> list[Identifier]:
        """Who it is; an order's own `email` and `phone` go before those of its customer."""
        return people.known_as(
            self.source.name,
            customer_id=buyer.id,
            email=email or buyer.email,
            phone=phone or buyer.phone,
            region=self.source.region,
        )

    def who(self, found: Order | Cart) -> list[Identifier]:
        """Whose order or cart it is."""
        return self.known(found.customer or Buyer(), found.email, found.phone)


def money(prices: Prices | None, otherwise: Price = NOTHING) -> Amount:
    """The exact amount where the shop sends it, else the one beside it. Raises Unfit."""
    return values.amount(otherwise if prices is None else prices.shop_money.amount)


def name_of(buyer: Buyer) -> str | None:
    """First and last name; None where neither is known."""
    return " ".join(filter(None, [buyer.first_name, buyer.last_name])) or None


def address_of(place: Place) -> Address:
    """A postal address."""
    return Address(
        name=place.name,
        company=place.company,
        line_1=place.address1,
        line_2=place.address2,
        postal_code=place.zip,
        city=place.city,
        region=place.province,
        country=place.country_code,
    )
