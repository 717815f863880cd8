"""One thing that a page, an app or a shop's server said: about whom, when and where, whoever's client told it."""

from dataclasses import dataclass, field, replace

from connectors.protocol import people
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from schemas.identifiers import ANONYMOUS_ID, CUSTOMER_ID
from schemas.meta import Event, Identifier, Instant, Meta

WEB, APP = "web", "app"


@dataclass(slots=True)
class Hit:
    """`id` is the sender's own of this hit. Its addresses, and what it says, have been cleaned."""

    facts: Facts
    source: Source
    id: str
    at: Instant | None
    who: list[Identifier]
    context: dict[str, str] = field(default_factory=dict)
    url: str | None = None
    referrer: str | None = None
    session_id: str | None = None

    @property
    def visitor(self) -> str | None:
        """The browser's or app's own id, else the customer's: never an address."""
        found = {each.kind: each.value for each in self.who}
        return found.get(ANONYMOUS_ID) or found.get(CUSTOMER_ID)

    def meta(self, kind: type[Event]) -> Meta:
        """The meta of an event that this hit is."""
        return self.known_by(kind, self.id)

    def part(self, number: int) -> "Hit":
        """One of several things of the same type that this hit says at once."""
        return replace(self, id=f"{self.id}:{number}")

    def known_by(self, kind: type[Event], business_id: str) -> Meta:
        """The meta of an event about something with an id of its own, such as an order."""
        where = {"page": self.url or "", "referrer": self.referrer or "", "session_id": self.session_id or ""}
        return self.facts.meta(kind, business_id, self.at, self.who, {**where, **self.context})

    def currency(self, told: str | None) -> str:
        """The currency that was told, else the source's. Raises Unfit."""
        found = (told or self.source.currency or "").upper()
        if not found:
            raise Unfit("has no currency: set `currency` for this source")
        return found


def known(
    source: Source,
    *,
    user_id: str | None = None,
    visitor_id: str | None = None,
    email: str | None = None,
    phone: str | None = None,
) -> list[Identifier]:
    """Who it is. Shops that use e-mail addresses as their customers' ids mean the address."""
    mails = [people.address_of(each) for each in (email, user_id, visitor_id)]
    return people.known_as(
        source.name,
        customer_id=None if mails[1] else user_id,
        email=next(filter(None, mails), None),
        phone=phone,
        anonymous_id=None if mails[2] else visitor_id,
        region=source.region,
    )


def once(events: list[Event]) -> list[Event]:
    """The events without those that say again what one before them said."""
    found: dict[str, Event] = {}
    for event in events:
        found.setdefault(event.meta.event_id, event)
    return list(found.values())
