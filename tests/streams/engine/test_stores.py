"""The conformance suite of stores: RocksDB and memory behave alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.engine.rocks_store import RocksStore
from streams.engine.stores import MemoryStore, Store
from vaart.errors import StorageFault


@pytest.fixture(params=["rocksdb", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = RocksStore(tmp_path / "state") if request.param == "rocksdb" else MemoryStore()
    yield made
    made.close()


def test_reads_what_was_written_and_none_elsewhere(store: Store) -> None:
    lane = store.lane(1)
    lane.write({b"a": b"1", b"b": b"", b"c": b"3"})
    lane.write({b"c": None, b"missing": None})
    assert [lane.get(b"a"), lane.get(b"b"), lane.get(b"c")] == [b"1", b"", None]
    assert lane.get_many([b"b", b"x", b"a"]) == [b"", None, b"1"]


def test_lanes_do_not_see_each_other(store: Store) -> None:
    store.lane(1).write({b"a": b"1"})
    store.lane(256).write({b"a": b"2"})
    assert store.lane(0).get(b"a") is None
    store.lane(1).clear()
    assert store.lane(256).get(b"a") == b"2"


def test_scan_is_ordered_and_bounded(store: Store) -> None:
    lane = store.lane(1)
    lane.write({b"b": b"2", b"a": b"1", b"c": b"3", b"\xff\xff": b"4"})
    store.lane(2).write({b"b": b"other"})
    assert list(lane.scan(b"a", b"c")) == [(b"a", b"1"), (b"b", b"2")]


def test_writing_during_a_scan_is_allowed(store: Store) -> None:
    lane = store.lane(1)
    lane.write({bytes([number]): b"x" for number in range(10)})
    for key, _ in lane.scan(b"\x00", b"\x09"):
        lane.write({key: None})
    assert [key for key, _ in lane.scan(b"", b"\xff")] == [b"\x09"]


def test_what_is_ingested_is_as_if_it_was_written(store: Store) -> None:
    lane = store.lane(1)
    lane.write({b"a": b"old", b"b": b"old", b"c": b"old"})
    lane.ingest({b"d": b"new", b"b": b"new", b"c": None, b"missing": None})
    lane.ingest({})
    lane.ingest({b"d": b"newer"})
    lane.write({b"a": b"newest"})
    assert list(lane.scan(b"", b"\xff")) == [(b"a", b"newest"), (b"b", b"new"), (b"d", b"newer")]


def test_what_is_ingested_after_a_clear_stays(store: Store) -> None:
    store.lane(2).write({b"a": b"other"})
    lane = store.lane(1)
    lane.ingest({b"a": b"1", b"b": b"1"})
    lane.clear()
    lane.ingest({b"b": b"2"})
    assert list(lane.scan(b"", b"\xff")) == [(b"b", b"2")]
    assert store.lane(2).get(b"a") == b"other"


def test_clear_removes_everything(store: Store) -> None:
    lane = store.lane(1)
    lane.write({b"%06d" % number: b"x" for number in range(2_005)})
    lane.clear()
    assert list(lane.scan(b"", b"\xff")) == []


def test_rocksdb_keeps_state_over_a_clean_stop(tmp_path: Path) -> None:
    first = RocksStore(tmp_path / "state")
    first.lane(3).write({b"a": b"1"})
    first.close()
    second = RocksStore(tmp_path / "state")
    assert second.lane(3).get(b"a") == b"1"
    second.close()


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    with pytest.raises(StorageFault, match="state"):
        RocksStore(tmp_path / "state")
