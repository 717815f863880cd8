"""Stock against a model: whatever comes, however late, often and shuffled, the books agree with the facts.

The model knows no buckets and no order of arrival. Per shelf, what is on hand less the shortage must be its newest
count and every fact after it.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from schemas.events.states import StockLedgerEntry, StockLevel
from schemas.events.stock import (
    StockAdjusted,
    StockCounted,
    StockInspected,
    StockMoved,
    StockReceived,
    StockSaleVoided,
    StockShipped,
    StockSold,
)
from schemas.meta import Event, Meta
from streams.view import State
from streams.views import stock
from streams.views.stock_shelf import BUCKETS, SHORTAGE, Shelf

PLACES = (*BUCKETS, SHORTAGE)
BUCKET = st.sampled_from(BUCKETS)
RECEIVED_AT = 10**6

Net = Callable[[Any], int]

FACTS: dict[type, tuple[dict[str, Any], Net]] = {
    StockSold: ({"document_id": st.just("d"), "line_id": st.just("1")}, lambda fact: -fact.quantity),
    StockSaleVoided: ({"document_id": st.just("d"), "line_id": st.just("1")}, lambda fact: fact.quantity),
    StockReceived: ({"disposition": BUCKET}, lambda fact: fact.quantity),
    StockShipped: ({}, lambda fact: -fact.quantity),
    StockMoved: ({"from_bucket": BUCKET, "to_bucket": BUCKET}, lambda _: 0),
    StockAdjusted: ({"bucket": BUCKET, "reason": st.just("found")}, lambda fact: fact.quantity),
    StockInspected: (
        {"disposition": st.sampled_from(("available", "damaged", "blocked", "gone"))},
        lambda fact: -fact.quantity if fact.disposition == "gone" else 0,
    ),
}
"""Each fact's own fields, and what it does to what is on hand less the shortage."""


@st.composite
def facts(draw: st.DrawFn) -> Event:
    """A fact about one of two shelves, at any moment. Its id follows from all that it says."""
    kind = draw(st.sampled_from((*FACTS, StockSold, StockCounted, StockCounted)))
    fields: dict[str, Any] = {"location_id": draw(st.sampled_from(("S1", "S2")))}
    at = draw(st.integers(1, 30))
    if kind is StockCounted:
        as_of = draw(st.integers(1, 30))
        fields["quantities"] = draw(st.dictionaries(BUCKET, st.integers(0, 9), max_size=3))
        fields |= {"as_of": as_of, "count_id": f"{as_of}-{sorted(fields['quantities'].items())}"}
    else:
        low = -5 if kind is StockAdjusted else 0
        fields["quantity"] = draw(st.integers(low, 9))
        fields |= {name: draw(values) for name, values in FACTS[kind][0].items()}
    event_id = f"{kind.__name__}-{at}-{fields}"
    meta = Meta(event_id=event_id, occurred_at=at, received_at=RECEIVED_AT, channel="store", source="till")
    fact: Event = kind(meta=meta, sku="A", **fields)
    return fact


def expected(events: dict[str, Any], location_id: str) -> int:
    """The newest count and what happened after it."""
    here = [event for event in events.values() if event.location_id == location_id]
    counts = [event for event in here if type(event) is StockCounted]
    newest = max(counts, key=lambda count: (count.as_of, count.count_id), default=None)
    since = [e for e in here if e not in counts and (newest is None or e.meta.occurred_at > newest.as_of)]
    counted = 0 if newest is None else sum(newest.quantities.values())
    return counted + sum(FACTS[type(event)][1](event) for event in since)


class Books:
    """The view's state, its ledger added up, and the levels that it published."""

    def __init__(self) -> None:
        self.state = State[stock.Product]("A", None, {"shelves": dict[Any, Shelf]()})
        self.ledger: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(PLACES, 0))
        self.levels: dict[str, StockLevel] = {}
        self.rows: list[StockLedgerEntry] = []

    def take(self, event: Event) -> None:
        step = stock.fold(self.state, event)
        self.state.head = step.head  # type: ignore[assignment]
        self._store()
        for output in step.outputs:
            if isinstance(output.event, StockLevel):
                self.levels[output.event.location_id] = output.event
            elif isinstance(output.event, StockLedgerEntry):
                self.rows.append(output.event)
                self.ledger[output.event.location_id][output.event.bucket] += output.event.delta

    def net(self, location_id: str) -> int:
        shelf = self.shelves().get((location_id, "own"), Shelf())
        return int(shelf.on_hand - shelf.shortage)

    def shelves(self) -> dict[Any, Shelf]:
        return self.state["shelves"]  # type: ignore[return-value]

    def _store(self) -> None:
        for part, shelf in self.shelves().items():
            self.shelves()[part] = msgspec.msgpack.decode(msgspec.msgpack.encode(shelf), type=Shelf)


class StockMachine(RuleBasedStateMachine):
    """Facts come late, twice and in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.events: dict[str, Event] = {}

    @rule(event=facts())
    def something_happens(self, event: Event) -> None:
        before = {part: (shelf.on_hand, shelf.shortage) for part, shelf in self.books.shelves().items()}
        self.books.take(event)
        self.events[event.meta.event_id] = event
        if type(event) is StockReceived:
            self.shortage_is_healed_first(before)

    def shortage_is_healed_first(self, before: dict[Any, tuple[int, int]]) -> None:
        for part, shelf in self.books.shelves().items():
            on_hand, _ = before.get(part, (0, 0))
            assert shelf.shortage == 0 or shelf.on_hand <= on_hand

    @rule(data=st.data())
    def something_comes_again(self, data: st.DataObject) -> None:
        if self.events:
            rows = len(self.books.rows)
            self.books.take(data.draw(st.sampled_from(list(self.events.values()))))
            assert len(self.books.rows) == rows

    @invariant()
    def no_bucket_is_negative(self) -> None:
        assert all(getattr(shelf, place) >= 0 for shelf in self.books.shelves().values() for place in PLACES)

    @invariant()
    def the_books_agree_with_the_facts(self) -> None:
        for location_id in ("S1", "S2"):
            assert self.books.net(location_id) == expected(self.events, location_id)

    @invariant()
    def the_ledger_adds_up_to_the_levels(self) -> None:
        assert [row.seq for row in self.books.rows] == list(range(1, len(self.books.rows) + 1))
        assert len({(row.event_id, row.line_no) for row in self.books.rows}) == len(self.books.rows)
        for (location_id, _), shelf in self.books.shelves().items():
            told = {place: getattr(shelf, place) for place in PLACES}
            assert self.books.ledger[location_id] == told

    @invariant()
    def levels_are_what_the_shelves_hold(self) -> None:
        for location_id, level in self.books.levels.items():
            shelf = self.books.shelves()[location_id, "own"]
            assert {place: getattr(level, place) for place in PLACES} == {
                place: getattr(shelf, place) for place in PLACES
            }
            assert level.on_hand == sum(getattr(level, bucket) for bucket in BUCKETS)


def test_the_books_agree_with_the_facts_after_each_step() -> None:
    run_state_machine_as_test(
        StockMachine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None)
    )


@given(st.lists(facts(), max_size=25), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_arrival_does_not_matter(events: list[Event], random: Any) -> None:
    shuffled = [*events, *random.sample(events, len(events) // 3)]
    random.shuffle(shuffled)
    one, other = Books(), Books()
    for event in events:
        one.take(event)
    for event in shuffled:
        other.take(event)
    assert [one.net("S1"), one.net("S2")] == [other.net("S1"), other.net("S2")]
