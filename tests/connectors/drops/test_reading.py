"""A file is the same pieces each time, whichever of them were sent before; and never whole in memory."""

import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from connectors.channels.poslog import CHANNEL
from connectors.drops import reading
from connectors.drops.checkpoint import Checkpoint
from connectors.drops.reading import (
    ByChannel,
    ByMapping,
    Chunk,
    Dropped,
    Reading,
    Unusable,
    chunks,
    ending_of,
)
from connectors.files.mapping import load
from connectors.protocol.channel import Source
from connectors.protocol.documents import NotReadable
from connectors.vendors.poslog import splitting
from connectors.vendors.poslog.splitting import split
from schemas.events.orders import SoldInStore
from tests.connectors.channels.samples.poslog import document, item, retail, transaction
from tests.connectors.drops.conftest import HEADER, MAPPING, NOW, sales

OPENING = MAPPING + MAPPING[MAPPING.index("  - event") :].replace(
    "    id: receipt\n", "    id: {text: 'o{receipt}'}\n    opening: true\n"
)


def told(by: Reading, path: Path, start: int = 0) -> list[object]:
    """All pieces behind `start`, and where it breaks off why."""
    found: list[object] = []
    try:
        for chunk in chunks(by, Dropped(path, "sales.csv", NOW), start):
            found += _pieces(chunk)
    except Unusable as error:
        found.append(str(error))
    return found


def _pieces(chunk: Chunk) -> Iterator[object]:
    yield from (each.meta.event_id for each in chunk.events)
    yield from (each.detail for each in chunk.unmade)


def by_mapping(home: Path, text: str = MAPPING, rejects_max: int = 1_000) -> ByMapping:
    (home / "mapping.yaml").write_text(text)
    return ByMapping(load(home / "mapping.yaml"), {}, rejects_max)


@pytest.mark.parametrize("mapping", [MAPPING, OPENING])
def test_the_pieces_behind_a_place_are_the_same_wherever_it_is(
    home: Path, mapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIECES_MAX", 1)
    path = home / "dropped.csv"
    wrong = "".join(f"{each},never,c,apple,2,1.10\n" for each in range(90, 95))
    path.write_text(sales(*range(20)) + wrong + sales(*range(20, 40)).removeprefix(HEADER))
    found = by_mapping(home, mapping)
    whole = told(found, path)
    assert len(whole) == 45 * mapping.count("SoldInStore")
    for start in (1, 23, len(whole) - 1, len(whole)):
        assert told(found, path, start) == whole[start:]


def test_opening_events_have_chunks_of_their_own(home: Path) -> None:
    path = home / "dropped.csv"
    path.write_text(sales(1, 2))
    found = list(chunks(by_mapping(home, OPENING), Dropped(path, "sales.csv", NOW), 0))
    assert [(len(each), each.end) for each in found] == [(2, 2), (2, 4)]


def test_what_was_told_before_a_file_breaks_off_is_not_lost(home: Path) -> None:
    path = home / "dropped.csv"
    path.write_text(sales(*range(5), paid="much"))
    found = told(by_mapping(home, rejects_max=2), path)
    assert [str(each)[:18] for each in found] == [
        "sales.csv line 2: ",
        "sales.csv line 3: ",
        "sales.csv line 4: ",
        "more rows do not f",
    ]
    assert told(by_mapping(home, rejects_max=2), path, 2) == found[2:]


def test_another_mapping_is_another_reading(home: Path) -> None:
    assert by_mapping(home).digest == by_mapping(home).digest
    assert by_mapping(home).digest != by_mapping(home, MAPPING + "# mended\n").digest
    point = Checkpoint("sum", "digest", 7, "a:b.csv")
    assert Checkpoint.of(str(point)) == point
    assert point.is_of("sum", "digest")
    assert not point.is_of("sum", "other")
    assert Checkpoint.of("") == Checkpoint()


@pytest.mark.parametrize(
    ("name", "ending"),
    [("A.CSV", ".csv"), ("a.csv.gz", ".csv.gz"), ("a.b.parquet", ".parquet"), ("a.exe", ""), ("csv", "")],
)
def test_how_a_file_is_written_is_known_by_its_name(name: str, ending: str) -> None:
    assert ending_of(name) == ending


def test_a_fault_of_ours_puts_the_file_aside_and_shows_nothing_of_it(home: Path) -> None:
    class Broken:
        digest = ""

        def stages(self, dropped: Dropped) -> Iterator[Iterator[object]]:
            raise ValueError("Jansen")

    found = told(cast(Reading, Broken()), home / "dropped.csv")
    assert found == ["the reading of it failed (ValueError), which is a fault of vaart's own: report it"]


SOLD = transaction(retail(item(1)))


def test_a_poslog_is_cut_into_what_its_channel_reads_alone() -> None:
    found = list(split(BytesIO(document(SOLD, "<Other>1</Other>", SOLD.replace(">17<", ">18<")))))
    assert len(found) == 2
    assert all(each.count(b"SequenceNumber>1") >= 1 for each in found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_encodings_of_a_poslog_are_its_own(home: Path, encoding: str) -> None:
    text = document(SOLD.replace("dress-36", "crêpe")).decode().replace("UTF-8", encoding)
    (home / "dropped").write_bytes(text.encode(encoding))
    found = ByChannel(CHANNEL, Source("till", currency="EUR", zone="Europe/Amsterdam"))
    [chunk] = chunks(found, Dropped(home / "dropped", "tlog.xml", NOW), 0)
    [sold] = [each for each in chunk.events if isinstance(each, SoldInStore)]
    assert sold.lines[0].sku == "crêpe"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_wherever_it_stands(encoding: str) -> None:
    for before in (0, *range(8_150, 8_175), *range(16_340, 16_365)):  # over the edges of what is read at once
        text = f'<?xml version="1.0"?><!--{"x" * before}--><!DOCTYPE a>' + SOLD
        with pytest.raises(NotReadable, match="document type"):
            list(split(BytesIO(text.encode(encoding))))


@pytest.mark.parametrize(
    "text",
    [b"", b"<POSLog/>", b"<POSLog>", b"<html><body>no till</body></html>", b"\0\1\2", b"<a>" * 100],
)
def test_what_is_no_poslog_is_not_readable(text: bytes) -> None:
    with pytest.raises(NotReadable):
        list(split(BytesIO(text)))


def test_a_transaction_without_an_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "TRANSACTION_BYTES_MAX", 200_000)
    with pytest.raises(NotReadable, match="more than 200000 bytes"):
        list(split(BytesIO(document("<Transaction>" + "x" * 300_000 + "</Transaction>"))))
    many = document(*[SOLD] * 1_000)
    assert len(many) > 400_000
    assert sum(1 for _ in split(BytesIO(many))) == 1_000


def test_a_large_poslog_takes_the_memory_of_one_transaction() -> None:
    tracemalloc.start()
    try:
        assert sum(1 for _ in split(cast(BinaryIO, _Endless(600)))) == 600
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()


class _Endless:
    """A document of so many transactions that is made as it is read: 400 KB of them are never there together."""

    def __init__(self, count: int) -> None:
        self._parts = self._written(count)

    def read(self, size: int = -1) -> bytes:
        return next(self._parts, b"")

    def _written(self, count: int) -> Iterator[bytes]:
        yield document().removesuffix(b"</POSLog>")
        for _ in range(count):
            yield SOLD.encode()
        yield b"</POSLog>"
