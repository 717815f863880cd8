"""WhatsApp's updates, after its documentation and those that pywa's tests keep."""

from typing import Any

from connectors.channels.whatsapp import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.samples import meta
from tests.connectors.channels.sampling import Sample, Samples

SECRET = "8b1a9953c4611296a827abf8c47804d7"
NUMBER, USER = "31612345678", "NL.13491208655302741918"
METADATA = {"display_phone_number": "31201234567", "phone_number_id": "1122334455667"}
CONTACT = {"profile": {"name": "Sam"}, "wa_id": NUMBER}


def change(field: str = "messages", **value: Any) -> dict[str, Any]:
    told = {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": [CONTACT], **value}
    return {"field": field, "value": told}


def sent(*changes: Any) -> Request:
    return meta.sent("whatsapp_business_account", {"id": "102290129340398", "changes": changes})


def message(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "from": NUMBER,
        "id": "wamid.HBgLMzE2MTIzNDU2NzgVAgASGBQz",
        "timestamp": "1763978392",
        "type": kind,
        **more,
    }


def status(word: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI1",
        "status": word,
        "timestamp": "1763978392",
        "recipient_id": NUMBER,
        **more,
    }


def said(kind: str, *gives: str, **more: Any) -> Sample:
    named = more.pop("name", kind)
    return Sample(named, sent(change(messages=[message(kind, **more)])), gives)


def fate(word: str, *gives: str, **more: Any) -> Sample:
    named = more.pop("name", word)
    return Sample(named, sent(change(statuses=[status(word, **more)])), gives or ("MessageStatusReported",))


ORDER = {
    "catalog_id": "194836987003835",
    "product_items": [
        {"product_retailer_id": "dress-36", "quantity": 2, "item_price": 19.95, "currency": "EUR"},
        {"product_retailer_id": "belt", "quantity": 1, "item_price": 7, "currency": "EUR"},
    ],
}
STOP = {
    "wa_id": NUMBER,
    "detail": "User requested to stop marketing messages",
    "category": "marketing_messages",
    "value": "stop",
    "timestamp": 1763978392,
}

SAMPLES = Samples(
    CHANNEL,
    Source("whatsapp-nl", (SECRET,)),
    SECRET,
    meta.sign,
    (
        meta.trying(),
        said(
            "text",
            "MessageReceived",
            text={"body": "Is this in size 36? \U0001f60d"},
            context={"id": "wamid.1"},
        ),
        said(
            "image",
            "MessageReceived",
            image={"id": "65463453", "mime_type": "image/jpeg", "caption": "This one"},
        ),
        said(
            "interactive",
            "MessageReceived",
            interactive={"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes please"}},
        ),
        said("location", "MessageReceived", location={"latitude": 52.38, "longitude": 4.64}),
        said(
            "text",
            "MessageReceived",
            "CampaignTouched",
            name="from an advertisement",
            text={"body": "Hi"},
            referral={
                "source_type": "ad",
                "source_id": "6045",
                "source_url": "https://fb.me/1",
                "ctwa_clid": "ARAk",
            },
        ),
        said("order", "MessageReceived", "CartReported", order=ORDER),
        said("revoke", "MessageRemoved", revoke={"original_message_id": "wamid.1"}),
        said(
            "edit",
            "MessageReceived",
            edit={"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "Size 38"}}},
        ),
        said("reaction", reaction={"message_id": "wamid.1", "emoji": "\U0001f62e"}),
        said(
            "system",
            "IdentifiersLinked",
            system={"body": "changed", "wa_id": "31687654321", "type": "user_changed_number"},
        ),
        Sample(
            "another user id",
            sent(
                change(
                    contacts=[],
                    messages=[
                        {
                            "id": "wamid.4",
                            "timestamp": "1763978392",
                            "type": "system",
                            "system": {
                                "user_id": "MX.0987654321",
                                "previous_user_id": USER,
                                "type": "user_changed_user_id",
                            },
                        }
                    ],
                )
            ),
            ("IdentifiersLinked",),
        ),
        said("system", name="another identity", system={"type": "customer_identity_changed"}),
        said("unsupported", "MessageReceived", errors=[{"code": 131051}]),
        Sample(
            "of someone with a user name",
            sent(
                change(
                    contacts=[{"profile": {"name": "Sam", "username": "sam"}, "user_id": USER}],
                    messages=[
                        {"from_user_id": USER, "id": "wamid.2", "timestamp": "1763978392", "type": "text"}
                    ],
                )
            ),
            ("MessageReceived",),
        ),
        Sample(
            "written on a phone of ours",
            sent(
                change(
                    "smb_message_echoes",
                    message_echoes=[
                        message("text", **{"from": "31201234567"}, to=NUMBER, text={"body": "Yes"})
                    ],
                )
            ),
            ("MessageSent",),
        ),
        fate("sent", conversation={"id": "1", "origin": {"type": "service"}}, pricing={"billable": True}),
        fate("delivered"),
        fate("read"),
        fate("played"),
        fate("failed", errors=[{"code": 130472, "title": "User's number is part of an experiment"}]),
        fate("failed", "MessageStatusReported", "ConsentChanged", name="refused", errors=[{"code": 131050}]),
        fate("teleported"),
        Sample("a stop", sent(change("user_preferences", user_preferences=[STOP])), ("ConsentChanged",)),
        Sample(
            "a resuming",
            sent(change("user_preferences", user_preferences=[{**STOP, "value": "resume"}])),
            ("ConsentChanged",),
        ),
        Sample(
            "a field that is not read",
            sent({"field": "message_template_status_update", "value": {"event": "APPROVED"}}),
        ),
        Sample(
            "bad ones among good ones",
            sent(
                change(
                    messages=[message("text"), {"id": "wamid.3"}],
                    statuses=[status("read"), status("sent", id=None)],
                ),
                {"field": "messages", "value": None},
            ),
            ("MessageReceived", "MessageStatusReported"),
            rejected=3,
        ),
    ),
)
