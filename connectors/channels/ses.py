"""Amazon SES: event publishing and feedback notifications, by an SNS topic (without raw message delivery).

| event (`eventType` or `notificationType`) | status of MessageStatusReported, one for each recipient it is about |
| --- | --- |
| Send | sent |
| DeliveryDelay | deferred |
| Delivery | delivered |
| Open, Click | opened, clicked |
| Bounce | bounced where it is Permanent, else failed |
| Reject, Rendering Failure | failed |
| Complaint | complained, and ConsentChanged |
| Subscription | unsubscribed or resubscribed, and ConsentChanged |
| another | unknown |
| a text that is no JSON (SES tries the topic) | nothing |
| SubscriptionConfirmation of SNS | nothing; fetches `sns_subscription`, the token that confirms it |
| UnsubscribeConfirmation of SNS | nothing |

`notification_id` among the mail's tags is ours, and so is the Message-ID of a mail that we sent ourselves.

Signature: RSA over the names and values that SNS lists, with SHA-1 or SHA-256 by its SignatureVersion
(docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages"). All topics are signed by the same keys,
so that the topic has to be ours. The certificate is asked of Amazon's own host of the topic's region.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from connectors.protocol import documents, facts, messages, signatures, values
from connectors.protocol.channel import (
    Channel,
    Evidence,
    Fetch,
    KeyPlace,
    NeedKey,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas.meta import Event

MEDIUM = "email"
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SUBSCRIPTION = "sns_subscription"
_CERTIFICATE = re.compile(
    r"https://sns\.([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(\.cn)?/(SimpleNotificationService-[0-9a-f]{8,64}\.pem)"
)


class Envelope(msgspec.Struct, rename="pascal"):
    """What SNS puts around a message."""

    type: str
    message: str
    topic_arn: str
    timestamp: str
    signature_version: str
    signature: str
    message_id: str = ""
    token: str | None = None
    signing_cert_url: str = msgspec.field(default="", name="SigningCertURL")


class Mail(msgspec.Struct, rename="camel"):
    message_id: str
    timestamp: str | None = None
    destination: list[str] = []
    tags: dict[str, list[str]] = {}
    common_headers: dict[str, Any] = {}


class Recipient(msgspec.Struct, rename="camel"):
    email_address: str
    status: str | None = None


class Detail(msgspec.Struct, rename="camel"):
    """What stands below the event's own name: of each kind a part."""

    timestamp: str | None = None
    bounce_type: str | None = None
    bounce_sub_type: str | None = None
    bounced_recipients: list[Recipient] = []
    complained_recipients: list[Recipient] = []
    delayed_recipients: list[Recipient] = []
    complaint_feedback_type: str | None = None
    delay_type: str | None = None
    recipients: list[str] = []
    link: str | None = None
    new_topic_preferences: dict[str, Any] = {}


class Happening(msgspec.Struct, rename="camel"):
    mail: Mail
    event_type: str = ""
    notification_type: str = ""
    bounce: Detail | None = None
    complaint: Detail | None = None
    delivery: Detail | None = None
    delivery_delay: Detail | None = None
    open: Detail | None = None
    click: Detail | None = None
    subscription: Detail | None = None


def receive(request: Request, source: Source) -> Outcome:
    """The signature stands in the body, so that this is read before it is known to be Amazon's."""
    try:
        document = documents.parse(request.body)
        found = documents.fit(document, Envelope)
    except (NotReadable, Unfit):
        return Refused("it is no envelope of SNS")
    key_name = _key_name(found.signing_cert_url, found.topic_arn)
    if key_name is None or not signatures.same([str(source.options.get("topic_arn", ""))], found.topic_arn):
        return Refused("it is of another topic")
    if key_name not in source.keys:
        return NeedKey(key_name)
    if not _is_signed(document, found, source.keys[key_name]):
        return Refused("the signature does not fit")
    if found.type == "SubscriptionConfirmation" and found.token:
        return Verdict(fetches=[Fetch(SUBSCRIPTION, found.token)])
    if found.type != "Notification":
        return Verdict()
    return _taken(request, source, found)


