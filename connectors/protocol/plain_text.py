"""What a customer or an agent wrote, without the HTML that a sender put around it."""

import html
import re

_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|h[1-6])>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLANK_LINES = re.compile(r"\n{3,}")


def of_html(text: str | None) -> str | None:
    """The words of it, a line for each paragraph; None where there are none."""
    if not text:
        return None
    plain = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    return _BLANK_LINES.sub("\n\n", plain).strip() or None
