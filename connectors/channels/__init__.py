"""The channels that the gateway takes requests of."""

from connectors.channels import shopify
from connectors.protocol.channel import Channel

CHANNELS: tuple[Channel, ...] = (shopify.CHANNEL,)
