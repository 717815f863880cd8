"""The spool: what was appended is there in its order, whatever became of the process that appended it."""

from pathlib import Path

import pytest

from connectors.gateway import spool as module
from connectors.gateway.spool import Kept, Spool, SpoolTaken, adopted
from vaart.errors import StorageFault


def kept(number: int) -> Kept:
    return Kept("commerce.stock.v1", f"key {number}", number.to_bytes(4, "big") * 10)


def all_of(spool: Spool, at_once: int = 7) -> list[Kept]:
    found: list[Kept] = []
    while not spool.is_empty:
        records, place = spool.read(at_once)
        found += records
        spool.drained(place)
    return found


def test_it_gives_back_what_it_was_given_in_its_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "one")
    for number in range(50):
        spool.append([kept(2 * number), kept(2 * number + 1)])
    assert all_of(spool) == [kept(number) for number in range(100)]


def test_what_is_read_but_not_drained_is_read_again_by_the_next(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "one")
    spool.append([kept(number) for number in range(10)])
    _, place = spool.read(4)
    spool.drained(place)
    spool.read(4)
    spool.close()
    assert all_of(Spool(tmp_path / "one")) == [kept(number) for number in range(4, 10)]


@pytest.mark.parametrize("cut", [1, 5, 20, 45])
def test_a_torn_tail_is_cut_and_the_rest_is_there(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path / "one")
    spool.append([kept(number) for number in range(10)])
    spool.close()
    segment = next((tmp_path / "one").glob("*.spool"))
    segment.write_bytes(segment.read_bytes()[:-cut])
    again = Spool(tmp_path / "one")
    again.append([kept(99)])
    assert all_of(again) == [*(kept(number) for number in range(9)), kept(99)]


def test_segments_that_are_drained_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES_MAX", 200)
    spool = Spool(tmp_path / "one")
    for number in range(40):
        spool.append([kept(number)])
    segments = len(list((tmp_path / "one").glob("*.spool")))
    assert segments > 5
    full = spool.bytes_kept
    assert all_of(spool, 3) == [kept(number) for number in range(40)]
    assert len(list((tmp_path / "one").glob("*.spool"))) <= 1
    assert spool.bytes_kept < full


def test_a_damaged_segment_is_said_and_nothing_behind_it_is_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES_MAX", 200)
    spool = Spool(tmp_path / "one")
    for number in range(20):
        spool.append([kept(number)])
    spool.close()
    first = min((tmp_path / "one").glob("*.spool"))
    raw = bytearray(first.read_bytes())
    raw[30] ^= 1
    first.write_bytes(raw)
    with pytest.raises(StorageFault, match=f"{first.name} is damaged at byte 0"):
        all_of(Spool(tmp_path / "one"))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = Spool(tmp_path / "one")
    with pytest.raises(SpoolTaken):
        Spool(tmp_path / "one")
    first.append([kept(1)])
    first.close()
    assert all_of(Spool(tmp_path / "one")) == [kept(1)]


def test_what_a_gone_process_left_is_adopted(tmp_path: Path) -> None:
    gone, alive, empty = (Spool(tmp_path / name) for name in ("gone", "alive", "empty"))
    gone.append([kept(1)])
    alive.append([kept(2)])
    gone.close()
    empty.close()
    (orphan,) = adopted(tmp_path)
    assert all_of(orphan) == [kept(1)]
    assert not (tmp_path / "empty").exists()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "one")
    spool.append([kept(1)])
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "one").glob("*.spool"))
