"""SES's events in SNS's envelopes, after Amazon's documentation and those that django-anymail's tests keep.

Secrets name key pairs here: the sender signs with the private half of `SECRET`'s, whose public half is the fetched key.
"""

import base64
import json
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.channels.ses import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "the key pair of Amazon"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:SES_Events"
CERTIFICATE = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)
STATUS, BOTH = ("MessageStatusReported",), ("MessageStatusReported", "ConsentChanged")
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

MAIL: dict[str, Any] = {
    "timestamp": "2025-11-24T14:59:38.237Z",
    "source": "shop@shop.example",
    "messageId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
    "destination": ["sam@example.com", "kim@example.com"],
    "commonHeaders": {
        "messageId": "custom-message-ID",
        "subject": "Back in stock",
        "from": ["shop@shop.example"],
    },
    "tags": {"ses:configuration-set": ["shop"], "campaign": ["back in stock"]},
}
AT = "2025-11-24T15:00:44.101Z"


@cache
def key_pair(secret: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


def public_key(secret: str) -> bytes:
    return key_pair(secret).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(request: Request, secret: str) -> Request:
    """The signature stands in the body. SignatureVersion 1 is SHA-1, 2 is SHA-256."""
    if not secret:
        return request
    try:
        envelope = json.loads(request.body)
        names = NOTIFICATION if envelope["Type"] == "Notification" else CONFIRMATION
    except (ValueError, KeyError, TypeError, RecursionError):
        return request
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    digest = hashes.SHA256() if envelope["SignatureVersion"] == "2" else hashes.SHA1()
    signed = key_pair(secret).sign(text.encode(), padding.PKCS1v15(), digest)
    envelope["Signature"] = base64.b64encode(signed).decode()
    return replace(request, body=json.dumps(envelope).encode())


def envelope(message: str, **more: Any) -> Request:
    told = {
        "Type": "Notification",
        "MessageId": "19ba9823-d7f2-53c1-860e-cb10e0d13dfc",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": message,
        "Timestamp": "2025-11-24T17:58:59.675Z",
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn...",
        **more,
    }
    return post(json.dumps(told).encode(), content_type="text/plain; charset=UTF-8")


def event(kind: str, part: str = "", mail: dict[str, Any] | None = None, **detail: Any) -> Request:
    told = {"eventType": kind, "mail": {**MAIL, **(mail or {})}, part or kind.lower(): detail}
    return envelope(json.dumps(told) + "\n")


BOUNCE: dict[str, Any] = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {"emailAddress": "sam@example.com", "status": "5.1.1", "action": "failed"},
        {"emailAddress": "kim@example.com"},
    ],
    "timestamp": AT,
    "feedbackId": "00000138111222aa-44455566-cccc-cccc-cccc-ddddaaaa068a-000000",
}
COMPLAINT: dict[str, Any] = {
    "complainedRecipients": [{"emailAddress": "sam@example.com"}],
    "complaintFeedbackType": "abuse",
    "timestamp": AT,
}
PREFERENCES: dict[str, Any] = {"contactList": "Shoppers", "timestamp": AT, "source": "UnsubscribeHeader"}
CONFIRMING: dict[str, Any] = {
    "Subject": None,
    "Type": "SubscriptionConfirmation",
    "Token": "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92768dd60a747ba6f3beb71854e285d6ad02",
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=...",
}


def confirming(**more: Any) -> Request:
    request = envelope("You have chosen to subscribe to the topic.", **{**CONFIRMING, **more})
    told = {name: value for name, value in json.loads(request.body).items() if value is not None}
    return replace(request, body=json.dumps(told).encode())


SAMPLES = Samples(
    CHANNEL,
    Source("mail", (), {"topic_arn": TOPIC}, keys={CERTIFICATE: public_key(SECRET)}),
    SECRET,
    sign,
    (
        Sample("Send", event("Send"), STATUS * 2),
        Sample(
            "DeliveryDelay",
            event(
                "DeliveryDelay",
                "deliveryDelay",
                timestamp=AT,
                delayType="TransientCommunicationFailure",
                delayedRecipients=[{"emailAddress": "sam@example.com", "status": "4.4.1"}],
            ),
            STATUS,
        ),
        Sample("Delivery", event("Delivery", timestamp=AT, recipients=["sam@example.com"]), STATUS),
        Sample(
            "Open",
            event("Open", mail={"destination": ["sam@example.com"]}, timestamp=AT, ipAddress="192.0.2.1"),
            STATUS,
        ),
        Sample(
            "Click",
            event(
                "Click", mail={"destination": ["sam@example.com"]}, timestamp=AT, link="https://shop.example/"
            ),
            STATUS,
        ),
        Sample("Bounce", event("Bounce", **BOUNCE), STATUS * 2),
        Sample(
            "a feedback notification",
            envelope(
                json.dumps(
                    {
                        "notificationType": "Bounce",
                        "mail": MAIL,
                        "bounce": {**BOUNCE, "bounceType": "Transient"},
                    }
                )
            ),
            STATUS * 2,
        ),
        Sample("Reject", event("Reject", reason="Bad content"), STATUS * 2),
        Sample(
            "Rendering Failure", event("Rendering Failure", "failure", templateName="MyTemplate"), STATUS * 2
        ),
        Sample("Complaint", event("Complaint", **COMPLAINT), BOTH),
        Sample(
            "Subscription",
            event(
                "Subscription",
                mail={"destination": ["sam@example.com"]},
                **PREFERENCES,
                newTopicPreferences={"unsubscribeAll": True, "topicSubscriptionStatus": []},
            ),
            BOTH,
        ),
        Sample(
            "a return",
            event(
                "Subscription",
                mail={"destination": ["sam@example.com"]},
                **PREFERENCES,
                newTopicPreferences={
                    "unsubscribeAll": False,
                    "topicSubscriptionStatus": [{"topicName": "dresses", "subscriptionStatus": "OptIn"}],
                },
            ),
            BOTH,
        ),
        Sample("a new word", event("Teleport"), STATUS * 2),
        Sample(
            "SES trying its topic",
            envelope("Successfully validated SNS topic for Amazon SES event publishing."),
        ),
        Sample("a subscription", confirming(), fetches=["sns_subscription"]),
        Sample("a subscription, by SHA-256", confirming(SignatureVersion="2"), fetches=["sns_subscription"]),
        Sample("an end", confirming(Type="UnsubscribeConfirmation")),
        Sample(
            "by SHA-256",
            replace(event("Send"), body=event("Send").body.replace(b'Version": "1"', b'Version": "2"')),
            STATUS * 2,
        ),
        Sample("a message of nothing", envelope('{"eventType": "Open"}'), rejected=1),
        Sample("a message that is cut", envelope('{"eventType": "Open"'), rejected=1),
    ),
    covers_body=False,
)
