"""Customers: one row for each unified profile."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from schemas.events.states import Profile
from schemas.topics import PROFILES
from sinks.projections.projection import (
    METADATA,
    Amount,
    Currency,
    Id,
    Instant,
    Projection,
    Row,
    versioned,
    whole_key,
)

_json = msgspec.json.Encoder(order="sorted").encode


def rows(_key: str, profile: Profile) -> Iterator[Row]:
    """One row."""
    yield (
        profile.profile_id,
        profile.merged_into,
        profile.first_seen_at,
        profile.last_seen_at,
        profile.order_count,
        profile.revenue,
        profile.returned_revenue,
        profile.discount,
        profile.currency or None,
        profile.last_order_at,
        profile.favourite_channel,
        profile.favourite_location_id,
        _json(profile.traits).decode(),
        _json(profile.consents).decode(),
        _json(profile.campaigns).decode(),
        _json(profile.coupons).decode(),
        profile.seq,
        profile.updated_at,
    )


TABLE = Table(
    "profiles",
    METADATA,
    Column("profile_id", Id, primary_key=True, comment="The customer"),
    Column("merged_into", Id, comment="The profile that this one became part of; empty for a live one"),
    Column("first_seen_at", Instant, comment="First event of the customer"),
    Column("last_seen_at", Instant, comment="Newest event of the customer"),
    Column("order_count", Integer, nullable=False, comment="Orders and till receipts"),
    Column("revenue", Amount, nullable=False, comment="What the customer paid, after discounts"),
    Column("returned_revenue", Amount, nullable=False, comment="What was paid back for returns"),
    Column("discount", Amount, nullable=False, comment="Discounts the customer got"),
    Column("currency", Currency, comment="ISO 4217 currency of the amounts; empty before the first order"),
    Column("last_order_at", Instant, comment="Newest order; empty before the first"),
    Column("favourite_channel", Text, comment="Channel with most orders"),
    Column("favourite_location_id", Text, comment="Store with most orders"),
    Column("traits", JSONB, nullable=False, comment="What is known of the customer, by name; personal data"),
    Column("consents", JSONB, nullable=False, comment="Consent by purpose"),
    Column("campaigns", JSONB, nullable=False, comment="Campaigns that reached the customer"),
    Column("coupons", JSONB, nullable=False, comment="Discount codes that the customer redeemed"),
    *versioned(),
    comment="Unified customer profiles, from customer.profiles.v1",
    postgresql_with={"fillfactor": 85},
)

PROJECTION = Projection(TABLE, (PROFILES,), Profile, rows, forget=whole_key)
