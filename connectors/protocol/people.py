"""Who it is: a sender's words for a customer as identifiers, in the one form in which they can be compared."""

from functools import lru_cache

import phonenumbers

from schemas.identifiers import ANONYMOUS_ID, CUSTOMER_ID, EMAIL, LOYALTY_CARD, PHONE
from schemas.meta import Identifier

EMAIL_LENGTH_MAX = 254
NUMBERS_KEPT = 8_192


def known_as(
    source: str,
    *,
    customer_id: str | int | None = None,
    email: str | None = None,
    phone: str | None = None,
    loyalty_card: str | None = None,
    anonymous_id: str | None = None,
    region: str | None = None,
    others: tuple[Identifier, ...] = (),
) -> list[Identifier]:
    """The identifiers among these that say something. A source's own customer ids are its own: `source:id`.

    `region` (ISO 3166) is where a phone number without a country is dialled; without one it is left out.
    """
    found = []
    if customer_id not in (None, "", 0):
        found.append(Identifier(CUSTOMER_ID, f"{source}:{customer_id}"))
    if loyalty_card:
        found.append(Identifier(LOYALTY_CARD, loyalty_card))
    if mail := address_of(email):
        found.append(Identifier(EMAIL, mail))
    if number := number_of(phone, region):
        found.append(Identifier(PHONE, number))
    if anonymous_id:
        found.append(Identifier(ANONYMOUS_ID, anonymous_id))
    return [*found, *others]


def address_of(email: str | None) -> str | None:
    """The e-mail address trimmed and in lower case; None where there is none."""
    if not email or "@" not in email:
        return None
    found = email.strip().lower()
    name, at, host = found.rpartition("@")
    is_one = (
        bool(name and at and host) and len(found) <= EMAIL_LENGTH_MAX and not any(map(str.isspace, found))
    )
    return found if is_one else None


def number_of(phone: str | None, region: str | None) -> str | None:
    """The phone number as E.164 (+31612345678); None where it is none, or where its country is not known."""
    return _number(phone.strip()[:40], region) if phone else None


@lru_cache(NUMBERS_KEPT)
def _number(phone: str, region: str | None) -> str | None:
    try:
        found = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(found):
        return None
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))
