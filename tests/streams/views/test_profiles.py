"""The profiles view: each event counts once, in whatever order, and stands once on the timeline."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.activity import CampaignTouched, CustomerIdentified, PageViewed, TraitsChanged
from schemas.events.codes import CodeRedeemed
from schemas.events.lines import Totals
from schemas.events.orders import OrderPlaced, OrderShipped, SoldInStore
from schemas.events.states import IdentityPointer, Profile
from schemas.meta import Event, Identifier, Meta
from schemas.topics import IDENTITIES, PROFILES, TIMELINE
from streams.view import Output, State, Step
from streams.views import profiles_memory as memory
from streams.views import profiles_orders as orders
from streams.views import profiles_said as said
from streams.views.identity import profile_of
from streams.views.profiles import DUPLICATE, LATE, REMEMBERED_MAX, VIEW, Customer, fold

CARD = Identifier("loyalty_card", "1234")
PROFILE_ID = profile_of(CARD.kind, CARD.value)


def meta(event_id: str, at: int, *identifiers: Identifier, channel: str = "store") -> Meta:
    return Meta(
        event_id=event_id,
        occurred_at=at,
        received_at=at,
        channel=channel,
        source="till",
        identifiers=[*(identifiers or (CARD,))],
    )


def sold(number: int, at: int, total: int = 100, store_id: str = "7", **more: Any) -> SoldInStore:
    return SoldInStore(
        meta=meta(more.pop("event_id", f"sold-{number}"), at, channel=more.pop("channel", "store")),
        receipt_id=str(number),
        store_id=store_id,
        business_date=0,
        currency=more.pop("currency", "EUR"),
        lines=[],
        totals=Totals(total=total, discount=more.pop("discount", 0)),
    )


def placed(number: int, at: int, total: int = 100, **more: Any) -> OrderPlaced:
    return OrderPlaced(
        meta=meta(more.pop("event_id", f"placed-{number}"), at, channel="web"),
        order_id=str(number),
        currency="EUR",
        lines=[],
        totals=Totals(total=total),
        coupon_codes=more.pop("coupon_codes", []),
    )


def campaign(name: str, at: int) -> CampaignTouched:
    return CampaignTouched(meta=meta(f"campaign-{name}-{at}", at), campaign=name)


def code(name: str, at: int) -> CodeRedeemed:
    return CodeRedeemed(meta=meta(f"code-{name}-{at}", at), code=name)


def traits(event_id: str, at: int, removed: Iterable[str] = (), **values: str) -> TraitsChanged:
    return TraitsChanged(meta=meta(event_id, at), set=values, removed=[*removed])


def customer() -> State[Customer]:
    return State(PROFILE_ID, None, {"orders": {}})


def follow(state: State[Customer], *events: Event) -> list[Step]:
    steps = []
    for event in events:
        steps.append(fold(state, event))
        state.head = steps[-1].head  # type: ignore[assignment]
    return steps


def known(*events: Event) -> Profile:
    """The profile that the last of the events publishes."""
    return published(follow(customer(), *events)[-1])


def published(step: Step) -> Profile:
    (found,) = [each.event for each in step.outputs if each.topic is PROFILES]
    assert isinstance(found, Profile)
    return found


def test_a_receipt_counts_in_the_profile_and_stands_on_the_timeline() -> None:
    event = sold(1, at=5, total=1250, discount=200)
    (step,) = follow(customer(), event)
    profile = published(step)
    assert (profile.order_count, profile.revenue, profile.discount, profile.currency) == (1, 1250, 200, "EUR")
    assert (profile.first_seen_at, profile.last_seen_at, profile.last_order_at) == (5, 5, 5)
    assert (profile.favourite_channel, profile.favourite_location_id) == ("store", "7")
    assert step.outputs[0] == Output(TIMELINE, PROFILE_ID, event)
    assert step.outputs[0].event is event


def test_a_web_order_counts_too_and_its_codes_are_listed() -> None:
    profile = known(placed(1, at=5, total=900, coupon_codes=["TEN"]))
    assert (profile.order_count, profile.revenue, profile.coupons) == (1, 900, ["TEN"])
    assert (profile.favourite_channel, profile.favourite_location_id) == ("web", None)


@pytest.mark.parametrize(
    "event",
    [
        sold(1, 5),
        placed(1, 5),
        campaign("c", 5),
        OrderShipped(meta=meta("s", 5), order_id="1", shipment_id="1"),
    ],
)
def test_a_repeat_changes_nothing_and_stays_off_the_timeline(event: Event) -> None:
    state = customer()
    first, again = follow(state, event, event)
    assert again == Step(first.head, skipped=DUPLICATE)
    assert again.outputs == ()


def test_an_event_without_a_use_moves_last_seen_and_stands_on_the_timeline() -> None:
    event = PageViewed(meta=meta("p", 9), path="/dress")
    state = customer()
    step = follow(state, sold(1, at=5), event)[-1]
    assert (published(step).last_seen_at, published(step).last_order_at) == (9, 5)
    assert Output(TIMELINE, PROFILE_ID, event) in step.outputs


def test_an_order_told_anew_counts_once_as_it_was_told_last() -> None:
    first, corrected = sold(1, at=5, total=100), sold(1, at=6, total=80, store_id="9", event_id="corrected")
    for order in ([first, corrected], [corrected, first]):
        profile = known(*order)
        assert (profile.order_count, profile.revenue, profile.favourite_location_id) == (1, 80, "9")
    state = customer()
    assert [each.skipped for each in follow(state, first, corrected, first, corrected)] == [
        None,
        None,
        DUPLICATE,
        DUPLICATE,
    ]


def test_of_two_tellings_at_one_time_the_same_one_counts_whichever_came_first() -> None:
    one, other = sold(1, at=5, total=100, event_id="one"), sold(1, at=5, total=80, event_id="other")
    assert known(one, other).revenue == known(other, one).revenue


def test_at_one_time_a_value_beats_a_removal_even_an_empty_one() -> None:
    said_empty, removed = traits("a", 2, size=""), traits("b", 2, removed=["size"])
    assert known(said_empty, removed).traits == known(removed, said_empty).traits == {"size": ""}


def test_the_latest_statement_about_a_trait_holds_and_a_removal_is_one() -> None:
    assert known(traits("b", 2, size="M"), traits("a", 1, size="S", sign="x")).traits == {
        "sign": "x",
        "size": "M",
    }
    assert known(traits("a", 1, size="S"), traits("b", 2, removed=["size"])).traits == {}
    assert known(traits("b", 2, removed=["size"]), traits("a", 2, size="S")).traits == {"size": "S"}


def test_a_trait_takes_effect_when_the_source_says_so() -> None:
    dated = TraitsChanged(meta=meta("a", 9), set={"size": "L"}, effective_at=1)
    assert known(dated, traits("b", 2, size="M")).traits == {"size": "M"}


def test_what_customers_say_of_themselves_are_traits() -> None:
    assert known(CustomerIdentified(meta=meta("i", 1), traits={"size": "S"})).traits == {"size": "S"}


def test_campaigns_and_coupons_are_listed_as_they_were_last_met() -> None:
    profile = known(campaign("a", 3), campaign("b", 2), campaign("a", 1), code("z", 5), code("y", 9))
    assert (profile.campaigns, profile.coupons) == (["b", "a"], ["z", "y"])


def test_a_favourite_is_where_most_orders_are_then_the_latest_then_the_first_by_name() -> None:
    assert (
        known(
            sold(1, 1, store_id="b"), sold(2, 2, store_id="b"), sold(3, 3, store_id="a")
        ).favourite_location_id
        == "b"
    )
    assert known(sold(2, 2, store_id="b"), sold(1, 1, store_id="a")).favourite_location_id == "b"
    assert known(sold(1, 1, store_id="b"), sold(2, 1, store_id="a")).favourite_location_id == "a"


def test_amounts_are_those_of_the_currency_with_most_orders() -> None:
    profile = known(sold(1, 1), sold(2, 2), sold(3, 3, total=70_000, currency="SEK"))
    assert (profile.order_count, profile.revenue, profile.currency) == (3, 200, "EUR")


def test_the_identifier_that_a_profile_stands_for_points_to_it() -> None:
    weaker = Identifier("email", "x@example.org", verified=True)
    (step,) = follow(customer(), PageViewed(meta=meta("p", 5, CARD, weaker)))
    pointer = IdentityPointer(
        kind="loyalty_card", value="1234", profile_id=PROFILE_ID, first_seen_at=5, updated_at=5
    )
    assert [each for each in step.outputs if each.topic is IDENTITIES] == [
        Output(IDENTITIES, "loyalty_card:1234", pointer)
    ]
    assert published(step).identifiers == [CARD, weaker]


def test_a_pointer_is_written_again_when_it_says_something_else() -> None:
    verified = Identifier(CARD.kind, CARD.value, verified=True)
    steps = follow(customer(), sold(1, 5), sold(2, 6), sold(3, 4), PageViewed(meta=meta("p", 7, verified)))
    pointers = [[each.event for each in step.outputs if each.topic is IDENTITIES] for step in steps]
    assert [len(each) for each in pointers] == [1, 0, 1, 1]
    assert isinstance(pointers[2][0], IdentityPointer)
    assert pointers[2][0].first_seen_at == 4


def test_no_address_shows_in_a_key() -> None:
    address = Identifier("email", "X@example.org ")
    state = State[Customer](profile_of("email", "x@example.org"), None, {"orders": {}})
    (step,) = follow(state, PageViewed(meta=meta("p", 5, address)))
    (pointer,) = [each for each in step.outputs if each.topic is IDENTITIES]
    assert pointer.key == f"email:{state.key}"
    assert isinstance(pointer.event, IdentityPointer)
    assert pointer.event.value == "x@example.org"


TIMES = st.integers(0, 30)
NAMES = st.sampled_from("abc")
EVENTS = st.one_of(
    st.builds(sold, st.integers(1, 6), TIMES, st.integers(1, 500), NAMES, currency=st.sampled_from(["EUR", "SEK"]),
              channel=NAMES, event_id=st.uuids().map(str)),
    st.builds(placed, st.integers(1, 6), TIMES, st.integers(1, 500), event_id=st.uuids().map(str)),
    st.builds(campaign, NAMES, TIMES),
    st.builds(code, NAMES, TIMES),
    st.builds(traits, st.uuids().map(str), TIMES, removed=st.lists(NAMES, max_size=1), size=NAMES),
)  # fmt: skip


def on_timeline(steps: list[Step]) -> list[str]:
    """The ids of the events that were passed on."""
    passed_on = [each.event for step in steps for each in step.outputs if each.topic is TIMELINE]
    return sorted(each.meta.event_id for each in passed_on if isinstance(each, Event))


def kept(state: State[Customer]) -> tuple[Any, ...]:
    """All that is known, without the order in which it came to be known."""
    assert state.head is not None
    head = msgspec.structs.replace(state.head, recent=b"", traits=dict(sorted(state.head.traits.items())))
    return msgspec.to_builtins(head), sorted(state["orders"].items())


@given(st.data(), st.lists(EVENTS, min_size=1, max_size=25))
def test_the_order_of_arrival_and_repeats_make_no_difference(
    data: st.DataObject, events: list[Event]
) -> None:
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=10))))
    one, other = customer(), customer()
    steps, others = follow(one, *events), follow(other, *shuffled)
    assert kept(one) == kept(other)
    timelines = [on_timeline(steps), on_timeline(others)]
    assert timelines[0] == timelines[1] == sorted({each.meta.event_id for each in events})


@given(st.lists(EVENTS, min_size=1, max_size=25))
def test_the_sums_are_those_of_the_parts(events: list[Event]) -> None:
    state = customer()
    follow(state, *events)
    parts = [part for part in state["orders"].values() if part.currency == "EUR"]
    assert state.head is not None
    euros = state.head.orders.sums.money.get("EUR", orders.Money())
    assert (euros.orders, euros.revenue) == (len(parts), sum(part.total for part in parts))


def test_the_oldest_orders_are_summed_up_and_no_figure_changes() -> None:
    state = customer()
    late_order = [sold(number, at=number) for number in range(1, orders.APART_MAX + 2)]
    profile = published(follow(state, *reversed(late_order))[-1])
    assert len(state["orders"]) == orders.KEPT_APART
    assert (profile.order_count, profile.revenue) == (orders.APART_MAX + 1, 100 * (orders.APART_MAX + 1))
    assert ("till:101",) not in state["orders"]
    corrections = [sold(number, at=700, total=1, event_id=f"corrected-{number}") for number in (400, 401)]
    corrected = published(follow(state, *corrections)[-1])
    assert (corrected.order_count, corrected.revenue) == (profile.order_count, profile.revenue - 2 * 99)


def test_an_order_from_a_time_that_is_summed_up_changes_no_figure_and_says_so() -> None:
    state = customer()
    follow(state, *[sold(number, at=number) for number in range(1, orders.APART_MAX + 2)])
    step = follow(state, sold(9_999, at=101))[-1]
    assert (step.skipped, published(step).order_count) == (LATE, orders.APART_MAX + 1)
    assert step.outputs[0].topic is TIMELINE


def test_more_than_the_newest_campaigns_are_not_listed() -> None:
    names = [str(number) for number in range(said.LISTED_MAX + 2)]
    assert known(*[campaign(name, at) for at, name in reversed([*enumerate(names)])]).campaigns == names[2:]


def test_more_than_the_newest_traits_are_not_kept_and_long_text_is_cut() -> None:
    events = [traits(f"t-{at}", at, **{f"n{at}": "x" * 999}) for at in range(said.TRAITS_MAX + 1)]
    found = known(*reversed(events)).traits
    assert len(found) == said.TRAITS_MAX
    assert "n0" not in found
    assert found["n1"] == "x" * said.TEXT_MAX


def test_one_person_has_no_more_identifiers_of_a_kind_than_allowed() -> None:
    cards = [Identifier("loyalty_card", f"{number}a") for number in range(5)]
    found = known(*[PageViewed(meta=meta(f"p-{at}", at, CARD, card)) for at, card in enumerate(cards)])
    assert found.identifiers == [CARD, *cards[3:]]


def test_places_and_currencies_have_bounds() -> None:
    stores = [sold(number, number, store_id=f"s{number}") for number in range(orders.PLACES_MAX + 1)]
    state = customer()
    follow(state, *stores)
    assert state.head is not None
    assert (len(state.head.orders.sums.locations.uses), "s0" in state.head.orders.sums.locations.uses) == (
        orders.PLACES_MAX,
        False,
    )
    money = [sold(1_000 + number, 1, currency=f"C{number:02}") for number in range(orders.CURRENCIES_MAX + 2)]
    follow(state, *money)
    assert state.head.orders.sums.money[orders.NO_CURRENCY].orders == 3


def test_only_so_many_events_are_remembered() -> None:
    state = customer()
    pages = [PageViewed(meta=meta(f"p-{number}", number)) for number in range(REMEMBERED_MAX + 1)]
    follow(state, *pages)
    assert [each.skipped for each in follow(state, pages[1], pages[0])] == [DUPLICATE, None]


def test_a_fact_is_known_only_where_it_was_written_whole() -> None:
    one, other = b"12345678", b"abcdefgh"
    straddling = (one + other)[4:12]
    assert memory.is_known(one + other, other)
    assert not memory.is_known(one + other, straddling)
    assert memory.is_known(one + other + straddling, straddling)


def test_what_is_kept_survives_being_written_and_read() -> None:
    state = customer()
    follow(state, sold(1, 1), campaign("a", 2), code("b", 3), traits("t", 4, size="M"))
    encoded = msgspec.msgpack.encode(state.head)
    assert msgspec.msgpack.decode(encoded, type=Customer) == state.head
    assert VIEW.collections == {"orders": orders.Order}
