"""The Complete Journey as events, against the data set counted by other code; and a set of another shape entirely."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.files.complete_journey import Period, Selection, period_of, select
from connectors.files.events import streams
from connectors.files.mapping import load
from connectors.files.rejects import Reject
from schemas.events.orders import OrderPlaced, SoldInStore
from schemas.events.stock import StockCounted
from tests.connectors.files.shop import RECEIVED_AT, mapped
from vaart.errors import UsageFault

MAPPING = Path(__file__).parents[3] / "deploy" / "demo" / "complete_journey.yaml"


@pytest.fixture(scope="module")
def week_1() -> Selection:
    return select(Period(1, 1))


@pytest.fixture(scope="module")
def made(week_1: Selection) -> dict[str, list[Any]]:
    rejects: list[Reject] = []
    found = streams(
        load(MAPPING),
        week_1.tables,
        received_at=RECEIVED_AT,
        given=week_1.period.given,
        rejected=rejects.append,
        by_time=True,
    )
    events = {stream.name: list(stream) for stream in found}
    assert rejects == []
    return events


def cents(values: Any) -> int:
    return sum(round(Decimal(repr(float(value))) * 100) for value in values)


def test_receipts_are_the_baskets_to_the_cent(week_1: Selection, made: dict[str, list[Any]]) -> None:
    lines, receipts = week_1.transactions, made["SoldInStore"]
    assert len(receipts) == lines["basket_id"].nunique() == 382
    assert sum(len(each.lines) for each in receipts) == len(lines)
    assert sum(each.totals.total for each in receipts) == cents(lines["sales_value"]) * 100
    discounts = ("retail_disc", "coupon_disc", "coupon_match_disc")
    assert (
        sum(each.totals.discount for each in receipts) == sum(cents(lines[name]) for name in discounts) * 100
    )
    for each in receipts:
        assert each.totals.total == sum(line.total for line in each.lines)
        assert each.totals.discount == sum(line.discount for line in each.lines)
    assert {each.meta.identifiers[0].value for each in receipts} == set(lines["household_id"].astype(str))


def test_a_receipt_is_its_basket(week_1: Selection, made: dict[str, list[Any]]) -> None:
    lines = week_1.transactions
    by_id = {each.receipt_id: each for each in made["SoldInStore"]}
    for basket, rows in lines.groupby("basket_id"):
        receipt: SoldInStore = by_id[str(basket)]
        assert receipt.store_id == str(rows["store_id"].iloc[0])
        assert receipt.meta.occurred_at == rows["transaction_timestamp"].iloc[0].value // 1000
        assert [(line.line_id, line.sku, line.quantity) for line in receipt.lines] == [
            (str(place), str(row.product_id), row.quantity) for place, row in enumerate(rows.itertuples(), 1)
        ]
        local = rows["transaction_timestamp"].iloc[0].tz_localize("UTC").tz_convert("America/New_York")
        assert receipt.business_date == (local.date() - local.date().replace(year=1970, month=1, day=1)).days


def test_each_shelf_opens_with_what_the_week_sells(week_1: Selection, made: dict[str, list[Any]]) -> None:
    sold: Counter[tuple[str, str]] = Counter()
    for row in week_1.transactions.itertuples():
        sold[str(row.product_id), str(row.store_id)] += row.quantity
    counts: list[StockCounted] = made["StockCounted"]
    assert {(each.sku, each.location_id): each.quantities["available"] for each in counts} == dict(sold)
    assert {each.as_of for each in counts} == {week_1.period.start}
    assert len({each.count_id for each in counts}) == len(counts)


def test_every_kind_is_in_the_order_of_time_and_no_two_events_share_an_id(made: dict[str, list[Any]]) -> None:
    ids = [each.meta.event_id for events in made.values() for each in events]
    assert len(set(ids)) == len(ids)
    for events in made.values():
        times = [each.meta.occurred_at for each in events]
        assert times == sorted(times)


def test_a_product_has_one_unit_wherever_it_stands(made: dict[str, list[Any]]) -> None:
    units = {each.sku: each.unit for each in made["StockCounted"]}
    for receipt in made["SoldInStore"]:
        assert all(units[line.sku] == line.unit for line in receipt.lines)
    assert set(units.values()) == {"piece", "mgal"}


def test_what_lies_outside_of_the_period_is_counted(week_1: Selection, made: dict[str, list[Any]]) -> None:
    assert week_1.left_out == {"campaigns": 6442, "coupon_redemptions": 2100}
    assert len(made["CampaignTouched"]) == 6589 - 6442
    assert len(made["CodeRedeemed"]) == 2102 - 2100
    assert (len(made["ProductReported"]), len(made["TraitsChanged"])) == (92_331, 801)


def test_a_campaign_belongs_to_the_week_in_which_it_starts() -> None:
    """Campaign 3 starts on the Monday of week 12, and no other in that week or on the next Monday."""
    week = select(Period(12, 12))
    (campaigns,) = (batch for batch in week.tables["campaigns"].batches())
    assert set(campaigns.column("campaign_id").to_pylist()) == {3}
    assert week.left_out["campaigns"] == 6589 - len(campaigns)
    assert set(week.transactions["week"]) == {12}


def test_weeks_are_written_as_the_set_counts_them() -> None:
    assert period_of("1-8") == Period(1, 8)
    assert period_of("3") == Period(3, 3)
    assert (Period(1, 53).start, Period(1, 53).end) == (1_482_728_400_000_000, 1_514_782_800_000_000)
    for wrong in ("8-1", "0-3", "1-54", "x"):
        with pytest.raises(UsageFault, match="--weeks"):
            period_of(wrong)


def test_a_set_that_nobody_here_wrote_needs_a_mapping_alone(tmp_path: Path) -> None:
    """A web shop's export as its accountant gets it: semicolons, decimal commas, German, a row per item."""
    mapping = """
source: laden
zone: Europe/Berlin
channel: web
tables:
  bestellungen:
    delimiter: ";"
    columns:
      datum: {format: "%d.%m.%Y %H:%M"}
      preis: {decimal_mark: ","}
      versand: {decimal_mark: ","}
    join: {artikel: nr}
  artikel: {delimiter: ";"}
events:
  - event: OrderPlaced
    table: bestellungen
    where: {status: [bezahlt, versandt]}
    group: bestellung
    id: bestellung
    at: datum
    identifiers: [{kind: email, value: mail}]
    fields:
      order_id: bestellung
      number: {text: "B-{bestellung}"}
      currency: {constant: EUR}
      totals: {total: {sum: preis}, shipping: {max: versand}, is_tax_included: {constant: true}}
      customer: {name: kunde, email: mail}
      delivery:
        method: {column: lieferung, map: {P: pickup, V: carrier}, default: carrier}
      coupon_codes: [gutschein, {constant: SHOP}]
      lines:
        line_id: row.ordinal
        sku: artikel.sku
        quantity: {column: menge, default: 1}
        total: preis
  - event: CancellationRequested
    table: bestellungen
    where: {status: storno}
    id: bestellung
    at: datum
    fields: {order_id: bestellung, by: {constant: customer}}
"""
    rows = """\
bestellung;datum;status;nr;menge;preis;versand;lieferung;gutschein;kunde;mail
71;01.07.2025 09:30;bezahlt;4;2;19,90;4,95;V;;A. Kunde;kunde@laden.example
72;01.07.2025 10:00;storno;4;1;9,95;0;P;;A. Kunde;kunde@laden.example
71;01.07.2025 09:30;bezahlt;5;;0,1;4,95;V;;A. Kunde;kunde@laden.example
"""
    placed, cancelled = mapped(tmp_path, mapping, bestellungen=rows, artikel="nr;sku\n4;KLEID-38\n5;KNOPF\n")
    assert isinstance(placed, OrderPlaced)
    assert placed.meta.occurred_at == 1_751_355_000_000_000
    assert (placed.number, placed.totals.total, placed.totals.shipping) == ("B-71", 200_000, 49_500)
    assert [(line.sku, line.quantity, line.total) for line in placed.lines] == [
        ("KLEID-38", 2, 199_000),
        ("KNOPF", 1, 1_000),
    ]
    assert placed.delivery is not None
    assert (placed.delivery.method, placed.coupon_codes) == ("carrier", ["SHOP"])
    assert (cancelled.order_id, cancelled.by) == ("72", "customer")
