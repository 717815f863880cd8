"""The catalogue of pollers. A new one is one file and one line."""

from connectors.pollers import (
    bol_orders,
    bol_returns,
    bol_shipments,
    postnl_statuses,
    shopify_orders,
    woocommerce_orders,
)
from connectors.protocol.poller import Poller

POLLERS: tuple[Poller, ...] = (
    bol_orders.POLLER,
    bol_returns.POLLER,
    bol_shipments.POLLER,
    postnl_statuses.POLLER,
    shopify_orders.POLLER,
    woocommerce_orders.POLLER,
)
