"""WhatsApp Business, by Meta's own API.

| update | events |
| --- | --- |
| a message with words, a file, a place or a choice | MessageReceived; CampaignTouched if an advertisement led to it |
| an order | MessageReceived, CartReported |
| an edit | MessageReceived, which answers the message that was edited |
| revoke | MessageRemoved |
| system: another number, another user id | IdentifiersLinked |
| a reaction and other system messages | nothing |
| smb_message_echoes | MessageSent |
| statuses | MessageStatusReported: sent, delivered, read as opened, failed; ConsentChanged where marketing is refused |
| user_preferences | ConsentChanged |
| another field, such as message_template_status_update | nothing |

`biz_opaque_callback_data` in the form of our notifications' ids is one. Statuses come in any order. A message's id may
be decoded to a phone number. How it is signed, and the GET that tries an address: connectors/vendors/meta/door.py.
"""

from collections.abc import Iterator
from typing import Any

from connectors.protocol import documents, messages, people, values
from connectors.protocol.channel import BATCH_BYTES_MAX, Channel, Evidence, Outcome, Request, Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import WHATSAPP, Fate
from connectors.vendors.meta import door, whatsapp
from connectors.vendors.meta.whatsapp import Contact, Message, Preference, Referral, Status, Value
from schemas.events.activity import CampaignTouched, ConsentChanged, IdentifiersLinked
from schemas.events.baskets import CartReported
from schemas.events.lines import Line
from schemas.events.service import Attachment, MessageReceived, MessageRemoved, MessageSent
from schemas.meta import Event, Identifier

MEDIUM = "messaging"
USER = "whatsapp_user"
"""The kind of identifier that someone with a user name has, within our business."""
MARKETING_CATEGORY = "marketing_messages"
REFUSES_MARKETING = 131050
"""The error code of a message whose recipient has stopped our marketing."""
IS_NO_MESSAGE = {"reaction", "system", "request_welcome"}
FIELDS = ("messages", "smb_message_echoes", "user_preferences")


def receive(request: Request, source: Source) -> Outcome:
    """Every message and every status is taken by itself."""
    made = Facts(request, source, MEDIUM)
    return door.received(
        request, source, "whatsapp_business_account", lambda update: _events(made, update), whatsapp.things
    )


def _events(made: Facts, update: door.Update) -> Iterator[Event]:
    if update.get("field") not in FIELDS:
        return
    value = documents.fit(update.get("value"), Value)
    for message in value.messages:
        yield from _written(made, value, message)
    for echo in value.message_echoes:
        yield _sent(made, value, echo)
    for status in value.statuses:
        yield from messages.told(made, _fate(status))
    for preference in value.user_preferences:
        yield from _preference(made, preference)


def _written(made: Facts, value: Value, message: Message) -> Iterator[Event]:
    before = message.system.previous_user_id if message.system else None
    contact = _contact(value, message.sender, message.sender_user_id or before)
    who, at, talk = _who(contact), door.at(message.timestamp), _talk(value, contact)
    if message.revoke is not None:
        removed = message.revoke.original_message_id
        meta = made.meta(MessageRemoved, removed, at, who)
        yield MessageRemoved(meta=meta, conversation_id=talk, message_id=removed)
        return
    if message.system is not None:
        yield from _linked(made, message, contact)
    if message.type in IS_NO_MESSAGE:
        return
    said = message.edit.message if message.edit else message
    answered = message.edit.original_message_id if message.edit else message.context and message.context.id
    yield MessageReceived(
        meta=made.meta(MessageReceived, message.id, at, who),
        conversation_id=talk,
        message_id=message.id,
        author=contact.profile.name,
        text=whatsapp.text_of(said),
        attachments=_files(said),
        reply_to=answered or None,
    )
    if message.referral is not None:
        yield _touched(made, message, message.referral, who)
    if message.order is not None and message.order.product_items:
        yield _cart(made, message, who)


def _sent(made: Facts, value: Value, echo: Message) -> Event:
    contact = _contact(value, echo.to, echo.to_user_id)
    return MessageSent(
        meta=made.meta(MessageSent, echo.id, door.at(echo.timestamp), _who(contact)),
        conversation_id=_talk(value, contact),
        message_id=echo.id,
        text=whatsapp.text_of(echo),
        attachments=_files(echo),
        reply_to=(echo.context and echo.context.id) or None,
    )


