"""Delivery to a webhook in Standard Webhooks form: signed, the notification's id as the idempotency key."""

import json
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook as Signer

from schemas.events.notifications import NotificationRequested
from sinks.notifications.outcomes import Failed, Later, Outcome, Reason, Sent
from sinks.notifications.templates import Text
from vaart.errors import ConfigFault

TIMEOUT_S = 15.0
EVENT_TYPE = "notification.requested"
RETRY_AFTER_S_MAX = 24 * 3600


class Webhook:
    """Posts to one address that the operator set. `is_gone` once it has answered 410, until a restart."""

    needs_address = True

    def __init__(self, url: str, secret: str) -> None:
        """Raises ConfigFault for a secret that is not base64."""
        try:
            self._signer = Signer(secret)
        except ValueError:
            raise ConfigFault(
                "VAART_NOTIFICATIONS__WEBHOOK_SECRET: must be base64, perhaps behind whsec_"
            ) from None
        self._url = url
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)
        self.is_gone = False

    def deliver(self, request: NotificationRequested, text: Text) -> Outcome:
        """Sent on any 2xx; Failed on 410, after which nothing is posted any more; else Later."""
        if self.is_gone:
            return Later("webhook_gone")
        now = datetime.now(UTC)
        body = _body(request, text, now)
        headers = {
            "content-type": "application/json",
            "webhook-id": request.notification_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(request.notification_id, now, body),
            "idempotency-key": request.notification_id,
        }
        try:
            with self._http.stream("POST", self._url, content=body.encode(), headers=headers) as answer:
                return self._outcome(answer)
        except httpx.HTTPError as error:
            return Later(f"webhook_{type(error).__name__}")

    def _outcome(self, answer: httpx.Response) -> Outcome:
        """The body is never read: only the status says something."""
        if answer.is_success:
            return Sent()
        if answer.status_code == httpx.codes.GONE:
            self.is_gone = True
            return Failed(Reason.GONE)
        return Later(f"webhook_{answer.status_code}", _seconds(answer.headers.get("retry-after", "")))


def _body(request: NotificationRequested, text: Text, now: datetime) -> str:
    told = {
        "notification_id": request.notification_id,
        "profile_id": request.profile_id,
        "journey": request.journey,
        "step": request.step,
        "template": request.template,
        "medium": request.medium,
        "address": request.address,
        "locale": request.locale,
        "subject": text.subject,
        "text": text.body,
    }
    return json.dumps({"type": EVENT_TYPE, "timestamp": now.isoformat(), "data": told}, ensure_ascii=False)


def _seconds(header: str) -> float | None:
    return (
        float(min(int(header), RETRY_AFTER_S_MAX))
        if header.isascii() and header.isdigit() and len(header) < 10
        else None
    )
