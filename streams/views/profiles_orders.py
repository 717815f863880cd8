"""What a customer's orders add up to: how many, how much, where and over which channel mostly.

Each order is a part of its own, so that it counts once however often it is told. What is shown is the sum of the
parts. Adding an order to the sum is quick; when an order is told anew in other words, the sum is made again.

Limits: the oldest of more than APART_MAX orders are summed into one part that no longer changes, and an order from
that time or before counts no more. A customer has at most PLACES_MAX locations and channels; the one that was
used least gives way. Amounts of the CURRENCIES_MAX-th currency and later ones stand together under XXX.
"""

from collections.abc import MutableMapping
from copy import deepcopy
from typing import Any

import msgspec

from schemas.events.orders import OrderPlaced, SoldInStore
from schemas.keys import by_purchase
from streams.view import Part, Record

APART_MAX = 600
KEPT_APART = 500
PLACES_MAX = 100
CURRENCIES_MAX = 20
NO_CURRENCY = "XXX"
"""ISO 4217's code where there is no one currency."""

COUNTED, OUTDONE, KNOWN, TOO_OLD = "counted", "outdone", "known", "too old"
"""What became of an order that was told: it counts, another telling of it does, it was known, it is too old."""


class Order(Record):
    """One order, as it was told last. `fact` stands for the event that told it."""

    placed_at: int
    fact: bytes
    total: int
    discount: int
    currency: str
    channel: str
    location_id: str | None


class Money(msgspec.Struct, gc=False, array_like=True):
    """The orders in one currency."""

    orders: int = 0
    revenue: int = 0
    discount: int = 0


class Use(msgspec.Struct, gc=False, array_like=True):
    """The orders at one location, or over one channel."""

    orders: int = 0
    last_at: int = 0


class Places(msgspec.Struct, gc=False, array_like=True):
    """The orders by place: a location or a channel.

    The favourite is where most orders were; of equals the latest used, then the first by name.
    """

    uses: dict[str, Use] = {}
    favourite: str | None = None


class Sums(msgspec.Struct, gc=False, array_like=True):
    """What orders add up to."""

    orders: int = 0
    last_at: int = 0
    money: dict[str, Money] = {}
    channels: Places = msgspec.field(default_factory=Places)
    locations: Places = msgspec.field(default_factory=Places)


class Orders(msgspec.Struct, gc=False, array_like=True):
    """All orders of a customer: `sums` of all, `old` of those that are no parts of their own any more."""

    sums: Sums = msgspec.field(default_factory=Sums)
    apart: int = 0
    old: Sums | None = None


def order_of(event: SoldInStore | OrderPlaced, fact: bytes) -> tuple[Part, Order]:
    """The order that a receipt or a web order tells of, under its key."""
    meta, totals = event.meta, event.totals
    where = event.store_id if isinstance(event, SoldInStore) else event.location_id
    order = Order(meta.occurred_at, fact, totals.total, totals.discount, event.currency, meta.channel, where)
    return (by_purchase(event, ""),), order


def take(orders: Orders, parts: MutableMapping[Part, Any], part: Part, order: Order) -> tuple[str, bytes]:
    """After this `order` counts once. Of two tellings the later counts, of two at one time the greater fact.

    Says COUNTED, OUTDONE, KNOWN or TOO_OLD (only COUNTED changes anything), and the fact that no part remembers
    from now on, if any.
    """
    before = parts.get(part)
    if before is None:
        return _take_new(orders, parts, part, order)
    if before.fact == order.fact:
        return KNOWN, b""
    if (before.placed_at, before.fact) > (order.placed_at, order.fact):
        return OUTDONE, order.fact
    parts[part] = order
    orders.sums = _sum_again(orders.old, parts)
    return COUNTED, before.fact


def _take_new(
    orders: Orders, parts: MutableMapping[Part, Any], part: Part, order: Order
) -> tuple[str, bytes]:
    if orders.old is not None and order.placed_at <= orders.old.last_at:
        return TOO_OLD, order.fact
    parts[part] = order
    orders.apart += 1
    _add(orders.sums, order)
    if orders.apart > APART_MAX:
        _sum_oldest(orders, parts)
    return COUNTED, b""


def _sum_oldest(orders: Orders, parts: MutableMapping[Part, Any]) -> None:
    oldest_first = sorted(parts.items(), key=lambda item: (item[1].placed_at, item[0]))
    orders.old = orders.old or Sums()
    for part, order in oldest_first[:-KEPT_APART]:
        _add(orders.old, order)
        del parts[part]
    orders.apart = KEPT_APART


def _sum_again(old: Sums | None, parts: MutableMapping[Part, Any]) -> Sums:
    sums = deepcopy(old) if old else Sums()
    for order in parts.values():
        _add(sums, order)
    return sums


def _add(sums: Sums, order: Order) -> None:
    sums.orders += 1
    if order.placed_at > sums.last_at:
        sums.last_at = order.placed_at
    _pay(sums.money, order)
    _visit(sums.channels, order.channel, order.placed_at)
    if order.location_id:
        _visit(sums.locations, order.location_id, order.placed_at)


def _pay(money: dict[str, Money], order: Order) -> None:
    code = order.currency
    if code not in money and len(money) >= CURRENCIES_MAX:
        code = NO_CURRENCY
    found = money.get(code)
    if found is None:
        found = money[code] = Money()
    found.orders += 1
    found.revenue += order.total
    found.discount += order.discount


def _visit(places: Places, place: str, at: int) -> None:
    uses, favourite = places.uses, places.favourite
    found = uses.get(place)
    if found is None:
        if len(uses) >= PLACES_MAX:
            _give_way(places)
        found = uses[place] = Use()
    found.orders += 1
    if at > found.last_at:
        found.last_at = at
    if favourite is None or _rank(uses, place) < _rank(uses, favourite):
        places.favourite = place


def _give_way(places: Places) -> None:
    uses = places.uses
    others = (place for place in uses if place != places.favourite)
    del uses[min(others, key=lambda place: (uses[place].orders, uses[place].last_at, place))]


def _rank(uses: dict[str, Use], place: str) -> tuple[int, int, str]:
    return -uses[place].orders, -uses[place].last_at, place


def main_currency(sums: Sums) -> str | None:
    """The currency of most orders; of equals the first by name."""
    if not sums.money:
        return None
    return min(sums.money, key=lambda code: (-sums.money[code].orders, code))
