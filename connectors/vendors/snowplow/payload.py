"""What trackers send, tracker protocol 2 (docs.snowplow.io, "Snowplow Tracker Protocol"). All values are texts.

Self-describing events and entities are JSON in a text (`ue_pr`, `co`), or base64url of it, often unpadded (`ue_px`,
`cx`).
"""

import base64
import binascii
import re
from typing import Any

import msgspec

from connectors.protocol import bodies, documents
from connectors.protocol.documents import NotReadable, Unfit

Text = str | int | None
_SCHEMA = re.compile(r"iglu:[\w.-]+/(?P<name>[\w-]+)/jsonschema/\d+-\d+-\d+")


class Payload(msgspec.Struct):
    """One event. `dtm` is when it was, `stm` when it was sent, by the device's clock in milliseconds; `ttm` is true."""

    e: str
    eid: Text = None
    dtm: Text = None
    stm: Text = None
    ttm: Text = None
    aid: Text = None
    p: Text = None
    tna: Text = None
    tv: Text = None
    uid: Text = None
    duid: Text = None
    sid: Text = None
    ua: Text = None
    lang: Text = None
    tz: Text = None
    url: Text = None
    page: Text = None
    refr: Text = None
    se_ca: Text = None
    se_ac: Text = None
    se_la: Text = None
    se_pr: Text = None
    se_va: Text = None
    tr_id: Text = None
    tr_tt: Text = None
    tr_tx: Text = None
    tr_sh: Text = None
    tr_cu: Text = None
    ti_id: Text = None
    ti_sk: Text = None
    ti_nm: Text = None
    ti_ca: Text = None
    ti_pr: Text = None
    ti_qu: Text = None
    ti_cu: Text = None
    ue_pr: str | None = None
    ue_px: str | None = None
    co: str | None = None
    cx: str | None = None


class Described(msgspec.Struct):
    """A document that says which schema it has."""

    schema: str
    data: Any = None

    @property
    def name(self) -> str:
        """The schema's own name, such as `link_click`."""
        found = _SCHEMA.fullmatch(self.schema)
        return found["name"] if found else self.schema


def event_in(payload: Payload) -> Described:
    """The self-describing event that a payload carries. Raises Unfit."""
    outer = _unwrapped(payload.ue_pr, payload.ue_px, "ue_pr")
    if outer is None:
        raise Unfit("a self-describing event has neither `ue_pr` nor `ue_px`")
    return documents.fit(outer.data, Described)


def entities_in(payload: Payload) -> list[Described]:
    """What a payload says about the event's surroundings. Raises Unfit."""
    outer = _unwrapped(payload.co, payload.cx, "co")
    return [] if outer is None else documents.fit(outer.data, list[Described])


def _unwrapped(plain: str | None, packed: str | None, name: str) -> Described | None:
    if not plain and not packed:
        return None
    try:
        raw = plain.encode(errors="replace") if plain else base64.urlsafe_b64decode(_padded(packed or ""))
        return documents.fit(bodies.parsed(raw), Described)
    except (NotReadable, binascii.Error, ValueError):
        raise Unfit(f"`{name}` cannot be read") from None


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
