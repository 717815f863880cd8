"""Journeys: where each customer is in the value life cycle and in each journey, and what to send them.

Purchases move the life cycle, and so does silence, by alarms. What happens to a customer starts and ends runs of
the shipped journeys (streams/journeys/), and their steps ask for messages. A message's id is derived from the
customer, the journey, its run and its step, so that a repeat is known as one.

A purchase older than the newest counts in the rhythm, but nothing starts or ends by it. A silence lapses once, even
when a late purchase moves its end. Messages carry no address yet: this view knows no profile.

Limits: an order is one purchase however often it is told, as long as it is among the customer's newest
REMEMBERED_MAX. streams/journeys/runs.py says how many runs are kept.
"""

from typing import Any

from msgspec import field

from schemas import ids
from schemas.events.notifications import NotificationRequested
from schemas.events.orders import OrderPlaced, SoldInStore
from schemas.events.states import JourneyInstance, JourneyState
from schemas.keys import by_purchase
from schemas.meta import Meta
from schemas.topics import JOURNEYS as JOURNEYS_TOPIC
from schemas.topics import NOTIFICATIONS_REQUESTED, TIMELINE
from streams.journeys import JOURNEYS, runs
from streams.journeys.life_cycle import (
    LAPSED,
    VERSION,
    Purchases,
    changes_at,
    lapses_at,
    purchase,
    stage_at,
)
from streams.journeys.runs import RUNNING, Catalogue, Run, Runs, Sent
from streams.journeys.words import LIFE_CYCLE, Moment
from streams.view import Output, Record, State, Step, Tick, View
from streams.views.profiles_memory import digest, is_known, remember

REMEMBERED_MAX = 256

CHANNEL, SOURCE = "crm", "vaart"

DUPLICATE = "duplicate"
UNUSED = "unused"
"""No journey looks at this kind of event yet."""

_PURCHASES = frozenset({SoldInStore, OrderPlaced})
_SHIPPED = Catalogue(JOURNEYS)


class Traveller(Record):
    """Where one customer is. `known_until` is the time of the newest purchase or alarm."""

    purchases: Purchases
    known_until: int
    stage: str = ""
    silence_lapsed: int | None = None
    """The last purchase before the newest lapse."""
    recent: bytes = b""
    runs: Runs = field(default_factory=Runs)


def fold(state: State[Traveller], event: Any) -> Step:
    """After this the customer is where the event, or the time that has passed, leads to."""
    head = state.head
    if type(event) is Tick:
        return Step(None) if head is None else _pass_time(state.key, head, event.at)
    if type(event) not in _PURCHASES:
        return _keep(head, UNUSED)
    order = by_purchase(event, "")
    fact = digest(order)
    if head is not None and is_known(head.recent, fact):
        return _keep(head, DUPLICATE)
    return _take_purchase(state.key, head, order, fact, event.meta.occurred_at)


def _keep(head: Traveller | None, skipped: str) -> Step:
    return Step(head, wake_at=None if head is None else _wake_at(head), skipped=skipped)


def _pass_time(profile_id: str, head: Traveller, at: int) -> Step:
    head.known_until = at
    sent = _follow_life_cycle(head, at)
    return _publish(profile_id, head, sent + runs.resume(_SHIPPED, head.runs, at))


def _take_purchase(profile_id: str, head: Traveller | None, order: str, fact: bytes, at: int) -> Step:
    known = purchase(head.purchases if head else None, at)
    head = head or Traveller(known, at)
    head.purchases, head.known_until = known, max(head.known_until, at)
    head.recent = remember(head.recent, fact, REMEMBERED_MAX)
    sent = []
    # PURCHASED comes first: what a first purchase starts must not end by that same purchase.
    if at == known.last_at:
        sent += runs.meet(_SHIPPED, head.runs, Moment.PURCHASED, order, head.known_until)
    if known.count == 1:
        sent += runs.meet(_SHIPPED, head.runs, Moment.FIRST_PURCHASE, order, head.known_until)
    return _publish(profile_id, head, sent + _follow_life_cycle(head, head.known_until))


def _follow_life_cycle(head: Traveller, now: int) -> list[Sent]:
    """After this the stage is that of `now`."""
    head.stage = stage_at(head.purchases, now)
    if head.stage != LAPSED or head.silence_lapsed == head.purchases.last_at:
        return []
    head.silence_lapsed = head.purchases.last_at
    return runs.meet(_SHIPPED, head.runs, Moment.LAPSED, str(lapses_at(head.purchases)), now)


def _wake_at(head: Traveller) -> int | None:
    change, due = changes_at(head.purchases, head.known_until), runs.due_at(head.runs)
    return change if due is None else due if change is None else min(change, due)


def _publish(profile_id: str, head: Traveller, sent: list[Sent]) -> Step:
    asked = [
        Output(NOTIFICATIONS_REQUESTED, profile_id, _request(profile_id, each, head.known_until))
        for each in sent
    ]
    return Step(
        head, (*asked, Output(JOURNEYS_TOPIC, profile_id, _snapshot(profile_id, head))), _wake_at(head)
    )


def _request(profile_id: str, sent: Sent, at: int) -> NotificationRequested:
    run, send = sent
    notification_id = notification_id_of(profile_id, run.journey, run.instance_key, send.name)
    return NotificationRequested(
        meta=Meta(event_id=notification_id, occurred_at=at, received_at=at, channel=CHANNEL, source=SOURCE),
        notification_id=notification_id,
        profile_id=profile_id,
        journey=run.journey,
        instance_key=run.instance_key,
        step=send.name,
        template=send.template,
        medium=send.medium,
    )


def notification_id_of(profile_id: str, journey: str, instance_key: str, step: str) -> str:
    """The UUIDv5 of one message. The key comes last, since it alone may hold any character."""
    return ids.uuid5(f"notification:{profile_id}:{journey}:{step}:{instance_key}")


def _snapshot(profile_id: str, head: Traveller) -> JourneyState:
    """The life cycle first, then live runs, then ended ones, the newest last."""
    life_cycle = JourneyInstance(
        journey=LIFE_CYCLE,
        instance_key="",
        version=VERSION,
        step=head.stage,
        status=RUNNING,
        entered_at=head.purchases.first_at,
    )
    instances = [life_cycle, *map(_instance, head.runs.live), *map(_instance, head.runs.ended)]
    return JourneyState(profile_id=profile_id, instances=instances, updated_at=head.known_until)


def _instance(run: Run) -> JourneyInstance:
    return JourneyInstance(
        journey=run.journey,
        instance_key=run.instance_key,
        version=run.version,
        step=run.step,
        status=run.status,
        entered_at=run.entered_at,
        ended_at=run.ended_at,
        exit_reason=run.exit_reason,
    )


VIEW = View(
    name="journeys",
    sources=(TIMELINE,),
    outputs=(JOURNEYS_TOPIC, NOTIFICATIONS_REQUESTED),
    head=Traveller,
    fold=fold,
)
