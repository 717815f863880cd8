"""Rows become events: groups, sums, places in a group, ids; and what does not fit is told, row by row."""

from pathlib import Path
from typing import Any

import pytest

from connectors.files import events as events_module
from connectors.files.events import events, streams
from connectors.files.mapping import load
from connectors.files.rejects import Reject, TooManyRejects
from connectors.files.tables import FrameTable, open_table
from schemas.events.orders import SoldInStore
from schemas.ids import event_id
from schemas.meta import Identifier
from tests.connectors.files.shop import RECEIVED_AT, SALES, SHOP, mapped, written
from vaart.errors import UsageFault


def test_scattered_rows_become_whole_receipts(tmp_path: Path) -> None:
    first, second = mapped(tmp_path, SHOP, sales=SALES)
    assert isinstance(first, SoldInStore)
    assert (first.receipt_id, first.store_id, first.currency) == ("1", "7", "EUR")
    assert [(line.line_id, line.sku, line.quantity, line.total, line.discount) for line in first.lines] == [
        ("1", "apple", 2, 1000, 0),
        ("2", "pear", 1, 2000, 100),
    ]
    assert (first.totals.total, first.totals.discount) == (3000, 100)
    assert (second.totals.total, second.totals.discount) == (50_000, 7_500)


def test_who_when_and_where_stand_in_the_meta(tmp_path: Path) -> None:
    first, second = (event.meta for event in mapped(tmp_path, SHOP, sales=SALES))
    assert first.event_id == event_id("corner-shop", "SoldInStore", "1")
    assert first.identifiers == [Identifier("loyalty_card", "c1")]
    assert second.identifiers == []
    assert (first.source, first.channel, first.received_at) == ("corner-shop", "store", RECEIVED_AT)
    # The clock goes forward between the two: an hour less lies between them.
    assert second.occurred_at - first.occurred_at == 23 * 3_600_000_000


def test_a_repeat_has_the_same_ids_and_an_order_of_rows_changes_no_receipt(tmp_path: Path) -> None:
    header, *rows = SALES.splitlines()
    other = "\n".join([header, rows[2], rows[1], rows[0]])
    ids = {event.meta.event_id: event.totals for event in mapped(tmp_path, SHOP, sales=SALES)}
    assert ids == {event.meta.event_id: event.totals for event in mapped(tmp_path, SHOP, sales=other)}


def test_one_table_makes_several_kinds_and_each_row_goes_to_its_own(tmp_path: Path) -> None:
    mapping = """
source: s
zone: UTC
channel: store
events:
  - {event: StockReceived, table: moves, where: {kind: [in, back]}, id: row.number, at: day,
     fields: {sku: sku, location_id: shop, quantity: n, reason: kind}}
  - {event: StockShipped, table: moves, where: {kind: out}, id: row.number, at: day,
     fields: {sku: sku, location_id: shop, quantity: n}}
"""
    moves = "kind,day,sku,shop,n\nin,2026-01-01,a,1,5\nout,2026-01-02,a,1,2\nback,2026-01-03,a,1,1\n"
    moves += "lost,2026-01-04,a,1,1\n"
    rejects: list[Reject] = []
    found = mapped(tmp_path, mapping, rejects.append, moves=moves)
    assert [(type(event).__name__, event.quantity) for event in found] == [
        ("StockReceived", 5),
        ("StockReceived", 1),
        ("StockShipped", 2),
    ]
    assert [(each.row, each.reason) for each in rejects] == [(5, "no event of the mapping takes this row")]


def test_a_table_beside_adds_its_columns(tmp_path: Path) -> None:
    mapping = """
source: s
zone: UTC
channel: crm
tables:
  touches: {join: {campaigns: {id: campaign}}}
  campaigns: {}
events:
  - {event: CampaignTouched, table: touches, id: {text: "{campaign}:{who}"}, at: campaigns.starts,
     identifiers: [{kind: loyalty_card, value: who, verified: true}],
     context: {ends: campaigns.ends}, fields: {campaign: campaigns.name}}
"""
    files: dict[str, Any] = {
        "touches": "who,campaign\na,1\nb,2\nc,3\n",
        "campaigns": "id,name,starts,ends\n2,spring,2026-03-01,2026-04-01\n1,winter,2026-01-01,\n",
    }
    rejects: list[Reject] = []
    winter, spring = mapped(tmp_path, mapping, rejects.append, **files)
    assert (winter.campaign, winter.meta.context) == ("winter", {})
    assert (spring.campaign, spring.meta.context) == ("spring", {"ends": "2026-04-01"})
    assert [(each.row, each.column, each.reason) for each in rejects] == [(4, "campaigns.starts", "is empty")]
    with pytest.raises(UsageFault, match="several rows with the same id"):
        mapped(tmp_path, mapping, **files | {"campaigns": files["campaigns"] + "1,again,2026-01-01,\n"})


def test_a_row_that_does_not_fit_takes_its_receipt_with_it_and_the_rest_goes_on(tmp_path: Path) -> None:
    rejects: list[Reject] = []
    (left,) = mapped(tmp_path, SHOP, rejects.append, sales=SALES.replace("pear,1,0.20", "pear,one,0.20"))
    assert left.receipt_id == "2"
    assert [str(each).replace(f"{tmp_path}/", "") for each in rejects] == [
        "sales.csv line 2: SoldInStore: line 4 of the same SoldInStore does not fit",
        "sales.csv line 4: SoldInStore: units is not a whole number",
    ]
    assert rejects[1].values["article"] == "pear"


