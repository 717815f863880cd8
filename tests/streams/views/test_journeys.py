"""The journeys view: purchases and silence move the life cycle, and messages are asked for once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.activity import PageViewed
from schemas.events.lines import Totals
from schemas.events.notifications import NotificationRequested
from schemas.events.orders import OrderPlaced, SoldInStore
from schemas.events.states import JourneyInstance, JourneyState
from schemas.meta import Event, Meta
from schemas.topics import JOURNEYS, NOTIFICATIONS_REQUESTED
from streams.journeys.runs import Catalogue
from streams.journeys.words import DAY_US, End, Exit, Journey, Moment, Reentry, Send, Wait
from streams.view import State, Step, Tick
from streams.views import journeys
from streams.views.journeys import (
    DUPLICATE,
    REMEMBERED_MAX,
    UNUSED,
    Traveller,
    fold,
    notification_id_of,
)

PROFILE_ID = "14f9ad8e-d9bc-5ddf-975d-6192d4bc380d"


def meta(event_id: str, at: int, channel: str = "store") -> Meta:
    return Meta(event_id=event_id, occurred_at=at, received_at=at, channel=channel, source="till")


def sold(number: int, day: float) -> SoldInStore:
    return SoldInStore(
        meta=meta(f"sold-{number}", round(day * DAY_US)),
        receipt_id=str(number),
        store_id="7",
        business_date=0,
        currency="EUR",
        lines=[],
        totals=Totals(total=100),
    )


class Travels:
    """One customer, with alarms that go off as the engine lets them: before each event, up to its time."""

    def __init__(self) -> None:
        self.state: State[Traveller] = State(PROFILE_ID)
        self.wake_at: int | None = None
        self.steps: list[Step] = []

    def follow(self, *events: Event) -> "Travels":
        for event in events:
            self.wait_until(event.meta.occurred_at)
            self._fold(event)
        return self

    def wait_until(self, until: float) -> "Travels":
        while self.wake_at is not None and self.wake_at <= until:
            at = self.wake_at
            self._fold(Tick(at))
            assert self.wake_at is None or self.wake_at > at
        return self

    def _fold(self, event: Any) -> None:
        step = fold(self.state, event)
        self.state.head, self.wake_at = step.head, step.wake_at  # type: ignore[assignment]
        self.steps.append(step)

    @property
    def requests(self) -> list[NotificationRequested]:
        outputs = [
            each for step in self.steps for each in step.outputs if each.topic is NOTIFICATIONS_REQUESTED
        ]
        assert all(each.key == PROFILE_ID for each in outputs)
        return [each.event for each in outputs if isinstance(each.event, NotificationRequested)]

    @property
    def snapshot(self) -> JourneyState:
        outputs = [each for step in self.steps for each in step.outputs if each.topic is JOURNEYS]
        assert isinstance(outputs[-1].event, JourneyState)
        return outputs[-1].event

    @property
    def stage(self) -> str:
        return self.snapshot.instances[0].step


def test_a_first_purchase_makes_a_new_customer_who_is_thanked() -> None:
    travels = Travels().follow(sold(1, day=10))
    assert travels.snapshot == JourneyState(
        profile_id=PROFILE_ID,
        updated_at=10 * DAY_US,
        instances=[
            JourneyInstance(journey="life_cycle", instance_key="", version=1, step="new", status="running",
                            entered_at=10 * DAY_US),
            JourneyInstance(journey="thank_you", instance_key="", version=1, step="end", status="ended",
                            entered_at=10 * DAY_US, ended_at=10 * DAY_US, exit_reason="completed"),
        ],
    )  # fmt: skip
    notification_id = notification_id_of(PROFILE_ID, "thank_you", "", "thank_you")
    assert travels.requests == [
        NotificationRequested(
            meta=Meta(event_id=notification_id, occurred_at=10 * DAY_US, received_at=10 * DAY_US,
                      channel="crm", source="vaart"),
            notification_id=notification_id,
            profile_id=PROFILE_ID,
            journey="thank_you",
            instance_key="",
            step="thank_you",
            template="thank_you",
            medium="email",
        )
    ]  # fmt: skip
    assert travels.wake_at == 70 * DAY_US


def test_a_web_order_is_a_purchase() -> None:
    order = OrderPlaced(
        meta=meta("o", 1, "web"), order_id="1", currency="EUR", lines=[], totals=Totals(total=1)
    )
    assert Travels().follow(order).stage == "new"


def test_silence_moves_a_customer_on_and_a_lapse_is_answered_once() -> None:
    travels = Travels().follow(sold(1, day=0), sold(2, day=10))
    assert travels.stage == "active"
    assert travels.wait_until(30 * DAY_US - 1).stage == "active"
    assert travels.wait_until(30 * DAY_US).stage == "at_risk"
    assert travels.wait_until(50 * DAY_US).stage == "lapsed"
    assert travels.wake_at is None
    (win_back,) = travels.requests[1:]
    assert (win_back.journey, win_back.instance_key) == ("win_back", str(50 * DAY_US))
    assert win_back.meta.occurred_at == 50 * DAY_US


def test_a_purchase_makes_active_again_and_the_next_lapse_is_another() -> None:
    travels = Travels().follow(sold(1, day=0), sold(2, day=200))
    assert (travels.stage, travels.wake_at) == ("active", 380 * DAY_US)
    travels.wait_until(900 * DAY_US)
    assert [(each.journey, each.instance_key) for each in travels.requests] == [
        ("thank_you", ""),
        ("win_back", str(120 * DAY_US)),
        ("win_back", str(560 * DAY_US)),
    ]
    assert len({each.notification_id for each in travels.requests}) == 3


def test_who_never_bought_has_no_life_cycle_and_costs_nothing() -> None:
    travels = Travels().follow(PageViewed(meta=meta("p", 1, "web")))
    assert travels.steps == [Step(None, skipped=UNUSED)]


def test_other_events_leave_the_alarm_where_it_was() -> None:
    travels = Travels().follow(sold(1, day=0), PageViewed(meta=meta("p", DAY_US, "web")))
    assert (travels.wake_at, travels.steps[-1].skipped, travels.steps[-1].outputs) == (
        60 * DAY_US,
        UNUSED,
        (),
    )


def test_a_repeat_changes_nothing() -> None:
    travels = Travels().follow(sold(1, day=0), sold(2, day=3), sold(1, day=0))
    assert (travels.steps[-1].skipped, travels.steps[-1].outputs) == (DUPLICATE, ())
    assert travels.wake_at == travels.steps[-2].wake_at


def test_purchases_are_remembered_up_to_a_bound() -> None:
    travels = Travels().follow(*[sold(number, day=0) for number in range(REMEMBERED_MAX + 1)])
    assert [step.skipped for step in travels.follow(sold(1, day=0), sold(0, day=0)).steps[-2:]] == [
        DUPLICATE,
        None,
    ]


def test_a_late_purchase_counts_in_the_rhythm_and_starts_nothing() -> None:
    travels = Travels().follow(sold(1, day=100), sold(0, day=80))
    assert (travels.stage, travels.wake_at) == ("active", 140 * DAY_US)
    assert [each.journey for each in travels.requests] == ["thank_you"]
    assert travels.snapshot.instances[0].entered_at == 80 * DAY_US
    assert travels.snapshot.updated_at == 100 * DAY_US


def test_a_late_purchase_never_wakes_into_the_past() -> None:
    travels = Travels().follow(sold(0, day=0), sold(2, day=80)).wait_until(250 * DAY_US)
    assert travels.stage == "at_risk"
    travels.follow(sold(1, day=40))  # the rhythm is 40 days now: the customer lapsed on day 240
    assert (travels.stage, travels.wake_at) == ("lapsed", None)
    assert travels.requests[-1].instance_key == str(240 * DAY_US)
    assert travels.requests[-1].meta.occurred_at == 240 * DAY_US


def test_a_silence_lapses_once_even_when_its_end_moves() -> None:
    travels = Travels().follow(sold(1, day=100)).wait_until(220 * DAY_US)
    assert (travels.stage, len(travels.requests)) == ("lapsed", 2)
    travels.follow(sold(0, day=0))  # the rhythm is 90 days now: not even at risk
    assert (travels.stage, travels.wake_at) == ("active", 280 * DAY_US)
    assert travels.wait_until(900 * DAY_US).stage == "lapsed"
    assert len(travels.requests) == 2


CARE = Journey(
    name="care_tips",
    version=1,
    entry=Moment.FIRST_PURCHASE,
    reentry=Reentry.NEVER,
    steps=(Wait("five_days", 5 * DAY_US), Send("tips", template="care_tips"), End("end")),
    exits=(Exit(Moment.PURCHASED, "bought_again"),),
)


@pytest.fixture
def _care_is_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "_SHIPPED", Catalogue([CARE]))


@pytest.mark.usefixtures("_care_is_shipped")
def test_a_journey_that_waits_wakes_before_the_life_cycle_does() -> None:
    travels = Travels().follow(sold(1, day=10))
    assert (travels.wake_at, travels.snapshot.instances[1].step) == (15 * DAY_US, "five_days")
    travels.wait_until(15 * DAY_US)
    assert [(each.step, each.meta.occurred_at) for each in travels.requests] == [("tips", 15 * DAY_US)]
    assert travels.wake_at == 70 * DAY_US


@pytest.mark.usefixtures("_care_is_shipped")
def test_a_purchase_ends_what_it_is_an_exit_of_unless_it_is_a_late_one() -> None:
    travels = Travels().follow(sold(1, day=10), sold(0, day=9))
    assert travels.snapshot.instances[1].status == "running"
    travels.follow(sold(2, day=12))
    assert travels.snapshot.instances[1].exit_reason == "bought_again"
    assert travels.wait_until(15 * DAY_US).requests == []


def stage_by_the_book(days: list[int], day: int) -> str:
    """The stage on `day` of who bought on `days` up to then."""
    first, last, count = min(days), max(days), len(days)
    rhythm = 30 * DAY_US
    if last > first:
        rhythm = sorted((7 * DAY_US, (last - first) * DAY_US // (count - 1), 90 * DAY_US))[1]
    silence = (day - last) * DAY_US
    if silence >= 4 * rhythm:
        return "lapsed"
    if silence >= 2 * rhythm:
        return "at_risk"
    return "new" if count == 1 else "active"


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12).map(sorted), st.integers(0, 400))
def test_day_by_day_a_reference_agrees_on_stages_and_lapses(days: list[int], more: int) -> None:
    travels, lapses, stage = Travels(), 0, ""
    for day in range(days[0], days[-1] + more + 1):
        before = [each for each in days if each < day]
        if before:
            stage, was = stage_by_the_book(before, day), stage
            lapses += stage == "lapsed" != was
            assert travels.wait_until(day * DAY_US).stage == stage
        for number, each in enumerate(days):
            if each == day:
                travels.follow(sold(number, day))
                stage = stage_by_the_book(days[: number + 1], day)
                assert travels.stage == stage
    assert [each.journey for each in travels.requests].count("win_back") == lapses


@given(st.data(), st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_shuffled_and_repeated_purchases_lead_to_the_same_life_cycle(
    data: st.DataObject, days: list[int]
) -> None:
    purchases = [sold(number, day) for number, day in enumerate(days)]
    repeats = data.draw(st.lists(st.sampled_from(purchases), max_size=4))
    shuffled = data.draw(st.permutations(purchases + repeats))
    ends = []
    for events in (sorted(purchases, key=lambda each: each.meta.occurred_at), shuffled):
        travels = Travels().follow(*events).wait_until(401 * DAY_US)
        assert travels.state.head is not None
        ends.append((travels.state.head.purchases, travels.stage, travels.wake_at))
        assert [each.journey for each in travels.requests].count("thank_you") == 1
    assert ends[0] == ends[1]


def test_what_is_kept_survives_being_written_and_read() -> None:
    head = Travels().follow(sold(1, day=0), sold(2, day=3)).wait_until(50 * DAY_US).state.head
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(head), type=Traveller) == head
