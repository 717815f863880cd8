"""What is known of a customer besides orders: identifiers, traits, campaigns, coupons.

Everything here is a latest statement or a time that only grows, so it comes out the same however often and in
whatever order events come.

Limits: the newest TRAITS_MAX traits, LISTED_MAX campaigns and as many coupons are kept, and of each kind of
identifier the newest ones up to the number that one person may have. Text beyond TEXT_MAX characters is cut.
"""

from collections.abc import Iterable

import msgspec

from schemas.identifiers import ANONYMOUS_ID, CUSTOMER_ID, EMAIL, LOYALTY_CARD, PHONE, rank
from schemas.meta import Identifier
from streams.views.identity import comparable

TRAITS_MAX = 100
LISTED_MAX = 100
TEXT_MAX = 256

IDENTIFIERS_MAX = {CUSTOMER_ID: 1, LOYALTY_CARD: 3, EMAIL: 5, PHONE: 5, ANONYMOUS_ID: 100}
OTHER_IDENTIFIERS_MAX = 20
"""All kinds together that are not named above."""


class Trait(msgspec.Struct, gc=False, array_like=True):
    """The latest statement about one trait; `value` None: it was removed."""

    said_at: int
    value: str | None


class Known(msgspec.Struct, gc=False, array_like=True):
    """One identifier of the customer."""

    kind: str
    value: str
    verified: bool
    first_seen_at: int
    last_seen_at: int


def hear(traits: dict[str, Trait], name: str, value: str | None, at: int) -> None:
    """After this the trait is as it was said last. At one time a value beats a removal, a greater text a smaller."""
    name, value = name[:TEXT_MAX], value if value is None else value[:TEXT_MAX]
    before = traits.get(name)
    if before is not None and _weight(before.said_at, before.value) >= _weight(at, value):
        return
    traits[name] = Trait(at, value)
    if len(traits) > TRAITS_MAX:
        del traits[min(traits, key=lambda each: (traits[each].said_at, each))]


def _weight(at: int, value: str | None) -> tuple[int, bool, str]:
    return at, value is not None, value or ""


def list_in(times: dict[str, int], name: str, at: int) -> None:
    """After this `name` is listed, as last met at `at` or later."""
    name = name[:TEXT_MAX]
    if name not in times or at > times[name]:
        times[name] = at
    if len(times) > LISTED_MAX:
        del times[min(times, key=lambda each: (times[each], each))]


def listed(times: dict[str, int]) -> list[str]:
    """The names in the order in which they were last met."""
    return sorted(times, key=lambda name: (times[name], name))


def meet(known: list[Known], identifiers: Iterable[Identifier], at: int) -> list[Known]:
    """After this `identifiers` are known. Returns those of them that are new, verified now, or seen before before."""
    changed = []
    for each in identifiers:
        value = comparable(each.kind, each.value)
        found = next((one for one in known if one.value == value and one.kind == each.kind), None)
        if found is None:
            changed.append(_add(known, Known(each.kind, value, each.verified, at, at)))
        elif _see_again(found, each.verified, at):
            changed.append(found)
    return changed


def _add(known: list[Known], new: Known) -> Known:
    known.append(new)
    alike = [one for one in known if _limit_of(one.kind) == _limit_of(new.kind)]
    if len(alike) > _limit_of(new.kind)[1]:
        known.remove(min(alike, key=lambda one: (one.last_seen_at, one.kind, one.value)))
    return new


def _limit_of(kind: str) -> tuple[str, int]:
    """The group of kinds that share a limit, and the limit."""
    return (kind, IDENTIFIERS_MAX[kind]) if kind in IDENTIFIERS_MAX else ("", OTHER_IDENTIFIERS_MAX)


def _see_again(known: Known, verified: bool, at: int) -> bool:
    known.last_seen_at = max(known.last_seen_at, at)
    if at >= known.first_seen_at and verified <= known.verified:
        return False
    known.first_seen_at = min(known.first_seen_at, at)
    known.verified = known.verified or verified
    return True


def strongest_first(known: list[Known]) -> list[Identifier]:
    """The identifiers, the strongest kinds first."""
    in_order = sorted(known, key=lambda one: (rank(one.kind), one.kind, one.value))
    return [Identifier(one.kind, one.value, one.verified) for one in in_order]
