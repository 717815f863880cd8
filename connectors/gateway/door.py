"""What stands behind every route of the gateway: who may come in, how much of it, and where it is kept."""

from dataclasses import dataclass, field

from aiohttp import web

from connectors.gateway.bodies import Bodies
from connectors.gateway.delivery import Delivery
from connectors.gateway.encoding import Encoding
from connectors.gateway.keys import Keys
from connectors.gateway.limits import Limits
from connectors.gateway.refusals import Refusals
from connectors.sources import Sources
from vaart.clock import Clock


@dataclass(frozen=True, slots=True)
class Door:
    """The parts of one gateway. `public_url` is where senders reach it; `proxies` of our own stand before it."""

    sources: Sources
    encoding: Encoding
    delivery: Delivery
    keys: Keys
    limits: Limits
    bodies: Bodies
    clock: Clock
    public_url: str = ""
    proxies: int = 0
    refusals: Refusals = field(default_factory=Refusals)

    def peer_of(self, request: web.Request) -> str:
        """The sender's address: the one that the outermost of our own proxies saw."""
        if not self.proxies:
            return request.remote or ""
        told = [
            each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",") if each.strip()
        ]
        return told[-min(self.proxies, len(told))] if told else (request.remote or "")
