"""Which product an EPC stands for: of the URN forms and of GS1 Digital Links, the GTIN as it is printed."""

import re

_URN = re.compile(r"urn:epc:(?:id:sgtin|idpat:sgtin|class:lgtin):(\d{6,12})\.(\d)(\d*)(?:\..*)?")
_LINK = re.compile(r"https?://[^/]+(?:/[^/]+)*?/01/(\d{14}|\d{12,13}|\d{8})(?:[/?#].*)?")
GTIN_DIGITS = 14
URN_DIGITS = 13
"""Of company prefix, indicator and item reference together."""


def gtin_of(epc: str) -> str | None:
    """The GTIN, in 13 digits where it has no indicator; None where the EPC names no product."""
    found = _of_urn(epc) or _of_link(epc)
    return found.removeprefix("0") if found else None


def _of_urn(epc: str) -> str | None:
    parts = _URN.fullmatch(epc)
    if parts is None:
        return None
    prefix, indicator, item = parts.groups()
    digits = indicator + prefix + item
    return digits + _check_digit(digits) if len(digits) == URN_DIGITS else None


def _of_link(epc: str) -> str | None:
    parts = _LINK.fullmatch(epc)
    return parts[1].zfill(GTIN_DIGITS) if parts else None


def _check_digit(digits: str) -> str:
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return str(-weighted % 10)
