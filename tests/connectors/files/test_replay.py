"""A replay: opening counts first, everything else in the order of time, the clock behind it on every partition."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
import pytest

from connectors.files.replay import INPUTS, WEEK_US, OutOfOrder, Progress, replay
from schemas.events.activity import TraitsChanged
from schemas.events.clock import ClockAdvanced
from schemas.events.lines import Totals
from schemas.events.orders import SoldInStore
from schemas.events.stock import StockCounted
from schemas.ids import event_id
from schemas.meta import Event, Identifier, Meta
from schemas.topic import Topic
from schemas.topics import ORDERS, STOCK
from tests.connectors.files.conftest import PARTITIONS, Wharf
from vaart.errors import ConfigFault

START = 1_700_000_000_000_000
TOPICS = (ORDERS, STOCK)


@dataclass
class Kind:
    name: str
    listed: list[Event]
    is_opening: bool = False

    def __iter__(self) -> Iterator[Event]:
        return iter(self.listed)


class Log:
    """An outlet that writes down what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def publish(self, event: Event) -> None:
        self.told.append(event)

    def advance(self, topics: Iterable[Topic], clock: ClockAdvanced) -> None:
        self.told.append(clock)

    def flush(self) -> None:
        self.told.append("flush")


def meta(at: int, number: int) -> Meta:
    return Meta(
        event_id=event_id("s", "t", str(number)),
        occurred_at=at,
        received_at=2 * START,
        channel="store",
        source="s",
    )


def sale(day: float, number: int = 0) -> SoldInStore:
    return SoldInStore(
        meta=meta(START + int(day * WEEK_US / 7), number),
        receipt_id=str(number),
        store_id="1",
        business_date=0,
        currency="EUR",
        lines=[],
        totals=Totals(total=1),
    )


def count(number: int = 0) -> StockCounted:
    return StockCounted(
        meta=meta(START, number),
        sku=str(number),
        location_id="1",
        quantities={},
        as_of=START,
        count_id=str(number),
    )


def test_the_clock_stands_between_what_is_before_and_what_is_behind_it() -> None:
    log, first, second, third = Log(), sale(-3), sale(7), sale(15)
    counted = [count(1), count(2)]
    kinds = [
        Kind("Late", [second]),
        Kind("Early", [first, third]),
        Kind("Counted", [*counted], is_opening=True),
    ]
    end = START + 3 * WEEK_US
    done = replay(kinds, log, TOPICS, start=START, end=end)
    clocks = [
        ClockAdvanced(until=until, writer="replay")
        for until in (first.meta.occurred_at - 1, START + WEEK_US, START + 2 * WEEK_US, end)
    ]
    assert log.told == [
        *counted,
        "flush",
        clocks[0],
        first,
        second,
        clocks[1],
        clocks[2],
        third,
        clocks[3],
        "flush",
    ]
    assert done == Progress(5, {"Counted": 2, "Early": 2, "Late": 1}, third.meta.occurred_at)


def test_the_last_clock_is_never_before_the_last_event() -> None:
    log = Log()
    replay([Kind("Sold", [sale(9)])], log, TOPICS, start=START, end=START + WEEK_US)
    assert log.told[-2] == ClockAdvanced(until=sale(9).meta.occurred_at, writer="replay")


def test_without_a_period_the_events_say_when_it_was() -> None:
    log = Log()
    replay([Kind("Sold", [sale(1), sale(2)])], log, TOPICS)
    assert [each.until for each in log.told if isinstance(each, ClockAdvanced)] == [
        sale(1).meta.occurred_at - 1,
        sale(2).meta.occurred_at,
    ]


def test_a_kind_that_is_not_in_order_stops_the_replay() -> None:
    with pytest.raises(OutOfOrder, match="Sold"):
        replay([Kind("Sold", [sale(2), sale(1)])], Log(), TOPICS, start=START, end=START)


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files.replay.PROGRESS_EVENTS", 2)
    told: list[int] = []
    replay(
        [Kind("Sold", [sale(day) for day in range(5)])],
        Log(),
        TOPICS,
        progress=lambda each: told.append(each.events),
    )
    assert told == [2, 4, 5]


def test_every_input_topic_has_a_clock() -> None:
    assert {ORDERS, STOCK} <= set(INPUTS)


def test_on_kafka_each_partition_holds_all_of_it_in_order(wharf: Wharf) -> None:
    sales = [sale(number / 10, number) for number in range(300)]
    kinds = [
        Kind("Sold", [*sales]),
        Kind("Counted", [count(number) for number in range(50)], is_opening=True),
    ]
    with wharf.outlet() as outlet:
        replay(kinds, outlet, TOPICS, start=START, end=START + 5 * WEEK_US)
    untils: dict[object, list[int]] = {}
    for topic, events in ((ORDERS, sales), (STOCK, kinds[1].listed)):
        found = wharf.read(topic)
        received = [
            record for partition in found for _, record in partition if not isinstance(record, ClockAdvanced)
        ]
        assert sorted(each.meta.event_id for each in received) == sorted(
            each.meta.event_id for each in events
        )
        for partition in found:
            until = 0
            for key, record in partition:
                if isinstance(record, ClockAdvanced):
                    assert key == "clock:replay:0"
                    until = record.until
                elif topic is ORDERS:
                    assert key.startswith("s:")
                    assert record.meta.occurred_at > until
            untils[topic, len(untils)] = [
                record.until for _, record in partition if isinstance(record, ClockAdvanced)
            ]
    assert len(untils) == 2 * PARTITIONS
    assert {tuple(each) for each in untils.values()} == {
        (START - 1, *(START + weeks * WEEK_US for weeks in range(1, 5)), START + 5 * WEEK_US)
    }


def test_a_personal_key_needs_the_deployments_secret(wharf: Wharf) -> None:
    event = TraitsChanged(
        meta=msgspec.structs.replace(meta(START, 1), identifiers=[Identifier("email", "a@b.example")])
    )
    with wharf.outlet() as outlet, pytest.raises(ConfigFault, match="set VAART_IDENTIFIER_SECRET"):
        outlet.publish(event)


def test_a_topic_that_is_not_there_is_named(wharf: Wharf) -> None:
    from schemas.topics import PARCELS

    with wharf.outlet() as outlet, pytest.raises(ConfigFault, match="run `vaart schemas register`"):
        outlet.advance([PARCELS], ClockAdvanced(until=1, writer="replay"))
