import pytest

from schemas.topics import Topic
from streams.engine import records
from streams.engine.stores import MemoryStore
from streams.engine.work import FoldRefused, Work
from streams.view import Output, State, Step, Tick, View
from tests.streams.engine.counting import (
    DAY,
    LEVELS,
    PASSED,
    VIEW,
    Counted,
    CountLevel,
    Head,
    decode,
    encode,
    encoder,
    event,
)

SEQ = (1 << 40) + 1


def work_on(store: MemoryStore, view: View = VIEW) -> Work:
    return Work(view, store.lane(0), encoder, SEQ)


def commit(store: MemoryStore, work: Work) -> None:
    store.lane(0).write({**work.writes(), **work.index()})


def folded(store: MemoryStore, *events: Counted, key: str = "k") -> Work:
    work = work_on(store)
    for counted in events:
        work.fold(key, counted, encode(counted))
    return work


def levels(work: Work) -> list[CountLevel]:
    assert work.seal() == []
    return [decode(sealed.value or b"") for sealed in work.sealed() if sealed.topic is LEVELS]  # type: ignore[misc]


def test_a_state_survives_the_commit() -> None:
    store = MemoryStore()
    commit(store, folded(store, event(2), event(3, place="there")))
    assert levels(folded(store, event(5)))[0].units == 10
    assert store.lane(0).get(records.collection_prefix(0, "k") + records.parts_bytes(("there",))) is not None


def test_a_snapshot_is_sent_once_in_its_last_value_and_stamped() -> None:
    found = levels(folded(MemoryStore(), event(2), event(3)))
    assert [(level.units, level.seq) for level in found] == [(5, SEQ)]


def test_an_event_that_is_passed_on_keeps_its_bytes() -> None:
    work = work_on(MemoryStore())
    work.fold("k", event(1), b"as it came")
    assert [sealed.value for sealed in work.sealed() if sealed.topic is PASSED] == [b"as it came"]


def test_due_alarms_go_off_before_the_event() -> None:
    store = MemoryStore()
    commit(store, folded(store, event(1, at=0)))
    assert levels(folded(store, event(1, at=DAY - 1)))[0].rung == 0
    assert levels(folded(store, event(1, at=DAY)))[0].rung == 1


def test_a_hint_that_no_longer_holds_rings_nothing() -> None:
    store = MemoryStore()
    commit(store, folded(store, event(1, at=0), event(1, at=DAY - 1)))
    work = work_on(store)
    work.ring("k", DAY)
    assert (work.seal(), work.writes(), list(work.sealed())) == ([], {}, [])


def test_the_due_index_follows_the_alarm() -> None:
    store = MemoryStore()
    commit(store, folded(store, event(1, at=0)))
    commit(store, folded(store, event(1, at=5)))
    due = [records.due_of(key) for key, _ in store.lane(0).scan(records.DUE, records.due_until(2 * DAY))]
    assert due == [(DAY + 5, "k")]


def test_a_raising_record_leaves_the_others_as_they_are() -> None:
    store = MemoryStore()
    work = folded(store, event(1), event(2))
    with pytest.raises(FoldRefused, match="ValueError"):
        work.fold("k", event(666), b"")
    work.fold("k", event(4), b"")
    work.fold("other", event(9), b"")
    assert [level.units for level in levels(work)] == [7, 9]
    assert sum(1 for sealed in work.sealed() if sealed.topic is PASSED) == 4


def test_forgetting_a_key_removes_its_records() -> None:
    store = MemoryStore()
    commit(store, folded(store, event(1), event(1, place="there")))
    commit(store, folded(store, event(0)))
    assert list(store.lane(0).scan(b"", b"\xff")) == []


def test_a_fold_that_changes_nothing_writes_nothing() -> None:
    idle = View("idle", (), (), Head, lambda state, _: Step(state.head, skipped="duplicate"))
    work = work_on(MemoryStore(), idle)
    work.fold("k", event(1), b"")
    assert (work.writes(), work.index(), work.skipped) == ({}, {}, {"duplicate": 1})


def test_a_view_that_wakes_itself_at_once_is_refused() -> None:
    def restless(state: State[Head], counted: Counted | Tick) -> Step:
        return Step(state.head or Head(), [], wake_at=counted.at if isinstance(counted, Tick) else 1)

    store = MemoryStore()
    view = View("restless", (), (), Head, restless)
    work = work_on(store, view)
    work.fold("k", event(1, at=0), b"")
    commit(store, work)
    work = work_on(store, view)
    with pytest.raises(FoldRefused):
        work.ring("k", 5)
    assert records.wake_of(work.writes()[records.head_key("k")] or b"") is None


def test_a_tombstone_is_sealed_as_one() -> None:
    view = View("gone", (), (), Head, lambda state, _: Step(None, [Output(LEVELS, state.key, None)]))
    work = work_on(MemoryStore(), view)
    work.fold("k", event(1), b"")
    assert [sealed.value for sealed in work.sealed()] == [None]


def test_a_snapshot_that_cannot_be_encoded_leaves_its_key_as_it_was() -> None:
    def refusing(topic: Topic, kind: type):  # type: ignore[no-untyped-def]
        def encode_some(record: object) -> bytes:
            if isinstance(record, CountLevel) and record.units > 100:
                raise ValueError("out of range")
            return encode(record)

        return encode_some

    store = MemoryStore()
    work = Work(VIEW, store.lane(0), refusing, SEQ)
    work.fold("k", event(101), b"guilty")
    work.fold("good", event(1), b"")
    (unsealed,) = work.seal()
    assert (unsealed.key, unsealed.reason, unsealed.events) == ("k", "ValueError", [b"guilty"])
    assert {sealed.key for sealed in work.sealed()} == {"good"}
    assert records.head_key("k") not in work.writes()
