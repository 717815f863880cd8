"""What is wrong with a mapping file: every fault at once, each with its line and what to do."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from connectors.nearest import nearest
from vaart.errors import UsageFault

FAULTS_SHOWN_MAX = 50
_FLAG = "tag:yaml.org,2002:bool"

Place = tuple[str | int, ...]
"""Where something stands: keys and indices from the top of the file."""


class PlainLoader(yaml.SafeLoader):
    """YAML in which only true and false are flags: a column may be called off, no or y."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _FLAG or first in "tfTF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Faults:
    """The faults of one mapping file, collected."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines = dict(_lines(yaml.compose(text, Loader=PlainLoader), ()))
        self._found: dict[tuple[int, str], None] = {}

    def add(self, place: Place, what: str) -> None:
        """Notes a fault at the place, or at the nearest line above it that the file has."""
        known = next(
            (place[:depth] for depth in range(len(place), -1, -1) if place[:depth] in self._lines), ()
        )
        self._found[self._lines.get(known, 1), f"{dotted(place)}: {what}" if place else what] = None

    def raise_any(self) -> None:
        """Raises UsageFault with all faults, in the order of their lines."""
        if not self._found:
            return
        shown = [f"{self.path}:{line}: {what}" for line, what in sorted(self._found)]
        more = len(shown) - FAULTS_SHOWN_MAX
        raise UsageFault("\n".join(shown[:FAULTS_SHOWN_MAX] + ([f"and {more} more"] if more > 0 else [])))


def closest(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` with the nearest known name, else what there is to choose from."""
    names = sorted(known)
    return nearest(name, names) or (f"; there are {', '.join(names)}" if 0 < len(names) <= 40 else "")


def dotted(place: Place) -> str:
    """`events[0].fields.sku`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _lines(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    """Where everything in the file stands; a key's own line for what stands under it."""
    if node is None:
        return
    if not place:
        yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, key.value), key.start_mark.line + 1
            yield from _lines(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _lines(value, (*place, index))
