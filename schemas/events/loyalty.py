"""Loyalty cards: points and tiers."""

from schemas.meta import Event, Instant


class PointsEarned(Event, frozen=True, gc=False, kw_only=True):
    """A card gained points."""

    card: str
    points: int
    balance: int | None = None
    document_id: str | None = None
    reason: str | None = None


class PointsSpent(Event, frozen=True, gc=False, kw_only=True):
    """A card's points were used."""

    card: str
    points: int
    balance: int | None = None
    document_id: str | None = None
    reason: str | None = None


class PointsExpired(Event, frozen=True, gc=False, kw_only=True):
    """A card's points ran out."""

    card: str
    points: int
    balance: int | None = None
    document_id: str | None = None
    reason: str | None = None


class TierChanged(Event, frozen=True, gc=False, kw_only=True):
    """A card rose or fell to another tier."""

    card: str
    from_tier: str | None = None
    to_tier: str
    until: Instant | None = None
