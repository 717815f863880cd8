"""The channels that the gateway takes requests of."""

from connectors.channels import mailgun, sendgrid, shopify
from connectors.protocol.channel import Channel

CHANNELS: tuple[Channel, ...] = (
    mailgun.CHANNEL,
    sendgrid.CHANNEL,
    shopify.CHANNEL,
)
