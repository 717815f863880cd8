"""Addresses of pages, without what may say who looked at them: only listed query parameters stay.

What follows a # goes too, and a name and password before the host: both have held tokens.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from connectors.protocol.channel import Option, Source

CLICK_IDS = (
    "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "epik", "sccid",
)  # fmt: skip
"""By these an advertiser knows which of its ads was clicked."""
PARAMETERS = ("utm_*", *CLICK_IDS, "q")
OPTION = Option(
    "query_parameters",
    "the query parameters that stay in addresses, with commas between them, such as `utm_*, gclid, q`",
)
ADDRESS_LENGTH_MAX = 8_192
FIELDS_MAX = 200
_SCHEMES = ("http", "https", "android-app", "ios-app")
BEGINNINGS = ("h", "?")
"""So begins a text that may be an address."""
_IN_PATH = r"[\w.~!$&'()*+,;=:%/-]*"
_BARE = re.compile(rf"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/{_IN_PATH})?", re.ASCII)
"""An address with nothing in it that would be taken out: most are, and need not be taken apart."""
_BARE_PATH = re.compile(rf"/(?!/){_IN_PATH}", re.ASCII)
_NOWHERE = ("$direct", "about:blank", "about:client")


class Addresses:
    """Cleans what one source sends. Its option lists the names to keep; one may end in a `*`."""

    def __init__(self, source: Source) -> None:
        told = source.options.get(OPTION.name)
        listed = told.split(",") if isinstance(told, str) else PARAMETERS
        names = [name.strip().lower() for name in listed if name.strip()]
        self._names = frozenset(name for name in names if not name.endswith("*"))
        self._beginnings = tuple(name[:-1] for name in names if name.endswith("*"))
        self._known: dict[str, str | None] = {}

    def cleaned(self, address: str | None) -> str | None:
        """The address with the listed parameters alone; None where it is none, or names no page.

        What is said at once mostly happened on one page: each address is cleaned once.
        """
        if not address:
            return None
        if address not in self._known:
            self._known[address] = self._clean(address)
        return self._known[address]

    def _clean(self, address: str) -> str | None:
        if len(address) <= ADDRESS_LENGTH_MAX and _BARE.fullmatch(address):
            return address
        parts = parted(address)
        if parts is None or (parts.scheme and parts.scheme not in _SCHEMES):
            return None
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, self._query(parts.query), "")) or None

    def all_cleaned(self, value: Any) -> Any:
        """The same value, with each address and each query in it cleaned."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.all_cleaned(each) for each in value]
        if isinstance(value, dict):
            return {
                name: inner if _is_plain(inner) else self.all_cleaned(inner) for name, inner in value.items()
            }
        return value

    def _text(self, value: str) -> str:
        """A text that begins as an address is one; so is a page's `search`, which begins as a query."""
        is_address = value.startswith(("http://", "https://")) or (value.startswith("?") and "=" in value)
        return self.cleaned(value) or "" if is_address else value

    def _query(self, query: str) -> str:
        return urlencode([(name, value) for name, value in fields(query) if self._is_listed(name.lower())])

    def _is_listed(self, name: str) -> bool:
        return name in self._names or name.startswith(self._beginnings)


def _is_plain(value: Any) -> bool:
    """Whether there is nothing to clean, as far as is seen at once."""
    return value.__class__ is str and value[:1] not in BEGINNINGS


def parted(address: str | None) -> SplitResult | None:
    """The parts of an address; None where it is none."""
    if not address or address in _NOWHERE:
        return None
    try:
        return urlsplit(address.strip()[:ADDRESS_LENGTH_MAX])
    except ValueError:
        return None


def path_of(told: str | None) -> str | None:
    """The path of an address, or of a path that may have a query behind it; None where there is none."""
    if told and len(told) <= ADDRESS_LENGTH_MAX and _BARE_PATH.fullmatch(told):
        return told
    parts = parted(told)
    return None if parts is None else parts.path or None


def fields(query: str) -> Iterator[tuple[str, str]]:
    """The parameters of a query; none where there are more than anybody means."""
    try:
        yield from parse_qsl(query, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return
