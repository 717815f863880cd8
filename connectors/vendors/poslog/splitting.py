"""A POSLog file of any length, cut into its transactions: at most one of them is in memory."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from connectors.protocol.documents import NotReadable
from connectors.vendors.poslog.markup import DEPTH_MAX, TRANSACTION, name_of, readable, refuse_types, written

TRANSACTION_BYTES_MAX = 4 * 1024 * 1024
READ_BYTES = 64 * 1024
OVERLAP_BYTES = 16
"""What is refused may lie over the edge of what is read at once."""


def split(file: BinaryIO) -> Iterator[bytes]:
    """Each transaction as a document of its own. Raises NotReadable, also where there is none at all."""
    bounded = _Bounded(file)
    count = 0
    with readable():
        for transaction in _transactions(bounded):
            count += 1
            yield written(transaction)
    if not count:
        raise NotReadable("it holds no transaction")


def _transactions(file: "_Bounded") -> Iterator[Element]:
    """Everything that is over is taken out of the tree."""
    path: list[Element] = []
    inside = 0
    for kind, element in ElementTree.iterparse(file, ("start", "end")):  # noqa: S314
        is_transaction = name_of(element) == TRANSACTION
        if kind == "start":
            path.append(element)
            inside += is_transaction
            if len(path) > DEPTH_MAX:
                raise NotReadable(f"it is nested deeper than {DEPTH_MAX}")
            continue
        path.pop()
        inside -= is_transaction
        if inside:
            continue
        if is_transaction:
            yield element
        file.pass_on()
        if path:
            path[-1].remove(element)


class _Bounded:
    """The file as the parser reads it: without document types, and with no part that is too long to be held."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._edge = b""
        self._since = 0

    def read(self, size: int = READ_BYTES) -> bytes:
        """The next bytes. Raises NotReadable."""
        found = self._file.read(min(size, READ_BYTES))
        self._since += len(found)
        if self._since > TRANSACTION_BYTES_MAX:
            raise NotReadable(f"a transaction has more than {TRANSACTION_BYTES_MAX} bytes")
        plain = self._edge + found.replace(b"\0", b"").upper()  # of UTF-16, too
        refuse_types(plain)
        self._edge = plain[-OVERLAP_BYTES:]
        return found

    def pass_on(self) -> None:
        """What was read so far is dealt with."""
        self._since = 0
