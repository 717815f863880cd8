"""The channels that the gateway takes requests of."""

from connectors.channels import brevo, mailgun, postmark, sendgrid, ses, shopify
from connectors.protocol.channel import Channel

CHANNELS: tuple[Channel, ...] = (
    brevo.CHANNEL,
    mailgun.CHANNEL,
    postmark.CHANNEL,
    sendgrid.CHANNEL,
    ses.CHANNEL,
    shopify.CHANNEL,
)
