"""What Meta's updates become: on Messenger, Instagram and WhatsApp."""

from dataclasses import replace
from typing import Any, TypeVar

import pytest

from connectors.channels import instagram, messenger, whatsapp
from connectors.protocol.channel import Challenge, Channel, Refused, Request, Source, Verdict
from connectors.protocol.documents import Unfit
from connectors.vendors.meta import door
from schemas.events.activity import CampaignTouched, ConsentChanged, IdentifiersLinked
from schemas.events.baskets import CartReported
from schemas.events.marketing import MessageStatusReported
from schemas.events.service import CommentPosted, MessageReceived, MessageSent, SocialMentioned
from schemas.meta import Event, Identifier
from schemas.topics import route
from tests.connectors.channels.samples import instagram as insta
from tests.connectors.channels.samples import messenger as page
from tests.connectors.channels.samples import meta
from tests.connectors.channels.samples import whatsapp as phone
from tests.connectors.channels.sampling import post

SECRET = "the app's secret"
SOURCE = Source("meta", (SECRET, "the token"))
AT = 1_763_978_392_000_000
E = TypeVar("E", bound=Event)


def events(channel: Channel, request: Request) -> list[Event]:
    found = channel.receive(meta.sign(request, SECRET), SOURCE)
    assert isinstance(found, Verdict), found
    return found.events


def one(kind: type[E], channel: Channel, request: Request) -> E:
    (found,) = [each for each in events(channel, request) if isinstance(each, kind)]
    return found


@pytest.mark.parametrize("channel", [instagram.CHANNEL, messenger.CHANNEL, whatsapp.CHANNEL])
def test_an_address_is_ours_for_who_knows_the_token(channel: Channel) -> None:
    query = [("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", "the token")]
    request = replace(post(b""), method="GET", query=query)
    found = channel.receive(request, SOURCE)
    assert isinstance(found, Challenge)
    assert (found.answer.status, found.answer.body, found.answer.content_type) == (
        200,
        b"1158201444",
        "text/plain",
    )
    for changed in (
        query[:2],
        query[1:],
        [query[0], query[2]],
        [*query[:2], ("hub.verify_token", "")],
        [*query, query[2]],
    ):
        assert isinstance(channel.receive(replace(request, query=changed), SOURCE), Refused)


def test_a_body_is_signed_as_it_came_escapes_and_all() -> None:
    written = b'{"object":"instagram","entry":[],"x":"\\u00e4 \\ud83d\\ude00"}'
    signed = meta.sign(post(written), SECRET)
    assert isinstance(instagram.receive(signed, SOURCE), Verdict)
    again = replace(signed, body=written.replace(b"\\u00e4", "ä".encode()))
    assert isinstance(instagram.receive(again, SOURCE), Refused)


@pytest.mark.parametrize(
    ("told", "means"),
    [
        (1763978392, AT),
        ("1763978392", AT),
        (1763978392123, AT + 123_000),
        ("1763978392123", AT + 123_000),
        ("2025-11-24T09:59:52+0000", AT),
        (None, None),
    ],
)
def test_times_are_read_in_all_their_forms(told: Any, means: int | None) -> None:
    assert door.at(told) == means


@pytest.mark.parametrize("told", [True, [], "soon", "9" * 30, 10**30])
def test_what_is_no_time_is_said_to_be_none(told: Any) -> None:
    with pytest.raises(Unfit):
        door.at(told)


def test_both_shapes_of_a_comment_are_the_same_comment() -> None:
    changed = one(CommentPosted, instagram.CHANNEL, insta.change("comments", insta.COMMENT))
    bare = one(
        CommentPosted, instagram.CHANNEL, insta.sent(insta.entry(field="comments", value=insta.COMMENT))
    )
    assert changed == bare
    assert (bare.author, bare.post_id, bare.text) == (
        "sam.smit",
        "123123123",
        "Is this in size 36? \U0001f60d",
    )
    assert bare.meta.identifiers == [Identifier("instagram", "232323232")]


def test_a_customer_is_the_other_side_of_what_we_sent() -> None:
    asked = one(
        MessageReceived, instagram.CHANNEL, insta.talk(insta.direct(message={"mid": "1", "text": "Hi"}))
    )
    sides = {"sender": {"id": insta.ACCOUNT}, "recipient": {"id": insta.CUSTOMER}}
    told = insta.talk(insta.direct(**sides, message={"mid": "2", "text": "Hi", "is_echo": True}))
    answered = one(MessageSent, instagram.CHANNEL, told)
    assert asked.conversation_id == answered.conversation_id == f"{insta.ACCOUNT}:{insta.CUSTOMER}"
    assert answered.meta.identifiers == [Identifier("instagram", insta.CUSTOMER)]
    assert asked.meta.occurred_at == AT + 123_000


def test_an_advertisement_is_a_touch() -> None:
    sample = next(each for each in page.SAMPLES.samples if each.name == "a message from an advertisement")
    touch = one(CampaignTouched, messenger.CHANNEL, sample.request)
    assert (touch.source, touch.medium, touch.campaign, touch.content) == (
        "messenger",
        "ads",
        "winter",
        "6045",
    )


