"""Instagram's updates, after the examples of its documentation, in both of its shapes."""

import json
from typing import Any

from connectors.channels.instagram import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.samples import meta
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "8b1a9953c4611296a827abf8c47804d7"
ACCOUNT, CUSTOMER = "17841405822304914", "4111222233334444"
COMMENT: dict[str, Any] = {
    "id": "17865799348089039",
    "from": {"id": "232323232", "username": "sam.smit"},
    "text": "Is this in size 36? \U0001f60d",
    "media": {"id": "123123123", "media_product_type": "FEED"},
}


def entry(**more: Any) -> dict[str, Any]:
    return {"id": ACCOUNT, "time": 1763978400, **more}


def sent(*entries: Any) -> Request:
    return meta.sent("instagram", *entries)


def change(field: str, value: Any) -> Request:
    return sent(entry(changes=[{"field": field, "value": value}]))


def direct(**more: Any) -> dict[str, Any]:
    return {"sender": {"id": CUSTOMER}, "recipient": {"id": ACCOUNT}, "timestamp": 1763978392123, **more}


def talk(*updates: Any, name: str = "messaging") -> Request:
    return sent({"id": ACCOUNT, "time": 1763978400456, name: updates})


SAMPLES = Samples(
    CHANNEL,
    Source("insta", (SECRET,)),
    SECRET,
    meta.sign,
    (
        meta.trying(),
        Sample("a comment", change("comments", COMMENT), ("CommentPosted",)),
        Sample(
            "a comment, the other shape", sent(entry(field="comments", value=COMMENT)), ("CommentPosted",)
        ),
        Sample(
            "an answer, in a list of documents",
            post(
                json.dumps(
                    [
                        {
                            "object": "instagram",
                            "entry": [entry(field="live_comments", value={**COMMENT, "parent_id": "1786"})],
                        }
                    ]
                ).encode()
            ),
            ("CommentPosted",),
        ),
        Sample(
            "our own comment",
            change("comments", {**COMMENT, "from": {"id": ACCOUNT, "self_ig_scoped_id": "1"}}),
        ),
        Sample(
            "a mention",
            change("mentions", {"media_id": "1791", "comment_id": "1787"}),
            ("SocialMentioned",),
            fetches=["instagram_mention"],
        ),
        Sample(
            "a message",
            talk(
                direct(
                    message={
                        "mid": "aWdfZAG1",
                        "text": "Hi",
                        "attachments": [{"type": "image", "payload": {"url": "https://lookaside.example/1"}}],
                        "reply_to": {"story": {"url": "https://lookaside.example/2", "id": "1"}},
                    }
                )
            ),
            ("MessageReceived",),
        ),
        Sample(
            "our own message",
            talk(
                direct(
                    sender={"id": ACCOUNT},
                    recipient={"id": CUSTOMER},
                    message={"mid": "aWdfZAG2", "text": "Yes", "is_echo": True},
                )
            ),
            ("MessageSent",),
        ),
        Sample(
            "taken back", talk(direct(message={"mid": "aWdfZAG1", "is_deleted": True})), ("MessageRemoved",)
        ),
        Sample("read", talk(direct(read={"mid": "aWdfZAG2"})), ("MessageStatusReported",)),
        Sample(
            "a reaction", talk(direct(reaction={"mid": "aWdfZAG2", "action": "react", "emoji": "\u2764"}))
        ),
        Sample(
            "a postback",
            talk(direct(postback={"mid": "aWdfZAG3", "title": "Sizes", "payload": "SIZES"})),
            ("MessageReceived",),
        ),
        Sample(
            "from a link",
            talk(direct(referral={"ref": "winter", "source": "IGME-SOURCE-LINK", "type": "OPEN_THREAD"})),
            ("CampaignTouched",),
        ),
        Sample(
            "in another app's hands, edited",
            talk(direct(message_edit={"mid": "aWdfZAG1", "text": "Hello", "num_edit": 1}), name="standby"),
            ("MessageReceived",),
        ),
        Sample("a field that is not read", change("story_insights", {"media_id": "1", "reach": 44})),
        Sample("of another kind", meta.sent("permissions", entry(changes=[]))),
        Sample(
            "bad ones among good ones",
            sent(
                entry(
                    changes=[
                        {"field": "comments", "value": {"id": "1"}},
                        "no change",
                        {"field": "comments", "value": COMMENT},
                    ]
                ),
                "no entry",
            ),
            ("CommentPosted",),
            rejected=3,
        ),
        Sample("without entries", post(b"{}"), rejected=1),
    ),
)
