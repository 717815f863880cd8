"""What is dropped into a folder is taken once, whatever it is named, whoever dies and whoever takes beside."""

import asyncio
import errno
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from connectors.drops import taking
from connectors.drops.folder import LocalFolder
from connectors.drops.lying import Lying
from connectors.polling.asking import Declined
from connectors.polling.ledger import Replaced
from schemas.topics import CURSORS, DEAD_LETTERS
from tests.connectors.channels.samples.poslog import document, item, retail, transaction
from tests.connectors.drops.conftest import HEADER, MAPPING, TILL, Rig, looked, sales
from vaart import metrics

pytestmark = pytest.mark.servers


async def test_a_file_is_taken_once_it_is_still(rig: Rig) -> None:
    rig.drop("sales.csv", sales(1, 2))
    drops = rig.drops()
    await drops.look()
    rig.drop("sales.csv", sales(1, 2, 3))
    await drops.look()
    assert (rig.receipts(), rig.names()) == ([], ["sales.csv"])
    await drops.look()
    assert (rig.receipts(), rig.names(), rig.names("taken")) == ([1, 2, 3], [], ["sales.csv"])
    assert list((rig.home / "copies").iterdir()) == []


async def test_what_is_not_finished_or_not_meant_stays(rig: Rig) -> None:
    others = [".sales.csv", "a.csv.part", "b.csv.TMP", "c.txt"]
    for name in others:
        rig.drop(name, sales(1))
    await looked(rig.drops(rig.installed(pattern="*.csv*")))
    assert (rig.receipts(), rig.names()) == ([], others)


async def test_a_mark_says_that_a_file_is_whole(rig: Rig) -> None:
    drops = rig.drops(rig.installed(whole="done"))
    rig.drop("sales.csv", sales(1))
    await looked(drops)
    assert rig.receipts() == []
    rig.drop("sales.csv.done", "")
    await drops.look()
    assert rig.receipts() == [1]
    assert (rig.names(), rig.names("taken")) == ([], ["sales.csv", "sales.csv.done"])


async def test_the_same_file_by_another_name_sends_nothing(rig: Rig) -> None:
    rig.drop("monday.csv", sales(1, 2))
    await looked(rig.drops())
    for name in ("monday.csv", "tuesday.csv"):
        rig.drop(name, sales(1, 2))
    before = _count("known")
    await looked(rig.drops())
    assert rig.receipts() == [1, 2]
    assert rig.names("taken") == ["monday.csv", "monday.csv.1", "tuesday.csv"]
    assert _count("known") == before + 2


async def test_a_file_that_changed_under_its_name_is_a_new_one(rig: Rig) -> None:
    drops = rig.drops()
    rig.drop("sales.csv", sales(1, 2))
    await looked(drops)
    rig.drop("sales.csv", sales(2, 3))
    await looked(drops)
    assert rig.receipts() == [1, 2, 2, 3]
    assert len({each.meta.event_id for each in rig.events()}) == 3


async def test_a_row_that_does_not_fit_is_a_dead_letter_that_shows_no_value(rig: Rig) -> None:
    rig.drop("sales.csv", sales(1) + "2,2026-03-28 12:00:00,c2,apple,secret,1.10\n" + "3,\n")
    await looked(rig.drops())
    assert rig.receipts() == [1]
    letters = sorted(rig.events(DEAD_LETTERS), key=lambda each: int(each.offset))
    assert [each.offset for each in letters] == [3, 4]
    assert letters[0].detail == "sales.csv line 3: SoldInStore: units is not a whole number"
    assert b'"units": "secret"' in letters[0].value
    assert all("secret" not in each.detail and "c2" not in each.detail for each in letters)
    assert rig.names("taken") == ["sales.csv"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("receipt,when\n1,2\n", "sales has no column time"),
        ("", "sales.csv is empty"),
        (HEADER + "1,x,c,apple,2,1\n", "nothing of it fits; the first: sales.csv line 2"),
        (
            b"\x89PNG\r\n\x1a\n\0\0",
            "sales has no column receipt; the first line of its file must name its columns",
        ),
    ],
)
async def test_a_file_of_which_nothing_can_be_made_is_refused(
    rig: Rig, content: str | bytes, why: str
) -> None:
    rig.drop("sales.csv", content)
    rig.drop("others.csv", sales(1))
    before = _count("refused")
    await looked(rig.drops())
    assert rig.names("refused") == ["sales.csv", "sales.csv.why"]
    told = (rig.folder / "refused" / "sales.csv.why").read_text()
    assert why in told
    assert str(rig.home / "copies") not in told
    assert rig.receipts() == [1]
    assert _count("refused") == before + 1


async def test_a_refused_file_is_taken_once_its_mapping_is_mended(rig: Rig) -> None:
    rig.drop("sales.csv", sales(1).replace("time", "sold_at"))
    await looked(rig.drops())
    (rig.home / "mapping.yaml").write_text(
        MAPPING.replace("at: time", "at: sold_at").replace("date: time", "date: sold_at")
    )
    (rig.folder / "refused" / "sales.csv").rename(rig.folder / "sales.csv")
    await looked(rig.drops())
    assert rig.receipts() == [1]


