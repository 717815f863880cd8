"""The channels that the gateway takes requests of."""

from connectors.channels import (
    brevo,
    cloudevents,
    cm,
    ga4,
    instagram,
    links,
    mailgun,
    messenger,
    postmark,
    rudderstack,
    segment,
    sendgrid,
    ses,
    shopify,
    snowplow,
    twilio,
    whatsapp,
)
from connectors.protocol.channel import Channel

CHANNELS: tuple[Channel, ...] = (
    brevo.CHANNEL,
    cloudevents.CHANNEL,
    cm.CHANNEL,
    ga4.CHANNEL,
    instagram.CHANNEL,
    links.CHANNEL,
    mailgun.CHANNEL,
    messenger.CHANNEL,
    postmark.CHANNEL,
    rudderstack.CHANNEL,
    segment.CHANNEL,
    sendgrid.CHANNEL,
    ses.CHANNEL,
    shopify.CHANNEL,
    snowplow.CHANNEL,
    twilio.CHANNEL,
    whatsapp.CHANNEL,
)
