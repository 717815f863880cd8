"""How a notification leaves: by SMTP, by a signed webhook, or into the log while developing."""

from typing import Protocol

import structlog

from schemas.events.notifications import NotificationRequested
from sinks.notifications.outcomes import Failed, Outcome, Reason, Sent
from sinks.notifications.smtp import Smtp
from sinks.notifications.templates import Templates, Text, Unrenderable
from sinks.notifications.webhook import Webhook
from vaart.errors import ConfigFault
from vaart.settings import Notifications

EMAIL = "email"
ADDRESSED_MEDIA = frozenset({EMAIL, "sms", "whatsapp"})

log = structlog.get_logger()


class Route(Protocol):
    """One way out. `deliver` may be called from several threads, and again for the same id: the far side tells."""

    needs_address: bool

    def deliver(self, request: NotificationRequested, text: Text) -> Outcome:
        """What became of it. Never raises for a fault of the far side."""
        ...


class LogRoute:
    """For development: says in the log that a message would have gone, and nothing of what stands in it."""

    needs_address = False

    def deliver(self, request: NotificationRequested, text: Text) -> Outcome:
        """Always sent."""
        log.info(
            "notification_logged",
            notification_id=request.notification_id,
            template=request.template,
            medium=request.medium,
        )
        return Sent()


class Delivery:
    """Renders a notification and sends it by the route of its medium."""

    def __init__(self, templates: Templates, email: Route | None, other: Route | None) -> None:
        self._templates = templates
        self._email = email
        self._other = other

    def deliver(self, request: NotificationRequested) -> Outcome:
        """What became of it."""
        route = self._email if request.medium == EMAIL else self._other
        if route is None:
            return Failed(Reason.NO_ROUTE)
        if route.needs_address and request.medium in ADDRESSED_MEDIA and not request.address:
            return Failed(Reason.NO_ADDRESS)
        try:
            text = self._templates.render(request.template, request.locale, request.variables)
        except Unrenderable as error:
            return Failed(error.reason)
        return route.deliver(request, text)


def routes(settings: Notifications) -> tuple[Route | None, Route | None]:
    """The route of e-mail, and of every other medium, that the settings ask for.

    E-mail goes by SMTP where a host is set, all else by the webhook where one is set. With neither, all is logged.
    Raises ConfigFault with every fault.
    """
    faults = _faults(settings)
    if faults:
        raise ConfigFault("these settings are wrong:\n" + "\n".join(f"  {fault}" for fault in faults))
    smtp = Smtp(settings) if settings.smtp_host else None
    webhook = (
        Webhook(settings.webhook_url, settings.webhook_secret.get_secret_value())
        if settings.webhook_url
        else None
    )
    if smtp is None and webhook is None:
        return LogRoute(), LogRoute()
    return smtp or webhook, webhook


def _faults(settings: Notifications) -> list[str]:
    faults = []
    if settings.smtp_host and not settings.sender:
        faults.append("VAART_NOTIFICATIONS__SENDER: set the address that messages come from")
    if settings.webhook_url and not settings.webhook_secret.get_secret_value():
        faults.append(
            "VAART_NOTIFICATIONS__WEBHOOK_SECRET: set the secret that the receiver checks (whsec_...)"
        )
    if settings.webhook_url and not settings.webhook_url.startswith(("http://", "https://")):
        faults.append("VAART_NOTIFICATIONS__WEBHOOK_URL: must begin with https:// (or http://)")
    return faults
