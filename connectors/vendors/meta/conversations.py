"""Conversations on Messenger and in Instagram's direct messages, which have one form.

| update | events |
| --- | --- |
| message | MessageReceived; of our own (`is_echo`) MessageSent; taken back (`is_deleted`) MessageRemoved |
| message_edit | MessageReceived, which answers the message that was edited |
| postback | MessageReceived with the button's title |
| referral, also within a message or a postback | CampaignTouched |
| delivery | MessageStatusReported delivered for each message that it names |
| read | MessageStatusReported opened where it names the message |
| optin to notifications | ConsentChanged |
| another, such as reaction | nothing |

A conversation is one of an account of ours with one customer, who is known by an id that is the account's own.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from connectors.protocol import documents, messages
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from connectors.vendors.meta import door
from schemas.events.activity import CampaignTouched, ConsentChanged
from schemas.events.service import Attachment, MessageReceived, MessageRemoved, MessageSent
from schemas.meta import Event, Identifier, Instant

NOTIFICATIONS = "notification_messages"
STOP = "STOP"


class Party(msgspec.Struct):
    id: str


class Payload(msgspec.Struct):
    url: str | None = None


class File(msgspec.Struct):
    type: str | None = None
    payload: Payload | None = None


class Referral(msgspec.Struct):
    ref: str | None = None
    source: str | None = None
    type: str | None = None
    ad_id: str | None = None
    referer_uri: str | None = None


class ReplyTo(msgspec.Struct):
    mid: str | None = None


class Message(msgspec.Struct):
    mid: str
    text: str | None = None
    attachments: list[File] | None = None
    reply_to: ReplyTo | None = None
    referral: Referral | None = None
    is_echo: bool = False
    is_deleted: bool = False


class Edit(msgspec.Struct):
    mid: str
    text: str | None = None
    num_edit: int = 1


class Postback(msgspec.Struct):
    mid: str | None = None
    title: str | None = None
    payload: str | None = None
    referral: Referral | None = None


class Receipt(msgspec.Struct):
    mid: str | None = None
    mids: list[str] | None = None


class Optin(msgspec.Struct):
    type: str | None = None
    notification_messages_status: str | None = None


class Update(msgspec.Struct):
    """One item of `messaging` or `standby`."""

    sender: Party
    recipient: Party
    timestamp: Any = None
    message: Message | None = None
    message_edit: Edit | None = None
    postback: Postback | None = None
    referral: Referral | None = None
    delivery: Receipt | None = None
    read: Receipt | None = None
    optin: Optin | None = None


class Platform:
    """Reads the conversations of one platform, such as `messenger`."""

    def __init__(self, made: Facts, name: str) -> None:
        self._made = made
        self._name = name

    def events(self, item: Any) -> Iterator[Event]:
        found = documents.fit(item, Update)
        talk = Talk(found, self._name)
        yield from self._written(talk)
        yield from self._touched(talk)
        yield from self._receipts(talk)
        if found.optin is not None and found.optin.type == NOTIFICATIONS:
            yield self._consent(talk, found.optin)

    def _written(self, talk: "Talk") -> Iterator[Event]:
        found = talk.update
        if found.message is not None:
            yield self._message(talk, found.message)
        elif found.message_edit is not None:
            edit = found.message_edit
            named = f"{edit.mid}:{edit.num_edit}"
            yield self._received(talk, named, edit.text, reply_to=edit.mid)
        elif found.postback is not None:
            yield self._received(talk, found.postback.mid or talk.moment_id, found.postback.title)

    def _message(self, talk: "Talk", message: Message) -> Event:
        if message.is_deleted:
            meta = self._made.meta(MessageRemoved, message.mid, talk.at, talk.who)
            return MessageRemoved(meta=meta, conversation_id=talk.conversation_id, message_id=message.mid)
        reply_to = message.reply_to.mid if message.reply_to else None
        files = [Attachment(url=url) for url in _urls(message)]
        if not message.is_echo:
            return self._received(talk, message.mid, message.text, files, reply_to)
        return MessageSent(
            meta=self._made.meta(MessageSent, message.mid, talk.at, talk.who),
            conversation_id=talk.conversation_id,
            message_id=message.mid,
            text=message.text,
            attachments=files,
            reply_to=reply_to,
        )

    def _received(
        self,
        talk: "Talk",
        named: str,
        text: str | None,
        files: list[Attachment] | None = None,
        reply_to: str | None = None,
    ) -> Event:
        return MessageReceived(
            meta=self._made.meta(MessageReceived, named, talk.at, talk.who),
            conversation_id=talk.conversation_id,
            message_id=named,
            text=text,
            attachments=files or [],
            reply_to=reply_to,
        )

    def _touched(self, talk: "Talk") -> Iterator[Event]:
        found = talk.update
        within = (
            each.referral for each in (found.message, found.postback) if each is not None and each.referral
        )
        told = found.referral or next(within, None)
        if told is not None:
            yield CampaignTouched(
                meta=self._made.meta(CampaignTouched, talk.moment_id, talk.at, talk.who),
                source=self._name,
                medium=(told.source or told.type or "").lower() or None,
                campaign=told.ref or None,
                content=told.ad_id,
                landing_url=told.referer_uri,
            )

    def _receipts(self, talk: "Talk") -> Iterator[Event]:
        """Messenger's receipts of reading name a time and no message: they tell nothing here."""
        for status, receipt in (
            (messages.DELIVERED, talk.update.delivery),
            (messages.OPENED, talk.update.read),
        ):
            named = [] if receipt is None else receipt.mids or ([receipt.mid] if receipt.mid else [])
            for mid in dict.fromkeys(named):
                fate = Fate(
                    named=f"{mid}:{status}",
                    message_id=mid,
                    status=status,
                    at=talk.at,
                    medium=self._name,
                    others=tuple(talk.who),
                )
                yield from messages.told(self._made, fate)

    def _consent(self, talk: "Talk", optin: Optin) -> Event:
        status = optin.notification_messages_status or ""
        return ConsentChanged(
            meta=self._made.meta(ConsentChanged, f"{talk.moment_id}:{status}", talk.at, talk.who),
            purpose=messages.MARKETING,
            medium=self._name,
            granted=not status.upper().startswith(STOP),
        )


class Talk:
    """Who an update is about, and when. The customer is who sent it, but for what we sent ourselves."""

    def __init__(self, update: Update, platform: str) -> None:
        is_ours = update.message is not None and update.message.is_echo
        customer, account = update.sender.id, update.recipient.id
        if is_ours:
            customer, account = account, customer
        if not customer:
            raise Unfit("a message has no sender")
        self.update = update
        self.at: Instant | None = door.at(update.timestamp)
        self.who = [Identifier(platform, customer)]
        self.conversation_id = f"{account}:{customer}"
        self.moment_id = f"{self.conversation_id}:{update.timestamp}"


def _urls(message: Message) -> list[str]:
    return [each.payload.url for each in message.attachments or [] if each.payload and each.payload.url]
