"""Record keys: which records of a topic keep their order. Plain text in which no person shows."""

from collections.abc import Callable
from typing import Any

from schemas.events.orders import ReturnedInStore, SoldInStore, StoreSaleVoided
from schemas.identifiers import ANONYMOUS_ID, hidden, key_of, strongest
from schemas.meta import Identifier, Meta

Key = Callable[[Any, str], str]
"""`key(event, secret)`: the record key, plain text. Only activity needs the identifier secret."""

_KEYED_BY_BROWSER = frozenset({"web", "app"})
IDS_SHOW_PEOPLE = frozenset({"messaging", "phone", "whatsapp", "sms"})
"""Channels and media whose sources make ids of telephone numbers."""


def by_person(event: Any, secret: str) -> str:
    """A browser's anonymous id does not change in a session; others go by their strongest identifier."""
    meta: Meta = event.meta
    browser = _browser(meta) if meta.channel in _KEYED_BY_BROWSER else None
    chosen = browser or strongest(meta.identifiers)
    return key_of(chosen, secret) if chosen else meta.event_id


def _browser(meta: Meta) -> Identifier | None:
    return next((each for each in meta.identifiers if each.kind == ANONYMOUS_ID), None)


def _by_order(event: Any, _: str) -> str:
    """The order's own id, within its source."""
    return f"{event.meta.source}:{event.order_id}"


def _by_receipt(event: Any, _: str) -> str:
    """A till receipt is an order of its till."""
    return f"{event.meta.source}:{event.receipt_id}"


def _by_returned(event: Any, _: str) -> str:
    """What comes back belongs to the purchase, where the till knows it, whichever source sold it."""
    if event.original_order_id is None:
        return f"{event.meta.source}:{event.receipt_id}"
    return f"{event.original_source or event.meta.source}:{event.original_order_id}"


def _by_voided(event: Any, _: str) -> str:
    """Undoing a receipt belongs to the receipt."""
    return f"{event.meta.source}:{event.voided_receipt_id}"


_OTHER_ORDER_KEYS: dict[type, Key] = {
    SoldInStore: _by_receipt,
    ReturnedInStore: _by_returned,
    StoreSaleVoided: _by_voided,
}


def by_purchase(event: Any, secret: str) -> str:
    """The order or receipt that an event is about."""
    return _OTHER_ORDER_KEYS.get(type(event), _by_order)(event, secret)


def by_conversation(event: Any, secret: str) -> str:
    """A messaging or phone conversation's id may contain a phone number."""
    named = event.conversation_id
    if event.meta.channel in IDS_SHOW_PEOPLE:
        named = hidden("conversation", named, secret)
    return f"{event.meta.source}:{named}"


def by_message(event: Any, secret: str) -> str:
    """So may a messaging provider's id of a message."""
    return (
        hidden("message", event.message_id, secret) if event.medium in IDS_SHOW_PEOPLE else event.message_id
    )


def by_parcel(event: Any, _: str) -> str:
    """Tracking numbers are unique within a carrier."""
    return f"{event.carrier}:{event.tracking_number}"


def by_campaign(event: Any, _: str) -> str:
    """What a campaign cost, on one channel."""
    return f"{event.channel}:{event.campaign}"


def by_reference(event: Any, _: str) -> str:
    """A source's own id of a kind."""
    return f"{event.meta.source}:{event.kind}:{event.foreign_id}"


def by_fetch(event: Any, _: str) -> str:
    """What is asked of a source more than once is asked in the order in which it was wanted."""
    return f"{event.meta.source}:{event.what}:{event.foreign_id}"


def by_poller(event: Any, _: str) -> str:
    """One way of asking a source."""
    return f"{event.meta.source}:{event.poller}"


def spread(_: Any, __: str) -> str:
    """No key. Nobody asks for the order of such records, and without one those that come together are one batch."""
    return ""


def by(name: str) -> Key:
    """The event's own field."""
    return lambda event, _: str(getattr(event, name))
