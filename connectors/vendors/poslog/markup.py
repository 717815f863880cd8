"""XML of tills, read within bounds: no document type, no entities of its own, elements by their local names."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from connectors.protocol.documents import NotReadable, Unfit

TRANSACTION = "Transaction"
TRANSACTIONS_MAX = 10_000
DEPTH_MAX = 64
TRUE = ("true", "1")


def transactions(body: bytes) -> list[Element]:
    """The transactions of the document, in its order. Raises NotReadable."""
    refuse_types(body.replace(b"\0", b"").upper())  # of UTF-16, too
    found: list[Element] = []
    depth = 0
    with readable():
        for kind, element in ElementTree.iterparse(BytesIO(body), ("start", "end")):  # noqa: S314
            depth += 1 if kind == "start" else -1
            if depth > DEPTH_MAX:
                raise NotReadable(f"it is nested deeper than {DEPTH_MAX}")
            if kind == "end" and name_of(element) == TRANSACTION:
                found.append(element)
    if len(found) > TRANSACTIONS_MAX:
        raise NotReadable(f"it has more than {TRANSACTIONS_MAX} transactions")
    return found


def refuse_types(plain: bytes) -> None:
    """Raises NotReadable where the text, in upper case and without null bytes, declares a type or an entity."""
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise NotReadable("it declares a document type, which no till needs")


@contextmanager
def readable() -> Iterator[None]:
    """What the parser does not take inside is NotReadable."""
    try:
        yield
    except ElementTree.ParseError as error:
        line, column = error.position
        raise NotReadable(f"it is not XML at line {line}, column {column}") from None
    except NotReadable:
        raise
    except (ValueError, LookupError):
        raise NotReadable("its encoding is not known, or is not the one it names") from None


def name_of(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def all_of(element: Element, *path: str) -> Iterator[Element]:
    """The elements below it that are reached by these names."""
    name, *rest = path
    for child in element:
        if name_of(child) == name:
            yield from all_of(child, *rest) if rest else [child]


def one(element: Element, *path: str) -> Element | None:
    """The first of them; None where there is none."""
    return next(all_of(element, *path), None)


def text(element: Element, *path: str) -> str | None:
    """What the first of them says; None where there is none, or nothing in it."""
    found = one(element, *path)
    return None if found is None else (found.text or "").strip() or None


def needed(element: Element, *path: str) -> str:
    """What it says. Raises Unfit where there is none."""
    found = text(element, *path)
    if found is None:
        raise Unfit(f"{'/'.join(path)} is missing")
    return found


def is_so(element: Element, attribute: str) -> bool:
    """Whether the attribute says so."""
    return element.get(attribute, "").strip().lower() in TRUE


def written(element: Element) -> bytes:
    """The element as XML again."""
    return bytes(ElementTree.tostring(element, encoding="utf-8"))
