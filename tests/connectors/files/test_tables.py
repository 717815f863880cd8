"""Files as they come: whole, torn, damaged, in another encoding."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.files.events import streams
from connectors.files.forms import TableForm
from connectors.files.mapping import load
from connectors.files.rejects import Reject
from connectors.files.tables import ROW, TornFile, open_table
from schemas.meta import Event
from tests.connectors.files.shop import RECEIVED_AT, SALES, SHOP, mapped, viewed, written
from vaart.errors import UsageFault

TEXT = 'a,b\n1,"two\nlines"\n\n3,x\n'


def rows(path: Path, form: TableForm | None = None) -> list[dict[str, object]]:
    return [row for batch in open_table(path, form or TableForm()).batches() for row in batch.to_pylist()]


def test_a_row_has_the_line_on_which_it_begins(tmp_path: Path) -> None:
    found = rows(written(tmp_path, "t.csv", TEXT))
    assert [(row["a"], row["b"], row[ROW]) for row in found] == [("1", "two\nlines", 2), ("3", "x", 5)]


def test_a_zipped_file_and_one_with_another_delimiter_and_encoding_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    assert len(rows(tmp_path / "t.csv.gz")) == 2
    (tmp_path / "t.csv").write_bytes("a;b\nCafé;2\n".encode("cp1252"))
    assert rows(tmp_path / "t.csv", TableForm(delimiter=";", encoding="cp1252"))[0]["a"] == "Café"


def test_bytes_of_another_encoding_are_their_rows_fault_alone(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,Caf\xe9\n2,x\n")
    first, second = rows(tmp_path / "t.csv")
    assert "holds bytes that are no utf-8" in str(first["vaart:fault"])
    assert second["vaart:fault"] is None


@pytest.mark.parametrize(
    ("torn", "where"),
    [
        ('a,b\n1,2\n3,"4\n', "in the row that begins on line 3 (unexpected end of data)"),
        ("a,b\n1,2\n3", "in line 3 (1 of 2 columns)"),
        ('a,b\n1,2\n"3"x,4\n', "in the row that begins on line 3 ("),
    ],
)
def test_a_file_that_is_cut_says_where_after_its_whole_rows(tmp_path: Path, torn: str, where: str) -> None:
    batches = open_table(written(tmp_path, "t.csv", torn), TableForm()).batches()
    assert len(next(batches)) == 1
    with pytest.raises(TornFile, match="a repeat does no harm") as raised:
        next(batches)
    assert where in str(raised.value)


def test_of_a_cut_file_no_receipt_is_made_that_may_lack_lines(tmp_path: Path) -> None:
    made: list[Event] = []
    mapping = load(written(tmp_path, "shop.yaml", SHOP))
    table = open_table(written(tmp_path, "sales.csv", SALES + '1,"'), mapping.table("sales"))
    (stream,) = streams(mapping, {"sales": table}, received_at=RECEIVED_AT)
    with pytest.raises(TornFile, match="line 5"):
        made.extend(stream)
    assert made == []


def test_of_a_cut_file_the_whole_rows_become_events_that_stand_alone(tmp_path: Path) -> None:
    with pytest.raises(TornFile, match="line 3"):
        viewed(tmp_path, "at,sku\n2026-01-01,a\n2026-01-01", "      sku: sku\n")


def test_a_damaged_parquet_file_says_so(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), whole)
    assert [row[ROW] for row in rows(whole)][-1] == 1000
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-10])
    with pytest.raises(TornFile, match="before its first row"):
        rows(cut)
    spoilt = bytearray(whole.read_bytes())
    spoilt[4:60] = b"\xff" * 56
    cut.write_bytes(spoilt)
    with pytest.raises(TornFile, match="behind row 0"):
        rows(cut)


def test_a_cut_zip_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TEXT.encode() * 1000)[:-20])
    with pytest.raises(TornFile, match="cut or damaged"):
        rows(tmp_path / "t.csv.gz")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "a,a\n", "there twice: a"),
        ("t.xlsx", "x", "what is it"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(UsageFault, match=told):
        rows(written(tmp_path, name, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        with pytest.raises(UsageFault, match=name):
            rows(tmp_path / name)


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    rejects: list[Reject] = []
    found = mapped(tmp_path, SHOP, rejects.append, sales=SALES)
    import pyarrow.csv as pc

    pq.write_table(pc.read_csv(tmp_path / "sales.csv"), tmp_path / "sales.parquet")
    mapping = load(tmp_path / "shop.yaml")
    table = open_table(tmp_path / "sales.parquet", mapping.table("sales"))
    (stream,) = streams(mapping, {"sales": table}, received_at=RECEIVED_AT, rejected=rejects.append)
    assert list(stream) == found
    assert rejects == []
