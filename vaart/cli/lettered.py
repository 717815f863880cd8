"""A dead letter as commands show it: never its bytes, unless they are asked for."""

import base64
from datetime import UTC, datetime
from typing import Any

from vaart.cli.letterbox import Filed, text_of


def row(filed: Filed, state: str) -> dict[str, Any]:
    """What `list` shows. Nothing of it comes from the record's key, value or headers."""
    letter = filed.letter
    return {
        "id": text_of(filed.id),
        "at": _iso(filed.at_ms / 1e3),
        "service": letter.service,
        "stage": letter.stage,
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.source_topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "attempt": letter.attempt,
        "state": state,
    }


def full(filed: Filed, state: str, *, with_payload: bool) -> dict[str, Any]:
    """What `show` shows. The bytes in base64, as text where that is what they are."""
    letter = filed.letter
    found = row(filed, state) | {
        "first_seen_at": _iso(letter.first_seen_at / 1e6),
        "service_version": letter.service_version,
        "schema_id": letter.schema_id,
        "alarm_at": None if letter.alarm_at is None else _iso(letter.alarm_at / 1e6),
        "left_out_bytes": letter.left_out_bytes,
        "key_bytes": len(letter.key or b""),
        "value_bytes": len(letter.value or b""),
        "headers": len(letter.headers),
    }
    if with_payload:
        found |= {
            "key": _shown(letter.key),
            "value": _shown(letter.value),
            "headers": [[header.name, _shown(header.value)] for header in letter.headers],
        }
    return found


def _shown(value: bytes | None) -> dict[str, str] | None:
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    return {"text": text} if text.isprintable() and text else {"base64": base64.b64encode(value).decode()}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
