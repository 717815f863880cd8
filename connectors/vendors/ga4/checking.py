"""What `/debug/mp/collect` says of a body, in the words of Google's validation server ("Verify implementation")."""

import json
import re
from typing import Any

from connectors.protocol import bodies, documents
from connectors.protocol.channel import Answer
from connectors.protocol.documents import NotReadable, Unfit
from connectors.vendors.ga4.payload import EVENTS_MAX, NAME_LENGTH_MAX, PARAMETERS_MAX, Body, Item

NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
INVALID, REQUIRED, NAME_INVALID, TOO_MANY = (
    "VALUE_INVALID",
    "VALUE_REQUIRED",
    "NAME_INVALID",
    "EXCEEDED_MAX_ENTITIES",
)

Message = dict[str, str]


def checked(body: bytes) -> Answer:
    """A list of what is wrong, empty where nothing is."""
    return Answer(200, json.dumps({"validationMessages": _messages(body)}).encode(), "application/json")


def _messages(body: bytes) -> list[Message]:
    try:
        told = documents.fit(bodies.parsed(body), Body)
    except (NotReadable, Unfit) as error:
        return [_message("", f"The body cannot be read: {error}", INVALID)]
    found = []
    if not told.client_id and not told.app_instance_id:
        found.append(
            _message("client_id", "Measurement requires a client_id or an app_instance_id.", REQUIRED)
        )
    if len(told.events) > EVENTS_MAX:
        found.append(_message("events", f"A request holds at most {EVENTS_MAX} events.", TOO_MANY))
    for index, event in enumerate(told.events[:EVENTS_MAX]):
        found.extend(_of_event(index, event))
    return found


def _of_event(index: int, event: Any) -> list[Message]:
    at = f"Event at index: [{index}]"
    try:
        told = documents.fit(event, Item)
    except Unfit as unfit:
        return [_message("events", f"{at} cannot be read: {unfit}", INVALID)]
    found = []
    if not NAME.fullmatch(told.name) or len(told.name) > NAME_LENGTH_MAX:
        found.append(
            _message("events", f"{at} has an invalid name. Names begin with a letter.", NAME_INVALID)
        )
    if len(told.params or {}) > PARAMETERS_MAX:
        found.append(_message("events", f"{at} has more than {PARAMETERS_MAX} parameters.", TOO_MANY))
    return found


def _message(path: str, description: str, code: str) -> Message:
    return {"fieldPath": path, "description": description, "validationCode": code}
