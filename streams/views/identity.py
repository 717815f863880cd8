"""Identity: whom an event concerns. It is sent on under that customer's profile id.

The strongest identifier of the event decides, and an identifier's profile id is derived from it, so that every
event of a customer who is known by one identifier meets the others, whoever saw it first. Profiles are not
merged yet: two identifiers of one person are two profiles until an event carries both.

Limits: a value that names nobody, or that is longer than IDENTIFIER_MAX characters, is no identifier. Folds hold
no secrets, so a profile id of a personal kind is derived from the address itself, not from its HMAC.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from schemas import ids
from schemas.identifiers import PERSONAL_KINDS, strongest
from schemas.meta import Identifier
from schemas.topics import ACTIVITY, CODES, ORDERS, ROUTED
from streams.view import Output, Record, State, Step, View

IDENTIFIER_MAX = 256
"""Characters of the longest identifier. Longer ones would fill a profile, and no source has them."""

NAMES_NOBODY = frozenset({"", "null", "none", "unknown", "anonymous"})
"""What sources write where they know nothing. So are only zeros and dashes."""

NO_IDENTIFIER = "no identifier"

_REMEMBERED_IDS = 65_536


class Nothing(Record):
    """This view keeps nothing."""


def fold(state: State[Nothing], event: Any) -> Step:
    """After this the event itself is on its way to the profile that it concerns."""
    found = strongest(usable(event.meta.identifiers))
    if found is None:
        return Step(None, skipped=NO_IDENTIFIER)
    return Step(None, (Output(ROUTED, profile_of(found.kind, found.value), event),))


def usable(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """The identifiers that name somebody."""
    return [each for each in identifiers if names_somebody(each.value)]


@lru_cache(_REMEMBERED_IDS)
def names_somebody(value: str) -> bool:
    """Whether a source that writes `value` means a person."""
    meant = value.strip().lower()
    return len(meant) <= IDENTIFIER_MAX and meant not in NAMES_NOBODY and not set(meant) <= {"0", "-"}


@lru_cache(_REMEMBERED_IDS)
def profile_of(kind: str, value: str) -> str:
    """The id of the profile that an identifier stands for: UUIDv5 of `kind:value`."""
    return ids.profile_id(f"{kind}:{comparable(kind, value)}")


def comparable(kind: str, value: str) -> str:
    """The form in which two spellings of one identifier are equal: addresses trimmed and in lower case."""
    return value.strip().lower() if kind in PERSONAL_KINDS else value


VIEW = View(
    name="identity",
    sources=(ORDERS, ACTIVITY, CODES),
    outputs=(ROUTED,),
    head=Nothing,
    fold=fold,
)