async def test_a_torn_file_is_refused_and_its_repeat_is_whole(rig: Rig) -> None:
    whole = sales(1, 2, 3)
    rig.drop("sales.csv", whole[:-20])
    await looked(rig.drops())
    assert "sales.csv is cut or damaged in line 4" in (rig.folder / "refused" / "sales.csv.why").read_text()
    rig.drop("sales.csv", whole)
    await looked(rig.drops())
    assert rig.receipts() == [1, 2, 3]


async def test_too_many_rows_that_do_not_fit_are_a_wrong_file(rig: Rig) -> None:
    rig.drop("sales.csv", sales(1, 2, 3, paid="much") + sales(4).removeprefix(HEADER))
    await looked(rig.drops(rig.installed(rejects_max=1)))
    assert len(rig.events(DEAD_LETTERS)) == 2
    assert "rejects_max" in (rig.folder / "refused" / "sales.csv.why").read_text()


async def test_a_file_that_is_too_large_is_refused_unread(rig: Rig) -> None:
    rig.drop("sales.csv", sales(1))
    await looked(rig.drops(rig.installed(bytes_max=10)))
    assert rig.names("refused") == ["sales.csv", "sales.csv.why"]
    assert rig.receipts() == []


async def test_encodings_are_as_the_mapping_says(rig: Rig) -> None:
    rig.drop("bom.csv", b"\xef\xbb\xbf" + sales(1).encode())
    await looked(rig.drops())
    tables = "tables: {sales: {encoding: cp1252, delimiter: ';'}}\n"
    (rig.home / "mapping.yaml").write_text(MAPPING + tables)
    rig.drop("dutch.CSV", sales(2).replace("apple", "crème").replace(",", ";").encode("cp1252"))
    await looked(rig.drops())
    assert sorted(each.lines[0].sku for each in rig.events()) == ["apple", "crème"]


async def test_parquet_is_taken_too(rig: Rig) -> None:
    table = pa.csv.read_csv(io.BytesIO(sales(1, 2).encode()))
    pa.parquet.write_table(table, rig.folder / "sales.parquet")
    await looked(rig.drops())
    assert rig.receipts() == [1, 2]


async def test_transactions_of_a_poslog_are_read_one_by_one(rig: Rig) -> None:
    broken = transaction(retail(item(1, total="free")), 2)
    rig.drop(
        "tlog.xml",
        document(*(_sold(each) for each in (1, 3))).replace(b"</POSLog>", broken.encode() + b"</POSLog>"),
    )
    await looked(rig.drops(rig.installed("poslog")))
    assert sorted(each.till_sequence for each in rig.events()) == [1, 3]
    [letter] = rig.events(DEAD_LETTERS)
    assert letter.detail.startswith("tlog.xml transaction 3: ")
    assert b"free" in letter.value
    assert "free" not in letter.detail


async def test_a_poslog_that_breaks_off_is_refused_behind_what_is_whole(rig: Rig) -> None:
    rig.drop("tlog.xml", document(_sold(1), _sold(2))[:-300])
    rig.drop("types.xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" + document(_sold(3)))
    rig.drop("page.xml", b"<html><body/></html>")
    await looked(rig.drops(rig.installed("poslog")))
    assert [each.till_sequence for each in rig.events()] == [1]
    assert rig.names("refused") == sorted(
        f"{name}.xml{ending}" for name in ("tlog", "types", "page") for ending in ("", ".why")
    )


