"""Profiles: who each customer is, over all channels, in one record.

Every event of a customer counts once and goes on to the timeline. The profile is the same in whatever order events
come, as long as no limit is met: see profiles_orders.py and profiles_said.py for what is kept. Events that add
nothing to it yet (returns and voided receipts among them, which do not lower the revenue) still move `last_seen_at`
and stand on the timeline.

Limits: an order is known again as long as it is a part of its own; any other event while it is among the customer's
newest REMEMBERED_MAX. Amounts are those in the currency of most orders; `order_count` counts all.
"""

from collections.abc import Callable
from typing import Any

from msgspec import field

from schemas.events.activity import CampaignTouched, CustomerIdentified, TraitsChanged
from schemas.events.codes import CodeRedeemed
from schemas.events.orders import OrderPlaced, SoldInStore
from schemas.events.states import IdentityPointer, Profile
from schemas.identifiers import PERSONAL_KINDS
from schemas.topics import IDENTITIES, PROFILES, ROUTED, TIMELINE
from streams.view import Output, Record, State, Step, View
from streams.views.identity import profile_of, usable
from streams.views.profiles_memory import digest, is_known, remember
from streams.views.profiles_orders import (
    KNOWN,
    TOO_OLD,
    Money,
    Order,
    Orders,
    main_currency,
    order_of,
    take,
)
from streams.views.profiles_said import Known, Trait, hear, list_in, listed, meet, strongest_first

REMEMBERED_MAX = 256

DUPLICATE = "duplicate"
LATE = "late"
"""An order from a time that is summed up: it stands on the timeline and changes no figure."""


class Customer(Record):
    """What is known of a customer, apart from single orders."""

    first_seen_at: int
    last_seen_at: int
    recent: bytes = b""
    identifiers: list[Known] = field(default_factory=list)
    traits: dict[str, Trait] = field(default_factory=dict)
    campaigns: dict[str, int] = field(default_factory=dict)
    coupons: dict[str, int] = field(default_factory=dict)
    orders: Orders = field(default_factory=Orders)


def fold(state: State[Customer], event: Any) -> Step:
    """After this the event counts once in the profile and stands once on the customer's timeline."""
    at = event.meta.occurred_at
    head = state.head or Customer(at, at)
    fact = digest(event.meta.event_id)
    skipped = DUPLICATE if is_known(head.recent, fact) else _learn(state, head, event, fact)
    if skipped == DUPLICATE:
        return Step(head, skipped=DUPLICATE)
    head.first_seen_at = min(head.first_seen_at, at)
    head.last_seen_at = max(head.last_seen_at, at)
    pointers = _pointers(state.key, meet(head.identifiers, usable(event.meta.identifiers), at))
    seen = Output(TIMELINE, state.key, event)
    known = Output(PROFILES, state.key, profile(state.key, head))
    return Step(head, (seen, known, *pointers), skipped=skipped)


def profile(profile_id: str, head: Customer) -> Profile:
    """The profile that follows from what is known."""
    sums = head.orders.sums
    currency = main_currency(sums)
    money = sums.money[currency] if currency else Money()
    return Profile(
        profile_id=profile_id,
        identifiers=strongest_first(head.identifiers),
        first_seen_at=head.first_seen_at,
        last_seen_at=head.last_seen_at,
        order_count=sums.orders,
        revenue=money.revenue,
        discount=money.discount,
        currency=currency,
        last_order_at=sums.last_at if sums.orders else None,
        favourite_channel=sums.channels.favourite,
        favourite_location_id=sums.locations.favourite,
        traits={name: trait.value for name, trait in sorted(head.traits.items()) if trait.value is not None},
        campaigns=listed(head.campaigns),
        coupons=listed(head.coupons),
        updated_at=head.last_seen_at,
    )


def _learn(state: State[Customer], head: Customer, event: Any, fact: bytes) -> str | None:
    if type(event) in _PURCHASES:
        return _learn_order(state, head, event, fact)
    head.recent = remember(head.recent, fact, REMEMBERED_MAX)
    hearing = _HEARINGS.get(type(event))
    if hearing is not None:
        hearing(head, event)
    return None


def _learn_order(
    state: State[Customer], head: Customer, event: SoldInStore | OrderPlaced, fact: bytes
) -> str | None:
    outcome, unremembered = take(head.orders, state["orders"], *order_of(event, fact))
    if outcome == KNOWN:
        return DUPLICATE
    if unremembered:
        head.recent = remember(head.recent, unremembered, REMEMBERED_MAX)
    if isinstance(event, OrderPlaced):
        for code in event.coupon_codes:
            list_in(head.coupons, code, event.meta.occurred_at)
    return LATE if outcome == TOO_OLD else None


def _hear_traits(head: Customer, event: TraitsChanged) -> None:
    at = event.meta.occurred_at if event.effective_at is None else event.effective_at
    for name in event.removed:
        hear(head.traits, name, None, at)
    for name, value in event.set.items():
        hear(head.traits, name, value, at)


def _hear_who(head: Customer, event: CustomerIdentified) -> None:
    for name, value in event.traits.items():
        hear(head.traits, name, value, event.meta.occurred_at)


def _hear_campaign(head: Customer, event: CampaignTouched) -> None:
    if event.campaign:
        list_in(head.campaigns, event.campaign, event.meta.occurred_at)


def _hear_code(head: Customer, event: CodeRedeemed) -> None:
    list_in(head.coupons, event.code, event.meta.occurred_at)


def _pointers(profile_id: str, changed: list[Known]) -> list[Output]:
    """What the changed identifiers point to. Only the one that the profile stands for: each key has one writer."""
    return [
        Output(IDENTITIES, _pointer_key(each, profile_id), _pointer(each, profile_id))
        for each in changed
        if profile_of(each.kind, each.value) == profile_id
    ]


def _pointer_key(known: Known, profile_id: str) -> str:
    """`kind:value`; of a personal kind, whose address must not show, `kind:profile id`."""
    return f"{known.kind}:{profile_id if known.kind in PERSONAL_KINDS else known.value}"


def _pointer(known: Known, profile_id: str) -> IdentityPointer:
    return IdentityPointer(
        kind=known.kind,
        value=known.value,
        profile_id=profile_id,
        verified=known.verified,
        first_seen_at=known.first_seen_at,
        updated_at=known.last_seen_at,
    )


_PURCHASES = frozenset({SoldInStore, OrderPlaced})

_HEARINGS: dict[type, Callable[[Customer, Any], None]] = {
    TraitsChanged: _hear_traits,
    CustomerIdentified: _hear_who,
    CampaignTouched: _hear_campaign,
    CodeRedeemed: _hear_code,
}

VIEW = View(
    name="profiles",
    sources=(ROUTED,),
    outputs=(PROFILES, IDENTITIES, TIMELINE),
    head=Customer,
    fold=fold,
    collections={"orders": Order},
    is_time_ordered=True,
)