def _taken(request: Request, source: Source, found: Envelope) -> Verdict:
    if not found.message.lstrip().startswith("{"):
        return Verdict()
    try:
        happening = documents.read(found.message.encode(errors="replace"), Happening)
        return Verdict(list(_events(Facts(request, source, MEDIUM, found.message_id), happening, found)))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _is_signed(document: dict[str, Any], found: Envelope, key: bytes | None) -> bool:
    told = [(name, document.get(name)) for name in SIGNED]
    text = "".join(f"{name}\n{value}\n" for name, value in told if value is not None)
    fits = signatures.rsa_sha256 if found.signature_version == "2" else signatures.rsa_sha1
    return fits(key, text.encode(errors="replace"), found.signature)


def _key_name(url: str, topic_arn: str) -> str | None:
    """The certificate's address, if it is one of the host that signs for the topic's region."""
    parts = _CERTIFICATE.fullmatch(url)
    is_of_region = parts is not None and topic_arn.split(":")[3:4] == [parts.group(1)]
    return url if is_of_region else None


def _key_url(name: str, source: Source) -> str | None:
    return _key_name(name, str(source.options.get("topic_arn", "")))


def _key_read(body: bytes, _: str) -> bytes | None:
    try:
        key = load_pem_x509_certificate(body).public_key()
    except ValueError:
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _events(made: Facts, found: Happening, envelope: Envelope) -> Iterator[Event]:
    kind = found.event_type or found.notification_type
    name = _DETAIL.get(kind)
    detail: Detail = (getattr(found, name) if name else None) or Detail()
    told = detail.timestamp or (found.mail.timestamp if kind == "Send" else None) or envelope.timestamp
    at, headers = values.moment(told), found.mail.common_headers
    for recipient in _recipients(found, detail):
        named = (kind, found.mail.message_id, recipient.email_address, told, detail.link or "")
        yield from messages.told(
            made,
            Fate(
                named=":".join(named),
                message_id=found.mail.message_id,
                status=_status(kind, detail),
                at=at,
                recipient=recipient.email_address,
                notification_id=messages.notification_of(
                    _tags(found.mail), str(headers.get("messageId", ""))
                ),
                campaign=_tags(found.mail).get("campaign"),
                url=detail.link,
                code=_code(kind, detail, recipient),
            ),
        )


def _recipients(found: Happening, detail: Detail) -> list[Recipient]:
    """Those that it is about, once each; all of the mail where it names none."""
    named = detail.bounced_recipients or detail.complained_recipients or detail.delayed_recipients
    if not named:
        named = [Recipient(address) for address in detail.recipients or found.mail.destination]
    return list({each.email_address: each for each in named}.values())


def _tags(mail: Mail) -> dict[str, str]:
    return {name: told[0] for name, told in mail.tags.items() if told}


def _status(kind: str, detail: Detail) -> str:
    if kind == "Bounce":
        return messages.BOUNCED if detail.bounce_type == "Permanent" else messages.FAILED
    if kind == "Subscription":
        is_left = detail.new_topic_preferences.get("unsubscribeAll") is True or _has_left_a_topic(detail)
        return messages.UNSUBSCRIBED if is_left else messages.RESUBSCRIBED
    return _STATUS.get(kind, messages.UNKNOWN)


def _has_left_a_topic(detail: Detail) -> bool:
    topics = detail.new_topic_preferences.get("topicSubscriptionStatus")
    return isinstance(topics, list) and any(
        isinstance(each, dict) and each.get("subscriptionStatus") == "OptOut" for each in topics
    )


def _code(kind: str, detail: Detail, recipient: Recipient) -> str | None:
    if kind not in (*_STATUS, *_DETAIL):
        return kind
    by_kind = detail.bounce_sub_type or detail.complaint_feedback_type or detail.delay_type
    return recipient.status or by_kind


_DETAIL = {
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Delivery": "delivery",
    "DeliveryDelay": "delivery_delay",
    "Open": "open",
    "Click": "click",
    "Subscription": "subscription",
}
_STATUS = {
    "Send": messages.SENT,
    "DeliveryDelay": messages.DEFERRED,
    "Delivery": messages.DELIVERED,
    "Open": messages.OPENED,
    "Click": messages.CLICKED,
    "Reject": messages.FAILED,
    "Rendering Failure": messages.FAILED,
    "Complaint": messages.COMPLAINED,
}

CHANNEL = Channel(
    name="ses",
    title="Amazon SES",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "docs.aws.amazon.com (sns, ses); anymail/django-anymail tests/test_amazon_ses_webhooks.py",
    ),
    options=(Option("topic_arn", "the topic that SES publishes to", is_required=True),),
    keys=KeyPlace(_key_url, _key_read),
)
