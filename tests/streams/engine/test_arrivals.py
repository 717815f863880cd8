from dataclasses import dataclass
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.arrivals import merged
from streams.engine.muting import Place, open_queues, steps
from streams.engine.queues import BATCH_BYTES_MAX, RECORDS_HIGH, RECORDS_LOW, Queue

times = st.lists(st.integers(0, 20), max_size=12)


@dataclass
class Sent:
    offset: int
    timestamp: int
    key: bytes | None = b"k"
    value: bytes | None = b""
    headers: tuple[()] = ()


def sent(moments: list[int]) -> list[Sent]:
    return [Sent(offset, timestamp) for offset, timestamp in enumerate(moments)]


@given(st.fixed_dictionaries({"a": times, "b": times, "c": times}))
def test_merging_keeps_each_sources_order_and_loses_nothing(moments: dict[str, list[int]]) -> None:
    batches = {source: sent(found) for source, found in moments.items()}
    segments = merged(batches)
    for source, records in batches.items():
        assert list(chain.from_iterable(found for name, found in segments if name == source)) == records


def test_merging_puts_older_records_first() -> None:
    segments = merged({"orders": sent([1, 5, 9]), "payments": sent([4, 6])})
    assert [(name, [record.timestamp for record in found]) for name, found in segments] == [
        ("orders", [1]),
        ("payments", [4]),
        ("orders", [5]),
        ("payments", [6]),
        ("orders", [9]),
    ]


def test_a_record_behind_one_with_a_later_clock_is_not_moved_before_it() -> None:
    segments = merged({"a": sent([8, 2]), "b": sent([5])})
    assert [name for name, _ in segments] == ["b", "a"]


@given(times, st.integers(0, 20))
def test_a_queue_gives_what_is_not_newer_than_the_horizon_up_to_the_first_that_is(
    moments: list[int], horizon: int
) -> None:
    queue = Queue()
    if moments:
        queue.add(sent(moments))
    taken = [record.timestamp for record in queue.take(100, horizon)]
    assert all(moment <= horizon for moment in taken)
    assert len(queue) == len(moments) - len(taken)
    assert not queue or moments[len(taken)] > horizon


def test_a_queue_is_full_by_records_or_by_bytes_and_says_when_it_is_low() -> None:
    many, large = Queue(), Queue()
    many.add(sent([0] * (RECORDS_HIGH + 1)))
    large.add([Sent(0, 0, b"k", bytes(900_000))] * 20)
    assert many.is_full
    assert large.is_full
    many.take(RECORDS_HIGH + 2 - RECORDS_LOW)
    assert (many.is_full, many.is_low) == (False, True)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_queue_gives_nothing_beyond_a_limit(first: int, most: int, limit: int) -> None:
    queue = Queue()
    queue.add([Sent(offset, 0) for offset in range(first, 10)] or [Sent(9, 0)])
    taken = [record.offset for record in queue.take(most, limit=limit)]
    assert taken == list(range(first, 10))[:most][: max(0, limit - first)]


def test_a_source_at_its_limit_holds_up_no_other() -> None:
    at_limit, empty, beyond = Queue(), Queue(), Queue()
    at_limit.add([Sent(7, 0)])
    beyond.add([Sent(8, 0)])
    queues = {"at": at_limit, "done": empty, "free": beyond, "short": Queue()}
    here = {"at": 5, "done": 3, "free": 8, "short": 3}
    place = Place({"at": 7, "done": 3, "free": 9, "short": 4})
    assert list(open_queues(queues, here, place)) == ["free", "short"]
    assert open_queues(queues, here, None) == queues
    assert list(open_queues(queues, here, Place({"at": 7}))) == ["done", "free", "short"]


def test_only_markers_are_stepped_over_on_the_way_to_a_limit() -> None:
    waiting, beyond = Queue(), Queue()
    waiting.add([Sent(5, 0)])
    beyond.add([Sent(9, 0)])
    queues = {"waiting": waiting, "beyond": beyond, "empty": Queue(), "behind": Queue(), "there": Queue()}
    here = dict.fromkeys(queues, 5)
    reached = {"waiting": 10, "beyond": 10, "empty": 8, "behind": 7, "there": 9}
    place = Place({"waiting": 8, "beyond": 8, "empty": 8, "behind": 8, "there": 5})
    assert dict(steps(queues, here, reached, place)) == {"beyond": (5, 8), "empty": (5, 8)}


def test_a_batch_of_large_records_is_bounded_by_bytes_but_never_empty() -> None:
    queue = Queue()
    queue.add([Sent(0, 0, b"k", bytes(900_000))] * 20)
    assert len(queue.take(20_000)) == BATCH_BYTES_MAX * 20 // (900_000 * 20)
    queue.clear()
    queue.add([Sent(0, 0, b"k", bytes(2 * BATCH_BYTES_MAX))])
    assert len(queue.take(20_000)) == 1
