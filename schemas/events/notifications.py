"""Messages to customers that a journey asks for, and what became of them."""

from schemas.meta import Event, Instant


class NotificationRequested(Event, frozen=True, gc=False, kw_only=True):
    """A journey asks for a message to a customer."""

    notification_id: str
    profile_id: str
    journey: str
    instance_key: str
    step: str
    template: str
    medium: str
    address: str | None = None
    locale: str | None = None
    variables: dict[str, str] = {}
    expires_at: Instant | None = None


class NotificationOutcomeReported(Event, frozen=True, gc=False, kw_only=True):
    """Our sender did, or did not, send a message."""

    notification_id: str
    profile_id: str
    medium: str
    status: str
    reason: str | None = None
