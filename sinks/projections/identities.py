"""Identifiers: which profile each loyalty card, e-mail address or device belongs to."""

from collections.abc import Iterator

from sqlalchemy import Boolean, Column, Index, Table, Text

from schemas.events.states import IdentityPointer
from schemas.identifiers import PERSONAL_KINDS
from schemas.topics import IDENTITIES
from sinks.projections.projection import METADATA, Id, Instant, Projection, Row, versioned, whole_key


def rows(key: str, pointer: IdentityPointer) -> Iterator[Row]:
    """One row. The record key shows no person; it is what a tombstone names."""
    yield (
        key,
        pointer.kind,
        comparable(pointer.kind, pointer.value),
        pointer.profile_id,
        pointer.verified,
        pointer.first_seen_at,
        pointer.seq,
        pointer.updated_at,
    )


def comparable(kind: str, value: str) -> str:
    """The form in which identifiers are stored and joined: spellings of one e-mail address or number are equal."""
    return value.strip().lower() if kind in PERSONAL_KINDS else value


TABLE = Table(
    "identities",
    METADATA,
    Column(
        "identifier_key",
        Text,
        primary_key=True,
        comment="kind:value, the value of a personal kind as an HMAC",
    ),
    Column("kind", Text, nullable=False, comment="Kind of identifier, such as loyalty_card"),
    Column("value", Text, nullable=False, comment="The identifier; personal data"),
    Column("profile_id", Id, nullable=False, comment="The customer it belongs to"),
    Column(
        "verified", Boolean, nullable=False, comment="Whether a source has checked that it is the customer's"
    ),
    Column("first_seen_at", Instant, nullable=False, comment="First event that carried it"),
    *versioned(),
    comment="Identifiers and the profiles they point to, from customer.identities.v1",
    postgresql_with={"fillfactor": 90},
)
Index(None, TABLE.c.kind, TABLE.c.value, unique=True)
Index(None, TABLE.c.profile_id)

PROJECTION = Projection(TABLE, (IDENTITIES,), IdentityPointer, rows, forget=whole_key)
