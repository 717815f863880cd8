"""Restore: a lane's state read back from its changelog, interrupted anywhere, into a cold, a warm or an old store."""

import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from streams.engine import changelog, position, records, restoring
from streams.engine.changelog import Restored, restore
from streams.engine.log import LaneLost
from streams.engine.rocks_store import RocksStore
from streams.engine.stores import LaneStore, MemoryStore
from streams.engine.testing.driver import Driver
from streams.engine.testing.memory_log import PAGE_RECORDS
from tests.streams.engine.counting import COUNTED, DAY, VIEW, event
from vaart.errors import ConfigFault
from vaart.failpoint import hooked

EVENTS, KEYS = 40, 7
LOG = VIEW.changelog


class Crash(Exception):
    """Stands for the end of the process."""


@pytest.fixture(params=["by writes", "by sorted files"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "by sorted files":
        monkeypatch.setattr(changelog, "LARGE_OFFSETS", 1)
        monkeypatch.setattr(changelog, "GATHERED_BYTES", 0)
        monkeypatch.setattr(changelog, "INGESTED_RECORDS_MIN", 1)
    return str(request.param)


@pytest.fixture
def driver() -> Driver:
    """A lane with a past: keys that came, changed, were forgotten, and came back."""
    made = Driver(VIEW)
    send(made, range(EVENTS))
    return made


def send(driver: Driver, numbers: range) -> None:
    for number in numbers:
        units = 0 if number % 11 == 10 else 1
        driver.send(f"key-{number % KEYS}", event(units, at=number, event_id=str(number)), COUNTED)


def restored(driver: Driver, store: LaneStore) -> Restored:
    return restore(driver.around, 0, store, lambda: True)


def content(store: LaneStore) -> dict[bytes, bytes]:
    """What the changelog decides on."""
    found = dict(store.scan(b"", b"\xff"))
    return {key: value for key, value in found.items() if key[:1] != records.DUE and key != changelog.END_KEY}


def alarms(store: LaneStore) -> set[tuple[int, bytes]]:
    """The alarms that will go off: those that the head still has."""
    due = (records.due_of(key) for key, _ in store.scan(records.DUE, records.due_until(1 << 60)))
    heads = ((at, key, store.get(records.head_key(key))) for at, key in due)
    return {(at, key) for at, key, head in heads if head is not None and records.wake_of(head) == at}


def committed(driver: Driver) -> dict[bytes, bytes]:
    last = dict(driver.changelog())
    return {key: value for key, value in last.items() if value is not None}


def crashing(after: int) -> Callable[[str], None]:
    """The process dies behind a page, after so many others."""
    passed = 0

    def hook(name: str) -> None:
        nonlocal passed
        passed += name == "during_restore"
        if passed > after:
            raise Crash

    return hook


@pytest.mark.usefixtures("way")
def test_a_restore_that_is_interrupted_everywhere_ends_as_one_that_is_not(
    driver: Driver, tmp_path: Path
) -> None:
    whole = MemoryStore().lane(0)
    read = restored(driver, whole).records
    assert content(whole) == committed(driver)
    assert read > 8 * PAGE_RECORDS
    for after in range(4):
        folder, lives = tmp_path / str(after), 0
        while True:
            lives += 1
            with closing(RocksStore(folder)) as store, hooked(crashing(after)), suppress(Crash):
                restored(driver, store.lane(0))
                break
        with closing(RocksStore(folder)) as store:
            assert content(store.lane(0)) == content(whole)
            assert alarms(store.lane(0)) == alarms(whole) == alarms(driver.store)
            assert restored(driver, store.lane(0)).records == 0
        assert after or lives > 1


@pytest.mark.usefixtures("way")
def test_an_interrupted_restore_goes_on_from_where_it_was(driver: Driver, tmp_path: Path) -> None:
    read = restored(driver, MemoryStore().lane(0)).records
    with closing(RocksStore(tmp_path)) as store:
        seen: list[int] = []

        def is_current() -> bool:
            seen.append(1)
            return len(seen) < 5

        with pytest.raises(LaneLost):
            restore(driver.around, 0, store.lane(0), is_current)
        rest = restored(driver, store.lane(0)).records
        assert rest == read - 4 * PAGE_RECORDS
        assert content(store.lane(0)) == committed(driver)


@pytest.mark.usefixtures("way")
def test_keys_forgotten_during_an_interruption_do_not_come_back(driver: Driver) -> None:
    store = MemoryStore().lane(0)
    with hooked(crashing(3)), suppress(Crash):
        restored(driver, store)
    for key in range(KEYS):
        driver.send(f"key-{key}", event(0, at=EVENTS + key, event_id=f"f{key}"), COUNTED)
    driver.log.compact(LOG)
    restored(driver, store)
    assert content(store) == committed(driver)
    assert not [key for key in content(store) if key.startswith(records.HEAD)]


@pytest.mark.usefixtures("way")
def test_an_interrupted_restore_grows_old_from_its_beginning(driver: Driver) -> None:
    """What it has read may have been forgotten since, and the tombstone be gone."""
    store = MemoryStore().lane(0)
    started = driver.now
    for share in (1, 2):
        with hooked(crashing(2)), suppress(Crash):
            restored(driver, store)
        driver.now = started + share * changelog.STALE_AFTER_US // 2
    assert restored(driver, store).records == restored(driver, MemoryStore().lane(0)).records


def test_a_store_that_says_nothing_of_itself_is_not_trusted(driver: Driver) -> None:
    store = MemoryStore().lane(0)
    store.write({records.head_key(b"ghost"): b"\1" * 20})
    restored(driver, store)
    assert content(store) == committed(driver)


@pytest.mark.usefixtures("way")
def test_a_warm_store_reads_the_tail_only(driver: Driver, tmp_path: Path) -> None:
    with closing(RocksStore(tmp_path)) as store:
        restored(driver, store.lane(0))
    before = len(driver.changelog())
    send(driver, range(EVENTS, EVENTS + 3))
    with closing(RocksStore(tmp_path)) as store:
        assert restored(driver, store.lane(0)).records == len(driver.changelog()) - before
        assert content(store.lane(0)) == committed(driver)
        assert alarms(store.lane(0)) == alarms(driver.store)


def test_a_store_that_is_ahead_of_what_stands_is_not_trusted(driver: Driver, tmp_path: Path) -> None:
    """Its last commit was acknowledged, and taken back: its events are folded again, once."""
    driver.send("late", event(5, at=EVENTS, event_id="late"), COUNTED)
    assert driver.state("late").head is not None
    driver.log.take_back(LOG, 0)
    assert restored(driver, driver.store).records == len(driver.changelog())
    assert content(driver.store) == committed(driver)
    assert driver.state("late").head is None


def test_copies_of_a_folder_each_read_what_they_miss(driver: Driver, tmp_path: Path) -> None:
    with closing(RocksStore(tmp_path / "a")) as store:
        restored(driver, store.lane(0))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for name, numbers in (("a", range(EVENTS, EVENTS + 5)), ("b", range(EVENTS + 5, EVENTS + 9))):
        send(driver, numbers)
        with closing(RocksStore(tmp_path / name)) as store:
            restored(driver, store.lane(0))
            assert content(store.lane(0)) == committed(driver)


def test_a_copy_from_another_view_is_not_taken_for_ours(driver: Driver) -> None:
    other, store = Driver(VIEW), MemoryStore().lane(0)
    send(other, range(EVENTS * 2, EVENTS * 3))
    other.log.create(LOG)  # a topic of another id, as another view's is
    other.restart()
    send(other, range(EVENTS * 3, EVENTS * 3 + 5))
    restored(other, store)
    restored(driver, store)
    assert content(store) == committed(driver)


def test_a_changelog_that_was_deleted_from_is_refused(driver: Driver) -> None:
    driver.log.truncate(LOG, 0, 6)
    with pytest.raises(ConfigFault, match="has lost its records before offset 6"):
        restored(driver, MemoryStore().lane(0))


def test_a_changelog_that_was_emptied_is_no_loss_to_a_store_that_has_all_of_it(driver: Driver) -> None:
    _, high = driver.log.bounds(LOG, 0)
    before = content(driver.store)
    driver.log.truncate(LOG, 0, high)
    found = restored(driver, driver.store)
    assert (found.records, found.end.offset) == (0, high)
    assert content(driver.store) == before
    assert found.position == position.decode(before[records.POSITION])


def test_a_store_that_lacks_a_commit_of_an_emptied_changelog_is_refused(driver: Driver) -> None:
    behind = MemoryStore().lane(0)
    behind.write(dict(driver.store.scan(b"", b"\xff")))
    send(driver, range(EVENTS, EVENTS + 1))
    _, high = driver.log.bounds(LOG, 0)
    driver.log.truncate(LOG, 0, high)
    with pytest.raises(ConfigFault, match="has lost its records"):
        restored(driver, behind)
    assert content(behind), "what may be the last copy is not deleted"


def test_log_and_metrics_tell_how_far_it_is(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "TOLD_EVERY_S", 0.0)
    labels = {"app": VIEW.group}

    def metric(name: str, **more: str) -> float:
        return REGISTRY.get_sample_value(name, {**labels, **more}) or 0.0

    remaining: list[float] = []

    def hook(_: str) -> None:
        remaining.append(metric("vaart_restore_remaining_records", lane="0"))

    before = metric("vaart_restore_records_total")
    with capture_logs() as said, hooked(hook):
        read = restored(driver, MemoryStore().lane(0)).records
    told = [line for line in said if line["event"] == "lane_restoring"]
    assert [line["records"] for line in told][-1] == read
    assert [line["remaining"] for line in told] == remaining == sorted(remaining, reverse=True)
    assert remaining[0] > remaining[-1] == 0
    assert metric("vaart_restore_records_total") - before == read


def test_an_alarm_that_was_restored_goes_off_once(driver: Driver, way: str) -> None:
    assert way
    driver.restart()
    expected = len(alarms(driver.store))
    before = len(driver.changelog())
    driver.advance(EVENTS + DAY)
    rung = [key for key, _ in driver.changelog()[before:] if key.startswith(records.HEAD)]
    assert len(rung) == len(set(rung)) == expected
    assert not list(driver.store.scan(records.DUE, records.due_until(EVENTS + DAY)))


def test_a_large_restore_waits_for_the_one_before(driver: Driver, way: str) -> None:
    held: list[bool] = []
    with hooked(lambda _: held.append(driver.around.large_restore.locked())):
        restored(driver, MemoryStore().lane(0))
    assert set(held) == {way == "by sorted files"}
    assert not driver.around.large_restore.locked()
