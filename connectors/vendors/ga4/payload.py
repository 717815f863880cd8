"""What the Measurement Protocol sends (developers.google.com, "Measurement Protocol reference", "Events")."""

from typing import Any

import msgspec

EVENTS_MAX = 25
PARAMETERS_MAX = 25
NAME_LENGTH_MAX = 40


class Body(msgspec.Struct):
    """`client_id` is a browser's, `app_instance_id` an app's."""

    events: list[Any]
    client_id: int | str | None = None
    app_instance_id: str | None = None
    user_id: int | str | None = None
    timestamp_micros: int | str | None = None
    user_properties: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None


class Item(msgspec.Struct):
    """One event."""

    name: str
    params: dict[str, Any] | None = None
    timestamp_micros: int | str | None = None
