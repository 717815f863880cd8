"""What a mapping file may not say, and what its author is told: the file, the line, what is wrong, what to do."""

from pathlib import Path

import pytest

from connectors.files.mapping import check_columns, load
from tests.connectors.files.shop import SHOP, written
from vaart.errors import UsageFault


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageFault) as raised:
        load(written(folder, "shop.yaml", text))
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def test_a_right_mapping_is_taken(tmp_path: Path) -> None:
    assert load(written(tmp_path, "shop.yaml", SHOP)).source == "corner-shop"


def test_every_fault_is_shown_at_once_with_its_line(tmp_path: Path) -> None:
    wrong = (
        SHOP.replace("zone: Europe/Amsterdam", "zone: Europe/Amsterdm")
        .replace("sku: article", "skuu: article")
        .replace("quantity: units", "quantity: {summ: units}")
        .replace("total: {sum: paid}, ", "")
        .replace('{constant: "7"}', "{text: '{shop'}")
    )
    assert faults(tmp_path, wrong) == [
        "shop.yaml:2: zone: Europe/Amsterdm is no time zone: write it like Europe/Amsterdam, or UTC",
        "shop.yaml:13: events[0].fields.store_id: expected '}' before end of string: write it like {order_id}:{line}",
        "shop.yaml:16: events[0].fields.totals: Totals needs total: say where it comes from",
        "shop.yaml:17: events[0].fields.lines: Line needs sku: say where it comes from",
        "shop.yaml:19: events[0].fields.lines.skuu: Line has no field skuu; did you mean sku?",
        "shop.yaml:20: events[0].fields.lines.quantity: takes a column's name, or one of column, constant, text, sum, "
        "first, min, max; did you mean sum?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("event: SoldInStore", "event: SoldInShop", "5: events[0].event: SoldInShop is no event; did you mean SoldIn"),
        ("event: SoldInStore", "event: Profile", "5: events[0].event: Profile is no event"),
        ("    group: receipt", "    groups: receipt", "7: events[0].groups: is no word of a mapping; did you mean gro"),
        ("channel: store", "chanel: store", "1: channel: is missing"),
        ("channel: store", "chanel: store", "3: chanel: is no word of a mapping; did you mean channel?"),
        ('store_id: {constant: "7"}', "store_id: {sum: units}", "13: events[0].fields.store_id: a sum is a number"),
        ("sku: article", "sku: {first: article}", "19: events[0].fields.lines.sku: first, min and max are of a"),
        ("business_date: time", "business_date: {text: '{time}'}", "14: events[0].fields.business_date: text makes"),
        ("business_date: time", "business_date: {constant: x}", "14: events[0].fields.business_date: is not a day"),
        ("sku: article", "sku: articles.name", "19: events[0].fields.lines.sku: no table articles stands beside sales"),
        ("at: time", "at: given.start", "9: events[0].at: start is not under given"),
        ("sku: article", "sku: {column: article, mpa: {}}", "19: events[0].fields.lines.sku.mpa: is no part of column"),
        ("lines:", "linez:", "17: events[0].fields.linez: SoldInStore has no field linez; did you mean lines?"),
        ("zone: Europe/Amsterdam", "zone: [", "4: not YAML: "),
    ],
)  # fmt: skip
def test_a_fault_names_line_and_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in SHOP
    assert any(line.startswith(f"shop.yaml:{told}") for line in faults(tmp_path, SHOP.replace(old, new))), (
        faults(tmp_path, SHOP.replace(old, new))
    )


def test_columns_are_looked_for_in_the_tables(tmp_path: Path) -> None:
    mapping = load(written(tmp_path, "shop.yaml", SHOP))
    has = ["receipt", "time", "card", "artikel", "units", "paid", "off", "coupon"]
    with pytest.raises(
        UsageFault, match=r"shop.yaml:19: .*lines.sku: sales has no column article; did you mean artikel"
    ):
        check_columns(mapping, {"sales": has})
    with pytest.raises(
        UsageFault, match=r"shop.yaml:6: .*the table sales was not handed in; did you mean sale\?"
    ):
        check_columns(mapping, {"sale": has})


def test_a_misspelt_column_does_not_lose_its_zone_in_silence(tmp_path: Path) -> None:
    tables = "tables:\n  sales:\n    columns: {tiem: {zone: UTC}}\n    join: {articles: {number: artikle}}\nevents:"
    mapping = load(written(tmp_path, "shop.yaml", SHOP.replace("events:", tables)))
    has = ["receipt", "time", "card", "article", "units", "paid", "off", "coupon"]
    with pytest.raises(UsageFault) as raised:
        check_columns(mapping, {"sales": has, "articles": ["nr"]})
    assert str(raised.value).replace(f"{tmp_path}/", "").splitlines() == [
        "shop.yaml:6: tables.sales.columns.tiem: sales has no column tiem; did you mean time?",
        "shop.yaml:7: tables.sales.join.articles: articles has no column number; "
        "the first line of its file must name its columns",
        "shop.yaml:7: tables.sales.join.articles: sales has no column artikle; did you mean article?",
    ]


def test_a_file_without_names_does_not_show_its_first_customer(tmp_path: Path) -> None:
    mapping = load(written(tmp_path, "shop.yaml", SHOP))
    with pytest.raises(UsageFault, match="the first line of its file must name its columns") as raised:
        check_columns(mapping, {"sales": ["me@home.example", "+31612345678"]})
    assert "home" not in str(raised.value)
    assert "+31" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "- a", "x"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)[0].startswith("shop.yaml:1: a mapping file holds source")
