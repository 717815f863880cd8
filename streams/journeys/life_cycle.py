"""The value life cycle: is a customer new, active, at risk or lapsed, by the customer's own rhythm.

The rhythm is the mean time between purchases, between a week and 90 days; 30 days while there is only one moment of
purchase to go by. Two rhythms without a purchase put a customer at risk, four make a lapsed one, each at exactly
that moment. A purchase makes the customer active again.

Everything follows from three figures, so late and shuffled purchases come to the same.
"""

import msgspec

from streams.journeys.words import DAY_US

NEW, ACTIVE, AT_RISK, LAPSED = "new", "active", "at_risk", "lapsed"

VERSION = 1
RHYTHM_UNKNOWN_US = 30 * DAY_US
RHYTHM_MIN_US, RHYTHM_MAX_US = 7 * DAY_US, 90 * DAY_US
AT_RISK_AFTER, LAPSED_AFTER = 2, 4
"""How many rhythms after the last purchase."""


class Purchases(msgspec.Struct, gc=False, array_like=True):
    """How many purchases, and when the first and the last were."""

    count: int
    first_at: int
    last_at: int


def purchase(known: Purchases | None, at: int) -> Purchases:
    """What is known after a purchase at `at`."""
    if known is None:
        return Purchases(1, at, at)
    return Purchases(known.count + 1, min(known.first_at, at), max(known.last_at, at))


def rhythm(purchases: Purchases) -> int:
    """The customer's time between purchases, in microseconds."""
    span = purchases.last_at - purchases.first_at
    if span == 0:
        return RHYTHM_UNKNOWN_US
    return min(max(span // (purchases.count - 1), RHYTHM_MIN_US), RHYTHM_MAX_US)


def stage_at(purchases: Purchases, now: int) -> str:
    """The stage at `now`, which is not before the last purchase."""
    silence, beat = now - purchases.last_at, rhythm(purchases)
    if silence >= LAPSED_AFTER * beat:
        return LAPSED
    if silence >= AT_RISK_AFTER * beat:
        return AT_RISK
    return NEW if purchases.count == 1 else ACTIVE


def lapses_at(purchases: Purchases) -> int:
    """When the customer lapses, if nothing is bought before."""
    return purchases.last_at + LAPSED_AFTER * rhythm(purchases)


def changes_at(purchases: Purchases, now: int) -> int | None:
    """When the stage changes next after `now`, if nothing is bought; None for a lapsed customer."""
    beat = rhythm(purchases)
    for rhythms in (AT_RISK_AFTER, LAPSED_AFTER):
        if purchases.last_at + rhythms * beat > now:
            return purchases.last_at + rhythms * beat
    return None