@pytest.mark.parametrize(
    ("old", "new", "column", "reason"),
    [
        ("5,0.5", "5.00001,0.5", "paid", "is not an amount of at most 4 decimals and 14 digits before them"),
        ("5,0.5", ",0.5", "paid", ""),
        ("2026-03-29 12:00:00", "yesterday", "time", "is not a time"),
        ("2026-03-29 12:00:00", "2126-03-29 12:00:00", "time", "lies in the future: is the zone right?"),
        ("2026-03-29 12:00:00", "", "time", "is empty"),
        (",pear,1,5,", ",,1,5,", "article", "is empty"),
        ("pear,1,5", "pear,1,5,9", "", "has 9 columns, and the header has 8"),
        ("2,2026-03-29", ",2026-03-29", "receipt", "is empty"),
    ],
)
def test_each_misfit_names_its_column(tmp_path: Path, old: str, new: str, column: str, reason: str) -> None:
    rejects: list[Reject] = []
    assert old in SALES
    found = mapped(tmp_path, SHOP, rejects.append, sales=SALES.replace(old, new))
    if not reason:
        reason = "is empty"
    assert [event.receipt_id for event in found] == ["1"]
    assert [(each.row, each.column, each.reason.split(";")[0]) for each in rejects] == [(3, column, reason)]


def test_a_group_must_agree_on_what_is_its_own(tmp_path: Path) -> None:
    rejects: list[Reject] = []
    mapped(
        tmp_path,
        SHOP,
        rejects.append,
        sales=SALES.replace("1,2026-03-28 12:00:00,c1,pear", "1,2026-03-28 13:00:00,c1,pear"),
    )
    assert rejects[1].reason == "differs within its group: take `first`, `min`, `max` or `sum`"
    rejects.clear()
    latest = SHOP.replace("at: time", "at: {max: time}").replace(
        "business_date: time", "business_date: {first: time}"
    )
    first, _ = mapped(
        tmp_path,
        latest,
        rejects.append,
        sales=SALES.replace("1,2026-03-28 12:00:00,c1,pear", "1,2026-03-28 13:00:00,c1,pear"),
    )
    assert not rejects
    assert first.meta.occurred_at == 1_774_699_200_000_000


def test_without_anyone_to_tell_the_first_misfit_stops(tmp_path: Path) -> None:
    with pytest.raises(TooManyRejects, match="units is not a whole number"):
        mapped(tmp_path, SHOP, sales=SALES.replace("pear,1,5", "pear,one,5"))


def test_by_time_the_groups_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    rows = SALES.replace("2026-03-29 12:00:00", "2026-03-27 12:00:00")
    mapping = load(written(tmp_path, "shop.yaml", SHOP))
    table = open_table(written(tmp_path, "sales.csv", rows), mapping.table("sales"))
    (stream,) = streams(mapping, {"sales": table}, received_at=RECEIVED_AT, by_time=True)
    assert [event.receipt_id for event in stream] == ["2", "1"]  # type: ignore[attr-defined]
    assert (stream.rows, stream.made) == (3, 2)


def test_groups_larger_than_a_batch_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    rows = 45_000
    frame = pd.DataFrame(
        {
            "receipt": [i // 15_000 for i in range(rows)],
            "time": pd.Timestamp("2026-01-01"),
            "card": None,
            "article": "a",
            "units": 1,
            "paid": 0.1,
            "off": 0.0,
            "coupon": 0.0,
        }
    )
    mapping = load(written(tmp_path, "shop.yaml", SHOP))
    made = list(events(mapping, {"sales": FrameTable("sales", frame)}, received_at=RECEIVED_AT))
    assert [event.totals.total for event in made] == [15_000 * 1000] * 3  # type: ignore[attr-defined]
    monkeypatch.setattr(events_module, "GROUP_ROWS_MAX", 10_000)
    with pytest.raises(UsageFault, match="more than 10000 rows have the same receipt"):
        list(events(mapping, {"sales": FrameTable("sales", frame)}, received_at=RECEIVED_AT))


def test_what_is_handed_in_stands_for_a_value(tmp_path: Path) -> None:
    mapping = load(
        written(
            tmp_path,
            "shop.yaml",
            "source: s\nzone: UTC\nchannel: crm\ngiven: [start]\nevents:\n  - {event: TraitsChanged, table: people, "
            "id: {text: '{who}/{given.start}'}, at: given.start, fields: {set: {age: age}}}\n",
        )
    )
    table = open_table(written(tmp_path, "people.csv", "who,age\na,30\n"), mapping.table("people"))
    with pytest.raises(
        UsageFault, match=r"shop.yaml:4: given: start is not handed in: add --given start=VALUE"
    ):
        streams(mapping, {"people": table}, received_at=RECEIVED_AT)
    (event,) = events(mapping, {"people": table}, received_at=RECEIVED_AT, given={"start": "2026-01-01"})
    assert event.meta.occurred_at == 1_767_225_600_000_000
    assert event.meta.event_id == event_id("s", "TraitsChanged", "a/2026-01-01")
