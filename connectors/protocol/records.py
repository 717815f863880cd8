"""A record of a queue or a topic as a request: how its parts are named there.

The method is MESSAGE, the route the topic's or the queue's name, the body the value: empty for a record without one.
Headers are the record's, as text, and KEY is its key. `received_at` is the time that the broker keeps with the record,
and so the same however often it is read.
"""

from typing import Any

from connectors.protocol import documents
from connectors.protocol.channel import Request
from connectors.protocol.documents import NotReadable

METHOD = "MESSAGE"
KEY = "vaart-key"
"""The header in which the record's key stands."""


def key_of(request: Request) -> Any:
    """The record's key: the document that it is, else its text; None where it has none."""
    told = request.header(KEY)
    if told is None:
        return None
    try:
        return documents.parse(told.encode())
    except (NotReadable, UnicodeEncodeError):
        return told
