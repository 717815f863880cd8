"""The catalogue of pollers. A new one is one file and one line."""

from connectors.pollers import shopify_orders
from connectors.protocol.poller import Poller

POLLERS: tuple[Poller, ...] = (shopify_orders.POLLER,)