async def test_where_nothing_can_be_moved_a_file_stays_and_is_known(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cannot_move(monkeypatch)
    rig.drop("sales.csv", sales(1))
    rig.drop("wrong.csv", "")
    drops = rig.drops()
    before = _count("known"), _count("refused")
    await looked(drops, 4)
    assert (_count("known"), _count("refused")) == (before[0], before[1] + 1)
    await looked(rig.drops())
    assert (rig.receipts(), rig.names()) == ([1], ["sales.csv", "wrong.csv"])
    assert drops.fault is None


async def test_no_more_files_stay_than_can_be_known(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    _cannot_move(monkeypatch)
    monkeypatch.setattr(taking, "SEEN_MAX", 2)
    drops = rig.drops()
    for number in (1, 2):
        rig.drop(f"{number}.csv", sales(number))
        await looked(drops)
    (rig.folder / "1.csv").unlink()
    rig.drop("3.csv", sales(3))
    await looked(drops)
    rig.drop("4.csv", sales(4))
    with pytest.raises(Declined, match="no more can be known"):
        await looked(drops)
    await looked(rig.drops(), 1)
    assert [len(each.seen) for each in rig.events(CURSORS)][-1] == 2


async def test_a_link_that_leads_out_is_not_followed(rig: Rig, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(sales(1))
    (rig.folder / "link.csv").symlink_to(outside)
    (rig.folder / "archive").mkdir()
    (rig.folder / "archive" / "old.csv").write_text(sales(2))
    (rig.folder / "inside.csv").symlink_to("archive/old.csv")
    os.mkfifo(rig.folder / "pipe.csv")
    before = _count("passed_over")
    await looked(rig.drops(), 3)
    assert rig.receipts() == [2]
    assert (rig.folder / "link.csv").is_symlink()
    assert _count("passed_over") == before + 1


async def test_taken_files_do_not_leave_by_a_link(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (rig.folder / "taken").symlink_to(tmp_path / "elsewhere")
    rig.drop("sales.csv", sales(1))
    with pytest.raises(Declined, match="taken in its folder is a link"):
        await looked(rig.drops())
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(("content", "receipts", "folder"), [(sales(1), [1], "taken"), ("", [], "refused")])
async def test_a_second_process_shuts_the_first_out(
    rig: Rig, content: str, receipts: list[int], folder: str
) -> None:
    first, second = rig.drops(), rig.drops()
    await first.look()
    await second.look()
    rig.drop("sales.csv", content)
    await first.look()
    with pytest.raises(Replaced):
        await first.look()
    assert (rig.receipts(), rig.names()) == ([], ["sales.csv"])
    await looked(second)
    assert (rig.receipts(), rig.names(), "sales.csv" in rig.names(folder)) == (receipts, [], True)


async def test_a_folder_that_is_not_there_is_a_fault_until_it_is(rig: Rig) -> None:
    drops = rig.drops()
    rig.folder.rename(rig.home / "away")
    faults: list[str | None] = []
    waits: list[float] = []

    async def sleep(wait_s: float) -> None:
        faults.append(drops.fault)
        waits.append(wait_s)
        if len(waits) == 2:
            (rig.home / "away").rename(rig.folder)
        if len(waits) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await drops.run(sleep, lambda: 1.0)
    assert faults[0] == f"{TILL}: its folder cannot be read: No such file or directory"
    assert (faults[2], waits) == (None, [2.0, 4.0, 0.02])


async def test_a_file_that_may_not_be_read_holds_up_no_other(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.drop("barred.csv", sales(1))
    rig.drop("sales.csv", sales(2))
    with monkeypatch.context() as barred:
        barred.setattr(os, "open", _barring("barred.csv"))
        drops = rig.drops()
        before = _count("passed_over")
        await looked(drops, 3)
    assert rig.receipts() == [2]
    assert drops.fault == f"{TILL}: barred.csv: it cannot be read: Permission denied"
    assert _count("passed_over") == before + 1
    await looked(drops, 1)
    assert rig.receipts() == [1, 2]
    assert not drops.fault


async def test_a_file_that_has_no_end_fills_no_disk(rig: Rig) -> None:
    class Endless(LocalFolder):
        async def read(self, lying: Lying) -> AsyncIterator[bytes]:
            for _ in range(10):
                yield b"x" * 1_000
            raise AssertionError

    rig.drop("sales.csv", sales(1))
    await looked(rig.drops(rig.installed(bytes_max=5_000), Endless(rig.folder)))
    assert (rig.receipts(), rig.names()) == ([], ["sales.csv"])


RECEIPTS = list(range(1, 1_301))
"""Three chunks: rows that do not fit stand in each of them."""
POINTS = ["poller_before_commit:2", "drop_between_chunks:3", "drop_before_move"]


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_leaves_no_gap_and_no_double(rig: Rig, environment: dict[str, str], point: str) -> None:
    wrong = "".join(f"{each},never,c,apple,2,1.10\n" for each in range(5_000, 5_030))
    text = sales(*RECEIPTS[:200]) + wrong + sales(*RECEIPTS[200:]).removeprefix(HEADER)
    rig.drop("sales.csv", text)
    variables = {**environment, "VAART_GATEWAY__SOURCES": str(rig.sources()), "VAART_CLOCK": "wall"}
    died = await _served({**variables, "VAART_FAILPOINT": point})
    assert await asyncio.wait_for(died.wait(), 60) == -signal.SIGKILL
    assert rig.names() == ["sales.csv"]
    await looked(rig.drops())
    assert rig.names("taken") == ["sales.csv"]
    assert rig.receipts() == RECEIPTS
    assert sorted(each.offset for each in rig.events(DEAD_LETTERS)) == list(range(202, 232))


async def _served(variables: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vaart.cli", "serve", "drops", env={**os.environ, **variables}
    )


def _sold(number: int) -> str:
    return transaction(retail(item(1)), number)


def _cannot_move(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "rename", fail)


def _barring(name: str) -> Callable[..., int]:
    """Opens every file but those of that name."""
    real = os.open

    def opened(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith(name):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *rest, **more)

    return opened


def _count(outcome: str) -> float:
    return float(metrics.DROP_FILES.labels(source=TILL, outcome=outcome)._value.get())