def test_a_page_is_social_and_its_messages_are_not() -> None:
    comment = one(CommentPosted, messenger.CHANNEL, page.posted("feed", page.COMMENT))
    assert (comment.meta.channel, comment.platform, comment.parent_id) == ("social", "facebook", None)
    assert comment.meta.occurred_at == AT
    message = one(MessageReceived, messenger.CHANNEL, page.talk(message={"mid": "1"}))
    assert message.meta.channel == "messaging"


def test_a_mention_is_asked_for_once() -> None:
    update = {"field": "mentions", "value": {"media_id": "1", "comment_id": "2"}}
    request = insta.sent(insta.entry(changes=[update]))
    found = instagram.receive(meta.sign(request, SECRET), SOURCE)
    assert isinstance(found, Verdict)
    assert [(each.what, each.id) for each in found.fetches] == [("instagram_mention", "1:2")]
    assert [each.post_id for each in found.events if isinstance(each, SocialMentioned)] == ["1"]


def written(kind: str, **more: Any) -> Request:
    return phone.sent(phone.change(messages=[phone.message(kind, **more)]))


def test_a_number_is_a_phone_and_shows_in_no_key() -> None:
    found = one(MessageReceived, whatsapp.CHANNEL, written("text", text={"body": "Hi"}))
    assert found.meta.identifiers == [
        Identifier("phone", "+31612345678"),
        Identifier("whatsapp", "31612345678"),
    ]
    assert (found.author, found.text, found.meta.occurred_at) == ("Sam", "Hi", AT)
    for event in (found, one(MessageStatusReported, whatsapp.CHANNEL, _status("read"))):
        _, key = route(event, "identifier secret")
        assert "612345678" not in key
        assert "wamid" not in key


def test_someone_without_a_number_is_known_all_the_same() -> None:
    sample = next(each for each in phone.SAMPLES.samples if each.name == "of someone with a user name")
    found = one(MessageReceived, whatsapp.CHANNEL, sample.request)
    assert found.meta.identifiers == [Identifier("whatsapp_user", phone.USER)]
    assert found.conversation_id == f"1122334455667:{phone.USER}"


def test_two_customers_in_one_update_keep_their_names() -> None:
    contacts = [phone.CONTACT, {"profile": {"name": "Kim"}, "wa_id": "31611111111", "user_id": phone.USER}]
    asked = [
        phone.message("text"),
        {**phone.message("text"), "from": None, "from_user_id": phone.USER, "id": "wamid.9"},
    ]
    found = events(whatsapp.CHANNEL, phone.sent(phone.change(contacts=contacts, messages=asked)))
    assert [each.author for each in found if isinstance(each, MessageReceived)] == ["Sam", "Kim"]
    assert Identifier("whatsapp", "31611111111") in found[1].meta.identifiers


def test_an_order_is_a_cart_to_the_cent() -> None:
    cart = one(CartReported, whatsapp.CHANNEL, written("order", order=phone.ORDER))
    assert [(line.sku, line.quantity, line.unit_price, line.total) for line in cart.lines] == [
        ("dress-36", 2, 199_500, 399_000),
        ("belt", 1, 70_000, 70_000),
    ]
    assert (cart.total, cart.currency) == (469_000, "EUR")


def test_a_file_is_where_meta_tells_of_it() -> None:
    found = one(
        MessageReceived,
        whatsapp.CHANNEL,
        written("image", image={"id": "654", "mime_type": "image/jpeg", "caption": "This"}),
    )
    assert [(each.url, each.content_type) for each in found.attachments] == [
        ("https://graph.facebook.com/654", "image/jpeg")
    ]
    assert found.text == "This"


def test_another_number_is_the_same_person() -> None:
    link = one(
        IdentifiersLinked,
        whatsapp.CHANNEL,
        written("system", system={"type": "user_changed_number", "wa_id": "31687654321"}),
    )
    assert (link.from_identifier.value, link.to_identifier.value) == (phone.NUMBER, "31687654321")


def _status(word: str, **more: Any) -> Request:
    return phone.sent(phone.change(statuses=[phone.status(word, **more)]))


def test_a_status_is_once_and_says_which_notification_it_is_of() -> None:
    ours = "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"
    read = one(MessageStatusReported, whatsapp.CHANNEL, _status("read", biz_opaque_callback_data=ours))
    assert (read.status, read.medium, read.recipient, read.notification_id) == (
        "opened",
        "whatsapp",
        "+31612345678",
        ours,
    )
    sent = one(
        MessageStatusReported, whatsapp.CHANNEL, _status("sent", biz_opaque_callback_data="some words")
    )
    assert sent.notification_id is None
    assert sent.meta.event_id != read.meta.event_id
    new = one(MessageStatusReported, whatsapp.CHANNEL, _status("teleported"))
    assert (new.status, new.provider_code) == ("unknown", "teleported")


def test_who_refused_marketing_has_said_no() -> None:
    failed = _status("failed", errors=[{"code": 131050}])
    assert one(MessageStatusReported, whatsapp.CHANNEL, failed).provider_code == "131050"
    consent = one(ConsentChanged, whatsapp.CHANNEL, failed)
    stop = one(
        ConsentChanged,
        whatsapp.CHANNEL,
        phone.sent(phone.change("user_preferences", user_preferences=[phone.STOP])),
    )
    assert {(each.granted, each.medium, each.address) for each in (consent, stop)} == {
        (False, "whatsapp", "+31612345678")
    }
