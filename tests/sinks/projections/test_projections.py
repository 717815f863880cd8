"""Every table of the catalogue keeps to the same rules."""

import re
from typing import Any

import msgspec
import pytest

from schemas.events.activity import StoreVisited
from schemas.events.notifications import NotificationOutcomeReported, NotificationRequested
from schemas.events.products import ProductReported
from schemas.events.states import (
    IdentityPointer,
    JourneyInstance,
    JourneyState,
    OrderState,
    OrderStateLine,
    Profile,
    StockLedgerEntry,
    StockLevel,
)
from schemas.ids import uuid5
from schemas.meta import Event, Identifier, Meta
from sinks.projections import PROJECTIONS, identities, orders, stock_levels
from sinks.projections.projection import LINEAGE, Projection

AT = 1_709_290_800_000_000
META = Meta(event_id=uuid5("e"), occurred_at=AT, received_at=AT, channel="store", source="till")
LINE = OrderStateLine(line_id="1", sku="sku-1", quantity=1, total=19_900, status="sold")
RUN = JourneyInstance(
    journey="life_cycle", instance_key="", version=1, step="new", status="running", entered_at=AT
)
MAIL = Identifier("email", " Some@One.example ")

EVENTS: dict[type, Any] = {
    Event: StoreVisited(meta=META, store_id="haarlem", method="wifi"),
    Profile: Profile(seq=1, updated_at=AT, profile_id=uuid5("p"), identifiers=[], first_seen_at=AT, last_seen_at=AT),
    IdentityPointer: IdentityPointer(
        seq=1, updated_at=AT, kind="email", value=MAIL.value, profile_id=uuid5("p"), first_seen_at=AT
    ),
    OrderState: OrderState(
        seq=1, updated_at=AT, order_id="till:1", channel="store", source="till", identifiers=[MAIL], status="completed",
        placed_at=AT, total=19_900, currency="EUR", lines=[LINE],
    ),
    StockLevel: StockLevel(seq=1, updated_at=AT, sku="sku-1", location_id="haarlem"),
    StockLedgerEntry: StockLedgerEntry(
        sku="sku-1", seq=1, location_id="haarlem", event_id=uuid5("e"), line_no=1, kind="sold", bucket="available",
        delta=-1, at=AT,
    ),
    ProductReported: ProductReported(meta=META, sku="sku-1", name="Dress"),
    JourneyState: JourneyState(seq=1, updated_at=AT, profile_id=uuid5("p"), instances=[RUN]),
    NotificationRequested: NotificationRequested(
        meta=META, notification_id=uuid5("n"), profile_id=uuid5("p"), journey="thank_you", instance_key="", step="send",
        template="thank_you", medium="email",
    ),
    NotificationOutcomeReported: NotificationOutcomeReported(
        meta=META, notification_id=uuid5("n"), profile_id=uuid5("p"), medium="email", status="sent"
    ),
}  # fmt: skip

every = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)


@every
def test_a_row_has_a_value_for_every_column_and_begins_with_its_key(projection: Projection) -> None:
    (row,) = projection.rows("key", EVENTS[projection.event])
    own = [column for column in projection.key if column not in LINEAGE]
    assert len(row) == len(projection.columns)
    assert list(projection.columns[: len(own)]) == own
    assert None not in row[: len(own)]


@every
def test_its_topics_carry_its_event(projection: Projection) -> None:
    assert all(
        any(issubclass(each, projection.event) for each in topic.events) for topic in projection.topics
    )


@every
def test_a_table_of_compacted_topics_knows_tombstones_and_versions(projection: Projection) -> None:
    is_compacted = all(topic.cleanup == "compact" for topic in projection.topics)
    assert (projection.forget is not None) == is_compacted
    assert ("seq" in projection.columns and not projection.is_append_only) == is_compacted


@every
def test_names_and_comments(projection: Projection) -> None:
    assert projection.table.comment
    assert all(column.comment for column in projection.table.columns)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column.name) for column in projection.table.columns)
    assert set(LINEAGE) <= set(projection.table.columns.keys())


def test_an_order_and_its_customer_meet_whatever_the_spelling_of_the_address() -> None:
    (order,) = orders.rows("till:1", EVENTS[OrderState])
    (identity,) = identities.rows("email:hmac", EVENTS[IdentityPointer])
    assert order[4:6] == identity[1:3] == ("email", "some@one.example")


def test_a_card_number_is_not_changed() -> None:
    assert identities.comparable("loyalty_card", "AbC ") == "AbC "


def test_the_tombstone_of_a_shelf_names_its_three_ids() -> None:
    key = msgspec.json.encode(["sku/1", 'haar"lem', "own"]).decode()
    assert stock_levels.forget(key) == ("sku/1", 'haar"lem', "own")
