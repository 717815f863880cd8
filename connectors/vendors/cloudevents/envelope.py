"""CloudEvents 1.0 over HTTP: one as JSON, many as JSON, or one whose attributes are headers (cloudevents/spec).

Null is the same as not there.
"""

import base64
import binascii
from typing import Any
from urllib.parse import unquote

import msgspec

from connectors.protocol import bodies, documents
from connectors.protocol.channel import Request
from connectors.protocol.documents import NotReadable, Unfit

STRUCTURED = "application/cloudevents"
BATCH = "application/cloudevents-batch"
PREFIX = "ce-"
VERSION = "1.0"


class CloudEvent(msgspec.Struct):
    """One event. `data` is what its content type says, or bytes in `data_base64`."""

    id: str
    source: str
    type: str
    specversion: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    data: Any = None
    data_base64: str | None = None


def events_in(request: Request) -> list[Any]:
    """The events of a request, each to be read by `read`. Raises NotReadable."""
    content_type = (request.header("content-type") or "").strip().lower()
    if content_type.startswith(BATCH):
        found = bodies.parsed(request.body)
        if not isinstance(found, list):
            raise NotReadable("a batch must be a list of events")
        return found
    if content_type.startswith(STRUCTURED):
        return [bodies.parsed(request.body)]
    return [_in_headers(request)]


def read(item: Any) -> CloudEvent:
    """The event. Raises Unfit."""
    event = documents.fit(item, CloudEvent)
    for name in ("id", "source", "type"):
        if not getattr(event, name):
            raise Unfit(f"`{name}` must not be empty")
    if event.specversion != VERSION:
        raise Unfit(f"`specversion` must be {VERSION}")
    if event.data_base64 is not None and is_json(event.datacontenttype):
        event.data, event.data_base64 = _unpacked(event.data_base64), None
    return event


def is_json(content_type: str | None) -> bool:
    """Whether data of this content type is JSON, which it is where none is told."""
    word = (content_type or "application/json").partition(";")[0].strip().lower()
    return word.endswith(("/json", "+json"))


def _in_headers(request: Request) -> dict[str, Any]:
    """The headers of binary mode hold what is not ASCII as percent-encoded UTF-8; the body is the data."""
    found: dict[str, Any] = {
        name.removeprefix(PREFIX): _decoded(request.header(name) or "")
        for name in request.headers
        if name.startswith(PREFIX)
    }
    if not found:
        raise NotReadable("it has neither the content type nor the headers of a CloudEvent")
    found["datacontenttype"] = request.header("content-type")
    if request.body:
        found["data_base64"] = base64.b64encode(request.body).decode()
    return found


def _decoded(value: str) -> str:
    """Quotes around a value are those of older libraries."""
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return unquote(value[1:-1] if quoted else value)


def _unpacked(told: str) -> Any:
    try:
        return bodies.parsed(base64.b64decode(told, validate=True))
    except (binascii.Error, ValueError):
        raise Unfit("`data` is not the JSON that `datacontenttype` says") from None
