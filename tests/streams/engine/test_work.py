import pytest

from schemas.topic import Topic
from streams.engine import records
from streams.engine.heads import Heads
from streams.engine.sealing import FORGET_AT_ONCE_MAX, Sealed, Unsealed, forgotten_records, seal
from streams.engine.stores import MemoryStore
from streams.engine.work import VALUE_BYTES_MAX, Encoders, FoldRefused, Kinds, Work
from streams.view import Output, Record, State, Step, Tick, View
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


class Bench:
    """A view's work on a store, committed as a lane would."""

    def __init__(self, view: View = VIEW, encoders: Encoders = encoder) -> None:
        self.view, self.encoders = view, encoders
        self.kinds = Kinds(view)
        self.store = MemoryStore().lane(0)

    def work(self) -> Work:
        return Work(self.view, self.kinds, Heads(self.store), self.store, self.encoders, SEQ, lane=0)

    def folded(self, *events: Counted, key: bytes = b"k") -> Work:
        work = self.work()
        for counted in events:
            work.fold(key, counted, encode(counted), decode)
        return work

    def seal(self, work: Work) -> Sealed:
        return seal(work, self.kinds, self.store)

    def commit(self, work: Work) -> Sealed:
        sealed = self.seal(work)
        assert sealed.refused == []
        self.store.write({**sealed.changed, **sealed.index})
        return sealed

    def records(self) -> list[bytes]:
        return [key for key, _ in self.store.scan(b"", b"\xff")]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def levels(sealed: Sealed) -> list[CountLevel]:
    return [decode(each.value or b"") for each in sealed.snapshots if each.topic == LEVELS.name]  # type: ignore[misc]


def passed(sealed: Sealed) -> list[bytes | None]:
    return [each.value for each in sealed.outgoing if each.topic == PASSED.name]


def test_a_state_survives_the_commit(bench: Bench) -> None:
    bench.commit(bench.folded(event(2), event(3, place="there")))
    assert levels(bench.seal(bench.folded(event(5))))[0].units == 10
    prefix = records.collection_prefix(0, b"k", 0)
    assert bench.store.get(prefix + records.parts_bytes(("there",))) is not None


def test_a_snapshot_is_sent_once_in_its_last_value_and_stamped(bench: Bench) -> None:
    found = levels(bench.seal(bench.folded(event(2), event(3))))
    assert [(level.units, level.seq) for level in found] == [(5, SEQ)]


def test_an_event_that_is_passed_on_keeps_its_bytes(bench: Bench) -> None:
    work = bench.work()
    work.fold(b"k", event(1), b"as it came", decode)
    assert passed(bench.seal(work)) == [b"as it came"]


def test_due_alarms_go_off_before_the_event(bench: Bench) -> None:
    bench.commit(bench.folded(event(1, at=0)))
    assert levels(bench.seal(bench.folded(event(1, at=DAY - 1))))[0].rung == 0
    assert levels(bench.seal(bench.folded(event(1, at=DAY))))[0].rung == 1


def test_a_hint_that_no_longer_holds_rings_nothing(bench: Bench) -> None:
    bench.commit(bench.folded(event(1, at=0), event(1, at=DAY - 1)))
    work = bench.work()
    work.ring(b"k", DAY)
    sealed = bench.seal(work)
    assert (sealed.changed, sealed.outgoing) == ({}, [])


def test_the_due_index_follows_the_alarm(bench: Bench) -> None:
    bench.commit(bench.folded(event(1, at=0)))
    bench.commit(bench.folded(event(1, at=5)))
    due = [records.due_of(key) for key, _ in bench.store.scan(records.DUE, records.due_until(2 * DAY))]
    assert due == [(DAY + 5, b"k")]


def test_a_raising_record_leaves_the_others_as_they_are(bench: Bench) -> None:
    work = bench.folded(event(1), event(2))
    with pytest.raises(FoldRefused, match="ValueError"):
        work.fold(b"k", event(666), b"", decode)
    work.fold(b"k", event(4), b"", decode)
    work.fold(b"other", event(9), b"", decode)
    sealed = bench.seal(work)
    assert [level.units for level in levels(sealed)] == [7, 9]
    assert len(passed(sealed)) == 4


def test_forgetting_a_key_removes_its_records(bench: Bench) -> None:
    bench.commit(bench.folded(event(1), event(1, place="there")))
    bench.commit(bench.folded(event(0)))
    assert bench.records() == []


def test_a_key_that_is_forgotten_and_comes_back_at_once_has_nothing_of_before(bench: Bench) -> None:
    bench.commit(bench.folded(event(1), event(1, place="there")))
    bench.commit(bench.folded(event(0), event(3)))
    assert levels(bench.seal(bench.folded(event(1))))[0].units == 4
    parts = [key for key in bench.records() if key.startswith(records.COLLECTION)]
    assert parts == [records.collection_prefix(0, b"k", 1) + records.parts_bytes(("here",))]


