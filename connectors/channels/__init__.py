"""The channels that the gateway takes requests of."""

from connectors.channels import sendgrid, shopify
from connectors.protocol.channel import Channel

CHANNELS: tuple[Channel, ...] = (
    sendgrid.CHANNEL,
    shopify.CHANNEL,
)
