"""What can become of a notification: sent, failed for a reason from a closed list, or tried again later."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a notification was not sent."""

    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    NO_ROUTE = "no_route"
    NO_TEMPLATE = "no_template"
    TEMPLATE_FAILED = "template_failed"
    EXPIRED = "expired"
    REFUSED = "refused"
    GONE = "gone"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Sent:
    """The far side took it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never be sent."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Later:
    """The far side did not take it now. `after_s` is when it asks to be tried again, if it says so."""

    why: str
    after_s: float | None = None


Outcome = Sent | Failed | Later
