"""How far a source's topics are read, as the cursor that is written with the events: one record holds all of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.queues.topic_reader import Stand
from schemas import ids
from schemas.events.ingest import CursorMoved
from schemas.meta import Instant, Meta

NAME = "queue"
"""In place of a poller's: a source may be asked, too."""


def key_of(source: str) -> str:
    """The record key of its cursors, as schemas.keys has it."""
    return f"{source}:{NAME}"


def cursor_of(source: str, stands: Mapping[str, Stand], newest: Instant, now: Instant) -> CursorMoved:
    """The cursor that says so."""
    page = msgspec.json.encode({name: _told(stand) for name, stand in sorted(stands.items())}).decode()
    meta = Meta(
        event_id=ids.event_id(source, CursorMoved.__name__, f"{NAME}:{page}"),
        occurred_at=now,
        received_at=now,
        channel=NAME,
        source=source,
    )
    return CursorMoved(meta=meta, poller=NAME, since=newest, newest=newest, page=page)


def stands_of(cursor: CursorMoved | None) -> dict[str, Stand]:
    """What the cursor says."""
    found: dict[str, Any] = msgspec.json.decode(cursor.page) if cursor else {}
    return {
        name: Stand(told["id"], {int(each): offset for each, offset in told["next"].items()})
        for name, told in found.items()
    }


def _told(stand: Stand) -> dict[str, Any]:
    return {"id": stand.topic_id, "next": {str(each): stand.next[each] for each in sorted(stand.next)}}
