"""Journeys: where each customer is in each journey, and how ended ones ended."""

from collections.abc import Iterator

from sqlalchemy import Column, Index, Integer, Table, Text

from schemas.events.states import JourneyState
from schemas.topics import JOURNEYS
from sinks.projections.projection import METADATA, Id, Instant, Projection, Row, versioned, whole_key


def rows(_key: str, state: JourneyState) -> Iterator[Row]:
    """One row an instance."""
    for instance in state.instances:
        yield (
            state.profile_id,
            instance.journey,
            instance.instance_key,
            instance.version,
            instance.step,
            instance.status,
            instance.entered_at,
            instance.ended_at,
            instance.exit_reason,
            instance.split,
            instance.converted_at,
            state.seq,
            state.updated_at,
        )


TABLE = Table(
    "journeys",
    METADATA,
    Column("profile_id", Id, primary_key=True, comment="The customer"),
    Column("journey", Text, primary_key=True, comment="The journey, such as win_back"),
    Column("instance_key", Text, primary_key=True, comment="Which run of the journey, such as an order id"),
    Column("version", Integer, nullable=False, comment="Version of the journey that the run follows"),
    Column(
        "step", Text, nullable=False, comment="The step where the customer is; the stage, in the life cycle"
    ),
    Column("status", Text, nullable=False, comment="running, or how it ended"),
    Column("entered_at", Instant, nullable=False, comment="When the customer entered"),
    Column("ended_at", Instant, comment="When the run ended; empty while it runs"),
    Column("exit_reason", Text, comment="Why it ended"),
    Column("split", Text, comment="Arm of the experiment"),
    Column("converted_at", Instant, comment="When the journey's aim was reached"),
    *versioned(),
    comment="Running and ended journeys, from customer.journeys.v1",
    postgresql_with={"fillfactor": 85},
)
Index(None, TABLE.c.journey, TABLE.c.status)

PROJECTION = Projection(TABLE, (JOURNEYS,), JourneyState, rows, forget=whole_key)
