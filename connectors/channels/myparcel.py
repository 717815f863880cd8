"""MyParcel: that something about a shipment changed, which is then asked for.

| hook | what is asked for |
| --- | --- |
| with a shipment_id (shipment_status_change, shipment_label_created) | the shipment |
| another (shop_updated and so on) | nothing |

Hooks are not signed: a secret in the address is all that MyParcel knows (`/in/myparcel/{source}/{secret}`), and so
their status is not believed but read again (myparcelnl/pdk, src/App/Webhook, does the same).
"""

from typing import Any

import msgspec

from connectors.protocol import documents, facts, signatures
from connectors.protocol.channel import Channel, Evidence, Fetch, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable, Unfit
from schemas.meta import Event

MEDIUM = "carrier"
SHIPMENT = "shipment"


class Hook(msgspec.Struct):
    event: str | None = None
    shipment_id: int | str | None = None


class Hooks(msgspec.Struct):
    hooks: list[Any] = []


class Document(msgspec.Struct):
    data: Hooks


def receive(request: Request, source: Source) -> Outcome:
    """One hook or several; a shipment is asked for once."""
    if not signatures.same(source.secrets, request.route.strip("/")):
        return Refused("the address does not hold the secret")
    try:
        found = documents.read(request.body, Document)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    asked: dict[str, Fetch] = {}
    verdict = facts.gather(found.data.hooks, lambda item: _ask(asked, documents.fit(item, Hook)))
    verdict.fetches = list(asked.values())
    return verdict


def _ask(asked: dict[str, Fetch], hook: Hook) -> list[Event]:
    if hook.shipment_id is not None:
        asked[str(hook.shipment_id)] = Fetch(SHIPMENT, str(hook.shipment_id))
    return []


CHANNEL = Channel(
    name="myparcel",
    title="MyParcel",
    medium=MEDIUM,
    receive=receive,
    proof="secret address",
    evidence=Evidence("documented", "documented", "myparcelnl/pdk (src/App/Webhook and its tests)"),
)
