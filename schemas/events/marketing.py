"""What became of messages that providers sent, and what advertising cost."""

from schemas.meta import Amount, Day, Event


class MessageStatusReported(Event, frozen=True, gc=False, kw_only=True):
    """A provider said what became of a message."""

    message_id: str
    notification_id: str | None = None
    medium: str
    status: str
    recipient: str | None = None
    campaign: str | None = None
    url: str | None = None
    provider_code: str | None = None
    is_machine: bool = False


class SpendReported(Event, frozen=True, gc=False, kw_only=True):
    """What a campaign cost on a day."""

    day: Day
    channel: str
    campaign: str
    currency: str
    cost: Amount
    impressions: int | None = None
    clicks: int | None = None