def test_a_key_with_many_records_is_noted_and_what_comes_back_is_apart(bench: Bench) -> None:
    places = [event(1, place=f"place-{number}") for number in range(FORGET_AT_ONCE_MAX + 1)]
    bench.commit(bench.folded(*places))
    forgetting = bench.commit(bench.folded(event(0)))
    assert set(forgetting.changed) == {records.head_key(b"k"), records.forgotten_key(b"k")}
    bench.commit(bench.folded(event(3, place="place-1")))
    place = bench.work()._load(b"k").state["places"][("place-1",)]
    assert place.units == 3
    left = list(forgotten_records(b"k", 0, bench.kinds, bench.store))
    assert len(left) == FORGET_AT_ONCE_MAX + 1


def test_a_fold_that_changes_nothing_writes_nothing() -> None:
    bench = Bench(View("idle", (), (), Head, lambda state, _: Step(state.head, skipped="duplicate")))
    work = bench.folded(event(1))
    sealed = bench.seal(work)
    assert (sealed.changed, sealed.index, work.skipped) == ({}, {}, {"duplicate": 1})


def test_a_view_that_wakes_itself_at_once_is_refused() -> None:
    def restless(state: State[Head], counted: Counted | Tick) -> Step:
        return Step(state.head or Head(), [], wake_at=counted.at if isinstance(counted, Tick) else 1)

    bench = Bench(View("restless", (), (), Head, restless))
    bench.commit(bench.folded(event(1, at=0)))
    work = bench.work()
    with pytest.raises(FoldRefused):
        work.ring(b"k", 5)
    assert records.wake_of(bench.seal(work).changed[records.head_key(b"k")] or b"") is None


def test_alarms_before_one_that_raises_have_gone_off() -> None:
    def fold(state: State[Head], counted: Counted | Tick) -> Step:
        head = state.head or Head()
        if not isinstance(counted, Tick):
            return Step(head, wake_at=DAY)
        if head.rung == 2:
            raise ValueError("enough")
        head.rung += 1
        return Step(head, wake_at=counted.at + DAY)

    bench = Bench(View("chained", (), (), Head, fold))
    bench.commit(bench.folded(event(1)))
    work = bench.work()
    with pytest.raises(FoldRefused) as refused:
        work.ring(b"k", 9 * DAY)
    assert refused.value.alarm_at == 3 * DAY
    touched = work.touched[b"k"]
    assert (touched.state.head, touched.wake_at) == (Head(rung=2), None)


def test_a_tombstone_is_sealed_as_one() -> None:
    bench = Bench(View("gone", (), (), Head, lambda state, _: Step(None, [Output(LEVELS, state.key, None)])))
    assert [each.value for each in bench.seal(bench.folded(event(1))).snapshots] == [None]


def test_a_tombstone_takes_the_place_of_the_snapshot_before_it() -> None:
    def fold(state: State[Head], counted: Counted | Tick) -> Step:
        is_gone = isinstance(counted, Counted) and counted.units == 0
        level = None if is_gone else CountLevel(units=1, rung=0)
        return Step(None if is_gone else Head(), [Output(LEVELS, state.key, level)])

    bench = Bench(View("gone", (), (), Head, fold))
    assert [each.value for each in bench.seal(bench.folded(event(1), event(0))).snapshots] == [None]
    assert levels(bench.seal(bench.folded(event(0), event(1))))[0].units == 1


def test_a_snapshot_that_cannot_be_encoded_leaves_its_key_as_it_was() -> None:
    def refusing(topic: Topic, kind: type):  # type: ignore[no-untyped-def]
        def encode_some(record: object) -> bytes:
            if isinstance(record, CountLevel) and record.units > 100:
                raise ValueError("out of range")
            return encode(record)

        return encode_some

    bench = Bench(encoders=refusing)
    work = bench.work()
    work.fold(b"k", event(101), b"guilty", decode)
    work.fold(b"good", event(1), b"", decode)
    sealed = bench.seal(work)
    assert sealed.refused == [Unsealed(b"k", "ValueError", [(decode, b"guilty")])]
    assert {each.key for each in [*sealed.outgoing, *sealed.snapshots]} == {b"good"}
    assert records.head_key(b"k") not in sealed.changed


def test_a_state_that_kafka_would_not_take_is_refused_with_its_events() -> None:
    class Wide(Record):
        text: str = ""

    def widen(state: State[Wide], counted: Counted | Tick) -> Step:
        assert isinstance(counted, Counted)
        return Step(Wide("x" * counted.units))

    bench = Bench(View("wide", (), (), Wide, widen))
    bench.commit(bench.folded(event(10)))
    sealed = bench.seal(bench.folded(event(VALUE_BYTES_MAX)))
    assert [(each.key, each.reason) for each in sealed.refused] == [(b"k", "TooLarge")]
    assert sealed.changed == {}


def test_the_busiest_keys_share_is_told(bench: Bench) -> None:
    work = bench.folded(event(1), event(1), event(1))
    work.fold(b"other", event(1), b"", decode)
    assert bench.seal(work).hottest == 0.75
