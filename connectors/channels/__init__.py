"""The channels that the gateway takes requests of."""

from connectors.channels import mailgun, postmark, sendgrid, ses, shopify
from connectors.protocol.channel import Channel

CHANNELS: tuple[Channel, ...] = (
    mailgun.CHANNEL,
    postmark.CHANNEL,
    sendgrid.CHANNEL,
    ses.CHANNEL,
    shopify.CHANNEL,
)
