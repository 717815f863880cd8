"""Delivery by SMTP. The message id is derived from the notification's: a mail sent twice can be recognised."""

import smtplib
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

from schemas.events.notifications import NotificationRequested
from sinks.notifications.outcomes import Failed, Later, Outcome, Reason, Sent
from sinks.notifications.templates import Text
from vaart.settings import Notifications

TIMEOUT_S = 15.0
PERMANENT = range(500, 600)


class Smtp:
    """One mail a connection, to the server of the settings."""

    needs_address = True

    def __init__(self, settings: Notifications) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context()

    def deliver(self, request: NotificationRequested, text: Text) -> Outcome:
        """Sent when the server took the mail; Failed when it refuses this one for good; else Later."""
        try:
            mail = self._mail(request, text)
        except (MessageError, ValueError, IndexError):
            return Failed(Reason.BAD_ADDRESS)
        try:
            self._send(mail)
        except smtplib.SMTPNotSupportedError:
            return Later("smtp_not_supported")
        except smtplib.SMTPRecipientsRefused as error:
            return _by_code(max(code for code, _ in error.recipients.values()))
        except smtplib.SMTPAuthenticationError:
            # The account is at fault, not this mail.
            return Later("smtp_login_refused")
        except smtplib.SMTPResponseException as error:
            return _by_code(error.smtp_code)
        except (smtplib.SMTPException, OSError) as error:
            return Later(f"smtp_{type(error).__name__}")
        return Sent()

    def _mail(self, request: NotificationRequested, text: Text) -> EmailMessage:
        mail = EmailMessage()
        sender = Address(addr_spec=self._settings.sender)
        mail["From"] = sender
        mail["To"] = Address(addr_spec=(request.address or "").encode("ascii").decode())
        mail["Subject"] = text.subject
        mail["Message-ID"] = f"<{request.notification_id}@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text.body)
        return mail

    def _send(self, mail: EmailMessage) -> None:
        with self._connected() as server:
            if self._settings.smtp_username:
                server.login(self._settings.smtp_username, self._settings.smtp_password.get_secret_value())
            server.send_message(mail)

    def _connected(self) -> smtplib.SMTP:
        host, port = self._settings.smtp_host, self._settings.smtp_port
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=self._tls)
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        if self._settings.smtp_security == "starttls":
            try:
                server.starttls(context=self._tls)
            except BaseException:
                server.close()
                raise
        return server


def _by_code(code: int) -> Outcome:
    return Failed(Reason.REFUSED) if code in PERMANENT else Later(f"smtp_{code}")
