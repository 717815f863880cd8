"""Events as people read them, and what of them is personal."""

import json
from typing import Any

import hypothesis
import msgspec
from hypothesis import strategies as some

from schemas import readable
from schemas.avsc import schema_of
from schemas.events.activity import CustomActivityRecorded, FormSubmitted
from schemas.events.marketing import MessageStatusReported
from schemas.events.service import Attachment, MessageReceived
from schemas.ids import uuid5
from schemas.meta import Meta
from schemas.personal import mask, paths
from schemas.topics import INPUTS
from tests.schemas.rows import rows, struct_of

AT = 1_709_290_800_123_456
TYPES = [each for topic in INPUTS if topic.is_public for each in topic.events]


def meta(channel: str = "web") -> Meta:
    return Meta(event_id=uuid5("e"), occurred_at=AT, received_at=AT, channel=channel, source="shop")


def message(channel: str, **fields: Any) -> MessageReceived:
    return MessageReceived(
        meta=meta(channel), conversation_id="ours:+31612345678", message_id="wamid.1", **fields
    )


def test_units_are_told_as_texts() -> None:
    assert readable.instant(AT) == "2024-03-01T11:00:00.123456Z"
    assert readable.instant(AT - 123_456) == "2024-03-01T11:00:00Z"
    assert readable.instant(-1) == "1969-12-31T23:59:59.999999Z"
    assert readable.day(19_783) == "2024-03-01"
    assert [readable.amount(n) for n in (0, 1, -199_500, 10**17)] == [
        "0.0000",
        "0.0001",
        "-19.9500",
        "10000000000000.0000",
    ]


@hypothesis.given(some.data())
@hypothesis.settings(max_examples=150, deadline=None)
def test_any_event_becomes_json_and_its_personal_paths_lead_somewhere(data: some.DataObject) -> None:
    struct = data.draw(some.sampled_from(TYPES))
    event = struct_of(data.draw(rows(schema_of(struct))), schema_of(struct), struct)
    body = readable.body(event)
    assert json.loads(msgspec.json.encode(body)) == body
    assert "meta" not in body
    personal = paths(event)
    assert len(set(personal)) == len(personal)
    mask(body, personal)


def test_what_the_schema_tags_is_masked_and_nothing_else() -> None:
    event = message(
        "chat", author="Ann", text="hello", attachments=[Attachment(url="https://x.example/a.png")] * 2
    )
    assert mask(readable.body(event), paths(event)) == {
        "conversation_id": "ours:+31612345678",
        "message_id": "wamid.1",
        "author": "***",
        "text": "***",
        "attachments": [{"url": "***"}, {"url": "***"}],
        "is_private": False,
    }


def test_of_a_map_the_names_stay() -> None:
    event = FormSubmitted(meta=meta(), form_id="contact", fields={"a/b": "x", "mail": "a@b.example"})
    assert mask(readable.body(event), paths(event))["fields"] == {"a/b": "***", "mail": "***"}


def test_ids_that_may_be_telephone_numbers_are_personal() -> None:
    assert set(paths(message("messaging", reply_to="wamid.0"))) == {
        "conversation_id",
        "message_id",
        "reply_to",
    }
    assert paths(message("chat")) == []


def test_a_text_of_any_content_is_personal_as_a_whole() -> None:
    event = CustomActivityRecorded(meta=meta(), name="quiz", properties_json='{"a": 1}')
    assert paths(event) == ["properties_json"]


def test_the_medium_counts_as_well_as_the_channel() -> None:
    event = MessageStatusReported(
        meta=meta("web"), message_id="SM1", medium="sms", status="sent", recipient="+31612345678"
    )
    assert set(paths(event)) == {"message_id", "recipient"}
