"""Messenger's updates and a page's, after Meta's documentation."""

from typing import Any

from connectors.channels.messenger import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.samples import meta
from tests.connectors.channels.sampling import Sample, Samples

SECRET = "8b1a9953c4611296a827abf8c47804d7"
PAGE, CUSTOMER = "104061234567890", "5111222233334444"
COMMENT: dict[str, Any] = {
    "item": "comment",
    "verb": "add",
    "from": {"id": "6111222233334444", "name": "Sam Smit"},
    "post_id": f"{PAGE}_500",
    "comment_id": "500_600",
    "parent_id": f"{PAGE}_500",
    "message": "Is this in size 36?",
    "created_time": 1763978392,
}


def sent(**more: Any) -> Request:
    return meta.sent("page", {"id": PAGE, "time": 1763978400456, **more})


def posted(field: str, value: Any) -> Request:
    return sent(changes=[{"field": field, "value": value}])


def talk(**more: Any) -> Request:
    whose = {"sender": {"id": CUSTOMER}, "recipient": {"id": PAGE}, "timestamp": 1763978392123}
    return sent(messaging=[{**whose, **more}])


SAMPLES = Samples(
    CHANNEL,
    Source("page", (SECRET,)),
    SECRET,
    meta.sign,
    (
        meta.trying(),
        Sample(
            "a message from an advertisement",
            talk(
                message={
                    "mid": "m_1",
                    "text": "Hi",
                    "referral": {"ref": "winter", "source": "ADS", "ad_id": "6045"},
                }
            ),
            ("MessageReceived", "CampaignTouched"),
        ),
        Sample(
            "an answer of ours",
            talk(
                sender={"id": PAGE},
                recipient={"id": CUSTOMER},
                message={
                    "mid": "m_2",
                    "text": "Yes",
                    "is_echo": True,
                    "app_id": 1,
                    "reply_to": {"mid": "m_1"},
                },
            ),
            ("MessageSent",),
        ),
        Sample(
            "a button",
            talk(
                postback={
                    "title": "Get started",
                    "payload": "START",
                    "referral": {"ref": "flyer", "source": "SHORTLINK"},
                }
            ),
            ("MessageReceived", "CampaignTouched"),
        ),
        Sample(
            "delivered",
            talk(delivery={"mids": ["m_2", "m_3"], "watermark": 1763978392000}),
            ("MessageStatusReported",) * 2,
        ),
        Sample("read", talk(read={"watermark": 1763978392000})),
        Sample(
            "no more notifications",
            talk(
                optin={"type": "notification_messages", "notification_messages_status": "STOP_NOTIFICATIONS"}
            ),
            ("ConsentChanged",),
        ),
        Sample("a comment", posted("feed", COMMENT), ("CommentPosted",)),
        Sample("a comment that is gone", posted("feed", {**COMMENT, "verb": "remove"}), ("MessageRemoved",)),
        Sample("our own comment", posted("feed", {**COMMENT, "from": {"id": PAGE, "name": "Shop"}})),
        Sample(
            "a like",
            posted("feed", {"item": "reaction", "verb": "add", "reaction_type": "like", "post_id": "1"}),
        ),
        Sample(
            "a mention",
            posted(
                "mention",
                {
                    "item": "post",
                    "verb": "add",
                    "post_id": "600_700",
                    "sender_id": "6111",
                    "sender_name": "Sam",
                    "message": "@shop",
                },
            ),
            ("SocialMentioned",),
        ),
        Sample("a field that is not read", posted("leadgen", {"leadgen_id": "1"})),
        Sample("a message of nobody", sent(messaging=[{"message": {"mid": "m_4"}}]), rejected=1),
    ),
)