def _fate(found: Status) -> Fate:
    code = next((each.code for each in found.errors if each.code is not None), None)
    status = _STATUS.get(found.status, messages.UNKNOWN)
    told = code if status != messages.UNKNOWN else found.status
    return Fate(
        named=f"{found.id}:{found.status}:{found.timestamp}",
        message_id=found.id,
        status=status,
        at=door.at(found.timestamp),
        medium=WHATSAPP,
        recipient=_phone(found.recipient_id),
        others=_known(found.recipient_id, found.recipient_user_id),
        notification_id=messages.our_id(found.biz_opaque_callback_data),
        code=None if told is None else str(told),
        forbids=code == REFUSES_MARKETING,
    )


def _preference(made: Facts, found: Preference) -> Iterator[Event]:
    if found.category != MARKETING_CATEGORY or found.value not in ("stop", "resume"):
        return
    contact = Contact(found.wa_id, found.user_id)
    named = f"{found.wa_id or found.user_id}:{found.category}:{found.timestamp}:{found.value}"
    yield ConsentChanged(
        meta=made.meta(ConsentChanged, named, door.at(found.timestamp), _who(contact)),
        purpose=messages.MARKETING,
        medium=WHATSAPP,
        address=people.number_of(_phone(found.wa_id), None),
        granted=found.value == "resume",
    )


def _linked(made: Facts, message: Message, contact: Contact) -> Iterator[Event]:
    told = message.system
    if told is None or told.type not in ("user_changed_number", "user_changed_user_id"):
        return
    before = _known(contact.wa_id, told.previous_user_id)
    after = _known(told.wa_id, told.user_id)
    if before and after:
        yield IdentifiersLinked(
            meta=made.meta(IdentifiersLinked, message.id, door.at(message.timestamp), before[:1]),
            from_identifier=before[0],
            to_identifier=after[0],
            reason=told.type,
        )


def _touched(made: Facts, message: Message, found: Referral, who: list[Identifier]) -> Event:
    return CampaignTouched(
        meta=made.meta(CampaignTouched, message.id, door.at(message.timestamp), who),
        source=WHATSAPP,
        medium=found.source_type,
        content=found.source_id,
        click_id_kind="ctwa_clid" if found.ctwa_clid else None,
        click_id=found.ctwa_clid or None,
        landing_url=found.source_url,
    )


def _cart(made: Facts, message: Message, who: list[Identifier]) -> Event:
    items = message.order.product_items if message.order else []
    at, prices = door.at(message.timestamp), [values.amount(item.item_price) for item in items]
    return CartReported(
        meta=made.meta(CartReported, message.id, at, who),
        cart_id=message.id,
        updated_at=at,
        currency=items[0].currency,
        lines=[
            Line(
                line_id=str(number),
                sku=item.product_retailer_id,
                quantity=item.quantity,
                unit_price=price,
                total=price * item.quantity,
            )
            for number, (item, price) in enumerate(zip(items, prices, strict=True), 1)
        ],
        total=sum(price * item.quantity for item, price in zip(items, prices, strict=True)),
    )


def _contact(value: Value, number: str | None, user_id: str | None) -> Contact:
    """Whom a message is from or to, with the name and the other id that stand beside it."""
    told = {number, user_id} - {None}
    beside = next(
        (each for each in value.contacts if not told or told & {each.wa_id, each.user_id}), Contact()
    )
    found = Contact(number or beside.wa_id, user_id or beside.user_id, beside.profile)
    if not found.wa_id and not found.user_id:
        raise Unfit("a message is of nobody")
    return found


def _talk(value: Value, contact: Contact) -> str:
    return f"{value.metadata.phone_number_id}:{contact.wa_id or contact.user_id}"


def _who(contact: Contact) -> list[Identifier]:
    return people.known_as("", phone=_phone(contact.wa_id), others=_known(contact.wa_id, contact.user_id))


def _known(wa_id: str | None, user_id: str | None) -> tuple[Identifier, ...]:
    told = ((WHATSAPP, wa_id), (USER, user_id))
    return tuple(Identifier(kind, found) for kind, found in told if found)


def _phone(wa_id: str | None) -> str | None:
    return f"+{wa_id}" if wa_id else None


def _files(found: Any) -> list[Attachment]:
    return [
        Attachment(url=media.url or f"{whatsapp.MEDIA_AT}{media.id}", content_type=media.mime_type)
        for media in whatsapp.media_of(found)
        if media.url or media.id
    ]


_STATUS = {
    "sent": messages.SENT,
    "delivered": messages.DELIVERED,
    "read": messages.OPENED,
    "played": messages.OPENED,
    "failed": messages.FAILED,
}

CHANNEL = Channel(
    name="whatsapp",
    title="WhatsApp Business",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "developers.facebook.com (WhatsApp webhooks); david-lev/pywa tests/data/updates",
    ),
    methods=("GET", "POST"),
    body_bytes_max=BATCH_BYTES_MAX,
)
