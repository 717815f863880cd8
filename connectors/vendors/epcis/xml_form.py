"""EPCIS 1.2 and 2.0 in XML, as the same values that its JSON form has."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree  # what could do harm, a DOCTYPE, is refused before

from connectors.protocol.documents import NotReadable

DEPTH_MAX = 64
TEXTS = ("eventID", "eventTime", "eventTimeZoneOffset", "action", "bizStep", "disposition")
PLACES = ("readPoint", "bizLocation")


def events(raw: bytes, kinds: frozenset[str]) -> list[dict[str, Any]]:
    """The events in the document, whichever it is. Raises NotReadable, of every document with a DOCTYPE too."""
    # With a zero byte it may be UTF-16, in which a DOCTYPE could hide.
    if b"\0" in raw or b"<!DOCTYPE" in raw.upper():
        raise NotReadable("it has a DOCTYPE, or is not UTF-8")
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314
    except (ElementTree.ParseError, ValueError, LookupError):
        raise NotReadable("it is not XML") from None
    return [_event(element) for element in root.iter() if _name(element) in kinds]


def _event(element: ElementTree.Element) -> dict[str, Any]:
    inside = {_name(each): each for each in reversed(list(element.iter()))}
    found: dict[str, Any] = {"type": _name(element)}
    found.update((name, _text(inside[name])) for name in TEXTS if name in inside)
    for name in PLACES:
        if name in inside:
            found[name] = {"id": next((_text(each) for each in inside[name] if _name(each) == "id"), None)}
    found["epcList"] = [_text(each) for each in _within(inside.get("epcList"), "epc")]
    found["quantityList"] = [
        {_name(each): _text(each) for each in quantity}
        for quantity in _within(inside.get("quantityList"), "quantityElement")
    ]
    found["bizTransactionList"] = [
        {"type": each.get("type"), "bizTransaction": _text(each)}
        for each in _within(inside.get("bizTransactionList"), "bizTransaction")
    ]
    if "errorDeclaration" in inside:
        told = inside["errorDeclaration"]
        found["errorDeclaration"] = {_name(each): _text(each) for each in told}
    return found


def _within(element: ElementTree.Element | None, name: str) -> Iterator[ElementTree.Element]:
    if element is not None:
        yield from (each for each in element if _name(each) == name)


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: ElementTree.Element) -> str:
    return (element.text or "").strip()
