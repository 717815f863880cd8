"""The identity view sends each event on under the profile of its strongest identifier."""

from collections.abc import Sequence
from uuid import UUID, uuid5

import pytest

from schemas import ids
from schemas.events.activity import PageViewed
from schemas.meta import Event, Identifier, Meta
from schemas.topics import ACTIVITY, CODES, ORDERS, ROUTED
from streams.view import Output, State, Step
from streams.views.identity import IDENTIFIER_MAX, NO_IDENTIFIER, VIEW, fold, profile_of

CARD = Identifier("loyalty_card", "1234")


def seen_with(*identifiers: Identifier) -> Event:
    meta = Meta(
        event_id="e", occurred_at=1, received_at=1, channel="web", source="shop", identifiers=[*identifiers]
    )
    return PageViewed(meta=meta)


def routed_to(identifiers: Sequence[Identifier]) -> str:
    (output,) = fold(State("any"), seen_with(*identifiers)).outputs
    return output.key


def test_the_event_itself_goes_to_the_profile_of_its_identifier() -> None:
    event = seen_with(CARD)
    step = fold(State("any"), event)
    assert step == Step(None, (Output(ROUTED, profile_of("loyalty_card", "1234"), event),))
    assert step.outputs[0].event is event


def test_a_profile_id_is_a_uuid_that_never_changes() -> None:
    found = profile_of("loyalty_card", "1234")
    assert found == str(uuid5(UUID(bytes=ids.VAART), "profile:loyalty_card:1234"))
    assert found == "14f9ad8e-d9bc-5ddf-975d-6192d4bc380d"


def test_the_strongest_identifier_decides_wherever_it_stands() -> None:
    weaker = [Identifier("anonymous_id", "b-1"), Identifier("email", "x@example.org")]
    assert routed_to([*weaker, CARD]) == routed_to([CARD, *weaker]) == routed_to([CARD])


def test_spellings_of_an_address_are_one_profile_but_ids_are_not() -> None:
    assert profile_of("email", " X@Example.org") == profile_of("email", "x@example.org")
    assert profile_of("loyalty_card", "a") != profile_of("loyalty_card", "A")


@pytest.mark.parametrize(
    "value", ["", "  ", "NULL", "unknown", "Anonymous", "0000", "00-00", "-", "x" * (IDENTIFIER_MAX + 1)]
)
def test_a_value_that_names_nobody_is_passed_over(value: str) -> None:
    assert routed_to([Identifier("customer_id", value), CARD]) == routed_to([CARD])
    assert fold(State("any"), seen_with(Identifier("customer_id", value))) == Step(
        None, skipped=NO_IDENTIFIER
    )


def test_an_event_about_nobody_is_counted() -> None:
    assert fold(State("any"), seen_with()) == Step(None, skipped=NO_IDENTIFIER)


def test_it_reads_every_topic_on_which_customers_are_named_and_the_topic_it_writes_carries_all() -> None:
    assert VIEW.sources == (ORDERS, ACTIVITY, CODES)
    assert {each for topic in VIEW.sources for each in topic.events} <= set(ROUTED.events)
