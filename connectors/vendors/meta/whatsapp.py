"""What WhatsApp's updates hold, as far as it is read here (developers.facebook.com, "WhatsApp webhooks reference").

Times are texts, in seconds. Who has a user name may be without a phone number: `user_id` is then all there is.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.vendors.meta.door import Update

PARTS = ("messages", "message_echoes", "statuses", "user_preferences")
"""The lists of an update's value; one thing of one of them is split off at a time."""
MEDIA = ("image", "video", "audio", "document", "sticker")
MEDIA_AT = "https://graph.facebook.com/"


class Metadata(msgspec.Struct):
    phone_number_id: str


class Profile(msgspec.Struct):
    name: str | None = None


class Contact(msgspec.Struct):
    wa_id: str | None = None
    user_id: str | None = None
    profile: Profile = msgspec.field(default_factory=Profile)


class Text(msgspec.Struct):
    body: str | None = None


class Media(msgspec.Struct):
    id: str | None = None
    mime_type: str | None = None
    caption: str | None = None
    url: str | None = None


class Button(msgspec.Struct):
    text: str | None = None


class Choice(msgspec.Struct):
    title: str | None = None
    body: str | None = None


class Interactive(msgspec.Struct):
    button_reply: Choice | None = None
    list_reply: Choice | None = None
    nfm_reply: Choice | None = None


class Location(msgspec.Struct):
    name: str | None = None
    address: str | None = None


class Context(msgspec.Struct):
    id: str | None = None


class Referral(msgspec.Struct):
    source_type: str | None = None
    source_id: str | None = None
    source_url: str | None = None
    headline: str | None = None
    ctwa_clid: str | None = None


class Item(msgspec.Struct):
    product_retailer_id: str
    quantity: int
    item_price: Decimal
    currency: str


class Order(msgspec.Struct):
    product_items: list[Item]


class System(msgspec.Struct):
    type: str | None = None
    wa_id: str | None = None
    user_id: str | None = None
    previous_user_id: str | None = None


class Revoke(msgspec.Struct):
    original_message_id: str


class Message(msgspec.Struct):
    """A customer's, or one of ours that was written on a phone (an echo: `to`)."""

    id: str
    timestamp: str | int
    type: str = "unknown"
    sender: str | None = msgspec.field(default=None, name="from")
    sender_user_id: str | None = msgspec.field(default=None, name="from_user_id")
    to: str | None = None
    to_user_id: str | None = None
    text: Text | None = None
    button: Button | None = None
    interactive: Interactive | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    context: Context | None = None
    referral: Referral | None = None
    order: Order | None = None
    system: System | None = None
    revoke: Revoke | None = None
    edit: "Edit | None" = None


class Edited(msgspec.Struct):
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None


class Edit(msgspec.Struct):
    original_message_id: str
    message: Edited = msgspec.field(default_factory=Edited)


class Fault(msgspec.Struct):
    code: int | None = None


class Status(msgspec.Struct):
    id: str
    status: str
    timestamp: str | int
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    errors: list[Fault] = []
    biz_opaque_callback_data: str | None = None


class Preference(msgspec.Struct):
    value: str
    timestamp: str | int
    category: str = ""
    wa_id: str | None = None
    user_id: str | None = None


class Value(msgspec.Struct):
    """What a change holds, with one thing in one of its lists."""

    metadata: Metadata
    contacts: list[Contact] = []
    messages: list[Message] = []
    message_echoes: list[Message] = []
    statuses: list[Status] = []
    user_preferences: list[Preference] = []


def things(update: Update) -> Iterator[Update]:
    """The update once for each message, status or preference in it, with that one alone."""
    value = update.get("value")
    if not isinstance(value, dict):
        yield update
        return
    bare = {name: told for name, told in value.items() if name not in PARTS}
    for name in PARTS:
        told = value.get(name)
        for each in told if isinstance(told, list) else []:
            yield {**update, "value": {**bare, name: [each]}}


def text_of(found: Message | Edited) -> str | None:
    """What was written, chosen or put below a picture."""
    told: list[Any] = [found.text and found.text.body]
    told += [media.caption for media in media_of(found)]
    if isinstance(found, Message):
        told.append(found.button and found.button.text)
        told.append(found.interactive and _chosen(found.interactive))
        told.append(found.location and (found.location.name or found.location.address))
    return next((each for each in told if each), None)


def media_of(found: Message | Edited) -> list[Media]:
    """The files of it: each has an id, by which Meta tells for a few minutes where it lies."""
    return [media for name in MEDIA if (media := getattr(found, name, None)) is not None]


def _chosen(found: Interactive) -> str | None:
    choice = found.button_reply or found.list_reply or found.nfm_reply
    return (choice.title or choice.body) if choice else None
