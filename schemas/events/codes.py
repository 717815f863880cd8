"""Discount codes: issued, asked about, used, given back."""

from schemas.meta import Amount, Event, Identifier, Instant


class CodeIssued(Event, frozen=True, gc=False, kw_only=True):
    """A discount code was given out."""

    code: str
    campaign: str | None = None
    owner: Identifier | None = None
    value_kind: str
    value: Amount | None = None
    currency: str | None = None
    sku: str | None = None
    minimum: Amount | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    uses_max: int | None = None
    where: list[str] = []


class CheckCode(Event, frozen=True, gc=False, kw_only=True):
    """Say whether this code may be used."""

    request_id: str
    code: str
    order_id: str | None = None
    currency: str | None = None
    amount: Amount | None = None
    where: str | None = None


class RedeemCode(Event, frozen=True, gc=False, kw_only=True):
    """Use this code, if it still may be used."""

    request_id: str
    code: str
    order_id: str
    currency: str | None = None
    amount: Amount | None = None
    where: str | None = None


class ReleaseCode(Event, frozen=True, gc=False, kw_only=True):
    """Give a use of this code back."""

    request_id: str
    code: str
    order_id: str
    reason: str | None = None


class CodeRedeemed(Event, frozen=True, gc=False, kw_only=True):
    """A discount code was used."""

    code: str
    campaign: str | None = None
    order_id: str | None = None
    currency: str | None = None
    amount: Amount | None = None
    reason: str | None = None


class CodeRevoked(Event, frozen=True, gc=False, kw_only=True):
    """A discount code may no longer be used."""

    code: str
    order_id: str | None = None
    reason: str | None = None
